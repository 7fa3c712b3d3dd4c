"""`emukernel replay`: repeats a finding on a machine of its own."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from emukernel.fuzz.finding import Finding

EXIT_SAME, EXIT_DIFFERENT, EXIT_USAGE = 0, 1, 2

_EPILOG = """\
FINDING is a file of a campaign's findings/ folder, or of the folder that `emukernel fuzz
--policy-only --out` names.

exit status: 0 when it happened again, 1 when it did not, 2 for bad usage
"""


def _parser() -> ArgumentParser:
    from argparse import RawDescriptionHelpFormatter

    from emukernel.cli.parser import Parser

    parser = Parser(
        prog="emukernel replay",
        description="Repeats what `emukernel fuzz` found.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("finding", metavar="FINDING", help="the finding's JSON file")
    parser.add_argument("--trace", action="store_true", help="the system calls, on stderr")
    parser.add_argument("--input-to", metavar="FILE", help="write the input to FILE")
    return parser


def main(argv: list[str]) -> int:
    """Repeats one finding."""
    arguments = _parser().parse_args(argv)
    from emukernel.api import UsageError
    from emukernel.fuzz.finding import Finding
    from emukernel.machine.libunicorn import MachineError
    from emukernel.policy import PolicyError

    try:
        with open(arguments.finding, encoding="utf-8") as file:
            finding = Finding.from_json(file.read())
        if arguments.input_to is not None:
            with open(arguments.input_to, "wb") as file:
                file.write(finding.input or b"")
        return _replay(finding, arguments.trace)
    except OSError as error:
        message = f"{error.filename}: {error.strerror}"
    except (ValueError, KeyError, TypeError) as error:
        message = f"{arguments.finding}: {error}"
    except (UsageError, MachineError, PolicyError) as error:
        message = str(error)
    sys.stderr.write(f"emukernel replay: {message}\n")
    return EXIT_USAGE


def _replay(finding: Finding, trace: bool) -> int:
    if finding.replay.get("audit") == 1:
        return _replay_audit(finding, trace)
    if "target" not in finding.replay:
        raise ValueError(f"a {finding.kind} finding of rule {finding.rule} has nothing to run")
    from emukernel.fuzz.replay import replay
    from emukernel.fuzz.target import CALLS, Target

    target = Target.from_json(finding.replay["target"])
    data = finding.input or b""
    sink = None
    if trace:
        from emukernel.strace import TextSink

        sink = TextSink(sys.stderr)
    if target.mode == CALLS:
        from emukernel.fuzz.syscalls import describe_calls

        sys.stdout.write("".join(f"{line}\n" for line in describe_calls(data)))
    made = replay(target, data, counted=finding.rule == "hang", sink=sink)
    for again in made:
        sys.stdout.write(f"{again.kind}: {again.title}\n{again.text}\n")
    if any(again.id == finding.id for again in made):
        return EXIT_SAME
    if made:
        sys.stdout.write(f"That is something else than {finding.id}.\n")
    else:
        sys.stdout.write("It did not happen again: the run ended well.\n")
    return EXIT_DIFFERENT


def _replay_audit(finding: Finding, trace: bool) -> int:
    """A way around a policy: the program that is refused, and the one that is not."""
    from emukernel.fuzz.audit import replay

    refused, passed = replay(finding)
    sys.stdout.write(f"{finding.kind}: {finding.title}\n{finding.text}\n")
    if trace:
        for what, lines in (("refused", refused), ("passed", passed)):
            sys.stderr.write("".join(f"{line}\n" for line in (f"{what}:", *lines)))
    evidence = finding.evidence
    if (refused, passed) == (evidence["refused"]["trace"], evidence["passed"]["trace"]):
        return EXIT_SAME
    sys.stdout.write("It did not happen again: the programs did something else.\n")
    return EXIT_DIFFERENT
