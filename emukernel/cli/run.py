"""`emukernel run`: one program in a machine of its own."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any, TextIO

    from emukernel.api import Result, Run
    from emukernel.kernel.tty.console import Console
    from emukernel.policy import Policy

EXIT_USAGE = 2

_EPILOG = """\
The exit status is the guest's own, or 128 + N when signal N ended it; 124 when a limit did, 125
when every task slept and nothing could wake one, 2 when the command line, the policy or the program
was at fault. Unless --quiet, one line on stderr says what ended the guest if it was not itself, and
one each which other threads and processes seccomp ended.

Sizes take K, M or G. Options after GUEST are the guest's.

The policy is installed as a launcher would do it, by prctl, and the guest exec'ed under it. Without
a line `on_next_syscall: 1` it holds from that execve on. With it, it holds at once: the launcher's
own execve must pass it too.

examples:
  emukernel run ./hello world
  emukernel run --filter policy.txt --trace ./guest
  emukernel run --filter-text 'sys_write: fd == 1
  sys_exit_group: 1' ./guest
  emukernel run --root /srv/tree --bind ./data:/data:rw --cwd /data /bin/busybox ls
  emukernel run --deterministic --seed 7 --trace=run.log ./guest
"""


def _parser() -> ArgumentParser:
    from argparse import REMAINDER, RawDescriptionHelpFormatter

    from emukernel.cli.parser import Parser

    parser = Parser(
        prog="emukernel run",
        usage="emukernel run [option ...] GUEST [ARG ...]",
        description="Runs a static x86-64 Linux program in an emulated machine.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    policy = parser.add_argument_group("policy")
    policy.add_argument("--filter", metavar="FILE", help="install the policy in FILE")
    policy.add_argument("--filter-text", metavar="TEXT", help="install the policy TEXT")
    policy.add_argument(
        "--seccomp-abi", metavar="ABI", default="v1", help="the kernel's interface (v1)"
    )
    policy.add_argument(
        "--no-ptregs-events",
        dest="ptregs_events",
        action="store_false",
        help="as a kernel without the option ptregs_events",
    )
    what = parser.add_argument_group("what is shown")
    what.add_argument(
        "--trace", nargs="?", const="-", metavar="=FILE", help="trace to stderr, or to FILE"
    )
    what.add_argument("--trace-json", metavar="FILE", help="the trace as JSON lines (-: stdout)")
    what.add_argument("--dmesg", action="store_true", help="the kernel log, at the end")
    what.add_argument("--stats", action="store_true", help="calls, times and memory, at the end")
    what.add_argument("--stats-json", metavar="FILE", help="the same as JSON (-: stdout)")
    what.add_argument(
        "--quiet", "-q", action="store_true", help="no word about how the guest ended"
    )
    files = parser.add_argument_group("files")
    files.add_argument(
        "--root", metavar="DIR", help="a host directory as the root, changes kept in memory"
    )
    files.add_argument(
        "--bind",
        action="append",
        default=[],
        metavar="HOST:GUEST[:rw]",
        help="a host file or directory in the guest's tree; with :rw changes reach the host",
    )
    process = parser.add_argument_group("the process")
    process.add_argument(
        "--env", "-E", action="append", default=[], metavar="K=V", help="a variable"
    )
    process.add_argument("--clear-env", action="store_true", help="leave the host's variables out")
    process.add_argument(
        "--cwd", metavar="DIR", default="/", help="working directory, in the guest's tree (/)"
    )
    process.add_argument("--uid", metavar="N", default="0", help="user (0)")
    process.add_argument("--gid", metavar="N", help="group (as --uid)")
    process.add_argument("--argv0", metavar="NAME", help="argv[0] (GUEST as given)")
    machine = parser.add_argument_group("the machine")
    machine.add_argument("--memory", metavar="SIZE", default="1G", help="RAM (1G)")
    machine.add_argument("--hostname", metavar="NAME", default="emukernel", help="host name")
    machine.add_argument("--timeout", metavar="SECONDS", help="end the run after so long")
    machine.add_argument(
        "--max-instructions", metavar="N", help="end it after so many instructions"
    )
    machine.add_argument(
        "--deterministic", action="store_true", help="virtual clock, fixed randomness"
    )
    machine.add_argument("--seed", metavar="N", default="0", help="seed of --deterministic (0)")
    parser.add_argument(
        "guest", metavar="GUEST", nargs=REMAINDER, help="the program and its arguments"
    )
    return parser


def _bare_trace(parser: ArgumentParser, argv: list[str]) -> list[str]:
    """`--trace` alone means stderr: it must not take the guest's name for its file."""
    with_value = {
        name
        for name, action in parser._option_string_actions.items()
        if action.nargs is None and name != "--trace"
    }
    words = list(argv)
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        if words[at] == "--trace":
            words[at] = "--trace=-"
        at += 2 if words[at] in with_value else 1
    return words


class BadOption(Exception):
    """An option's value is no good; the text is the message."""


def main(argv: list[str]) -> int:
    """Parses the options and runs the guest."""
    parser = _parser()
    arguments = parser.parse_args(_bare_trace(parser, argv))
    guest: list[str] = arguments.guest
    if guest and guest[0] == "--":
        del guest[0]
    if not guest:
        _say("no GUEST given: emukernel run [option ...] GUEST [ARG ...]")
        return EXIT_USAGE
    from emukernel.api import Run, UsageError
    from emukernel.kernel.options import Options
    from emukernel.machine.libunicorn import MachineError

    try:
        policy = _policy(arguments)
        options = Options(**_options(arguments, guest[0]))
        timeout = None
        if arguments.timeout is not None:
            timeout = _seconds(arguments.timeout)
        environment = _environment(arguments)
        outputs = _open_outputs(arguments)
        run = Run(options, policy, timeout)
    except (BadOption, UsageError, ValueError, MachineError) as error:
        _say(str(error))
        return EXIT_USAGE
    except _PolicyRefused as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    try:
        if arguments.stats or arguments.stats_json:
            run.count()
        _attach(run, outputs)
        words = [os.fsencode(word) for word in guest]
        if arguments.argv0 is not None:
            words[0] = os.fsencode(arguments.argv0)
        run.load(words, environment)
        result = run.go()
        _report(result, arguments, run, outputs)
    except (BadOption, UsageError) as error:
        _say(str(error))
        return EXIT_USAGE
    finally:
        run.close()
    return result.exit_status


class _PolicyRefused(Exception):
    """The policy has errors; the text is ready to print."""


def _say(text: str) -> None:
    sys.stderr.write(f"emukernel run: {text}\n")


# -- options -----------------------------------------------------------------------------------


def _policy(arguments: Namespace) -> Policy | None:
    if arguments.filter is None and arguments.filter_text is None:
        return None
    if arguments.filter is not None and arguments.filter_text is not None:
        raise BadOption("--filter and --filter-text exclude each other")
    from emukernel.policy import Policy, PolicyError

    try:
        if arguments.filter is not None:
            return Policy.from_file(arguments.filter, ptregs_events=arguments.ptregs_events)
        return Policy.from_text(
            arguments.filter_text, file="--filter-text", ptregs_events=arguments.ptregs_events
        )
    except PolicyError as error:
        raise _PolicyRefused(str(error)) from None


def _options(arguments: Namespace, program: str) -> dict[str, Any]:
    uid = _number(arguments.uid, "--uid", 0, "a user id")
    gid = uid if arguments.gid is None else _number(arguments.gid, "--gid", 0, "a group id")
    for name, number in (("--uid", uid), ("--gid", gid)):
        if number >= 0xFFFF_FFFF:
            raise BadOption(f"{name}: {number} is too large (below 4294967295 expected)")
    if len(os.fsencode(arguments.hostname)) > 64:
        raise BadOption("--hostname: at most 64 bytes expected")
    limit = None
    if arguments.max_instructions is not None:
        limit = _number(arguments.max_instructions, "--max-instructions", 1, "a number from 1 on")
    return {
        "memory": _size(arguments.memory),
        "root": arguments.root,
        "binds": tuple(_bind(text) for text in arguments.bind),
        "program": program,
        "cwd": arguments.cwd,
        "uid": uid,
        "gid": gid,
        "hostname": arguments.hostname,
        "deterministic": arguments.deterministic,
        "seed": _number(arguments.seed, "--seed", 0, "a number from 0 on"),
        "seccomp_abi": arguments.seccomp_abi,
        "ptregs_events": arguments.ptregs_events,
        "max_instructions": limit,
    }


def _number(text: str, option: str, least: int, expected: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not least <= value < 1 << 63:
        raise BadOption(f"{option}: {text!r} is not {expected}, below 2**63")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    # A NaN is neither below nor above the limits.
    if not 0.0 <= value <= 1e9:
        raise BadOption(f"--timeout: {text!r} is not a number of seconds")
    return value


def _size(text: str) -> int:
    shift = {"k": 10, "m": 20, "g": 30}.get(text[-1:].lower(), 0)
    digits = text[:-1] if shift else text
    if not digits.isascii() or not digits.isdigit():
        raise BadOption(f"--memory: {text!r} is not a size (512M, 2G, …)")
    size = int(digits[:20]) << shift
    if not 8 << 20 <= size <= 64 << 30:
        raise BadOption(f"--memory: {text!r} is not between 8M and 64G")
    return size & -4096


def _bind(text: str) -> tuple[str, str, bool]:
    parts = text.split(":")
    writable = len(parts) == 3 and parts[2] == "rw"
    if len(parts) == 3 and parts[2] in ("rw", "ro"):
        del parts[2]
    if len(parts) != 2 or not parts[0] or not parts[1].startswith("/"):
        raise BadOption(f"--bind: {text!r} is not HOST:GUEST[:rw] with an absolute GUEST path")
    return parts[0], parts[1], writable


def _environment(arguments: Namespace) -> list[bytes]:
    variables = {} if arguments.clear_env else dict(os.environb)
    for text in arguments.env:
        key, equals, value = os.fsencode(text).partition(b"=")
        if not equals or not key:
            raise BadOption(f"--env: {text!r} is not K=V")
        variables[key] = value
    return [key + b"=" + value for key, value in variables.items()]


class Output:
    """Where a trace or the statistics go: a file that an option names, or a standard stream.

    What a file can't take is a BadOption, at whatever moment it turns out.
    """

    __slots__ = ("_file", "_label", "_ours", "terminal")

    def __init__(self, option: str, name: str) -> None:
        self._label = f"--{option.replace('_', '-')}: {name}"
        #: The guest's console, which is raw while it runs: if this is it, lines need a CR too.
        self.terminal: Console | None = None
        self._ours = name != "-"
        self._file: TextIO
        if not self._ours:
            self._file = sys.stderr if option == "trace" else sys.stdout
            return
        try:
            self._file = open(  # noqa: SIM115  (open until the run's end)
                name, "w", encoding="utf-8", errors="backslashreplace"
            )
        except (OSError, ValueError) as error:
            raise self._bad(error) from None

    def _bad(self, error: OSError | ValueError) -> BadOption:
        return BadOption(f"{self._label}: {getattr(error, 'strerror', None) or error}")

    def write(self, text: str) -> None:
        """As a file's."""
        if self.terminal is not None and self.terminal.attached:
            text = text.replace("\n", "\r\n")
        try:
            self._file.write(text)
        except OSError as error:
            raise self._bad(error) from None

    def flush(self) -> None:
        """As a file's."""
        try:
            self._file.flush()
        except OSError as error:
            raise self._bad(error) from None

    def on(self, console: Console | None) -> Console | None:
        """`console`, if it is where this goes."""
        if console is None or self._ours or not self._file.isatty():
            return None
        return console if os.fstat(self._file.fileno()).st_rdev == console.host_rdev else None

    def close(self) -> None:
        """The end of it; a standard stream stays open."""
        self.flush()
        if self._ours:
            self._file.close()


def _open_outputs(arguments: Namespace) -> dict[str, Output]:
    names = {name: getattr(arguments, name) for name in ("trace", "trace_json", "stats_json")}
    return {option: Output(option, name) for option, name in names.items() if name is not None}


def _attach(run: Run, outputs: dict[str, Output]) -> None:
    for output in outputs.values():
        output.terminal = output.on(run.machine.console)
    if "trace" in outputs:
        from emukernel.strace import TextSink

        run.add_tracer(TextSink(outputs["trace"]))
    if "trace_json" in outputs:
        from emukernel.strace import JsonSink

        run.add_tracer(JsonSink(outputs["trace_json"]))


# -- the end -----------------------------------------------------------------------------------


def _tell(text: str) -> None:
    try:
        sys.stderr.write(text)
    except OSError:
        # The terminal was hung up: nobody is left to read it.
        return


def _report(
    result: Result, arguments: Namespace, run: Run, outputs: dict[str, Output]
) -> None:
    """What is printed after the guest's own output."""
    from emukernel.report import ending, other_refusals, stats_text

    text = ""
    if not arguments.quiet:
        text = other_refusals(result, run)
        line = ending(result, run)
        if line:
            text += f"{line}\n"
    if arguments.dmesg:
        text += "".join(f"{line}\n" for line in result.dmesg)
    if arguments.stats:
        text += stats_text(result.stats)
    _tell(text)
    if arguments.stats_json:
        import json

        outputs["stats_json"].write(json.dumps(result.stats) + "\n")
    for output in outputs.values():
        output.close()
