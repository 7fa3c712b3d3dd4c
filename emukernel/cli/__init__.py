"""The command line: `emukernel COMMAND …`, one module a command."""

from __future__ import annotations

import sys

EXIT_USAGE = 2

#: Command -> (module, one line of help).
COMMANDS = {
    "run": ("run", "run a program, under a policy if you give one, and say what happened"),
    "filter": ("filter", "parse one filter expression, and evaluate it"),
    "policy": ("policy", "check a policy file"),
    "fuzz": ("fuzz", "find what a program and its policy do wrong, by many inputs"),
    "replay": ("replay", "repeat what fuzz found"),
    "syscalls": ("syscalls", "print the table of system calls"),
    "demo": ("demo", "run a bundled program under a bundled policy, with explanations"),
}

_USAGE = """\
usage: emukernel COMMAND [ARGUMENT ...]

A seccomp-enabled x86-64 Linux kernel, emulated: runs static ELF programs under
policies of ftrace filter strings.

commands:
{commands}

examples:
  emukernel run ./hello
  emukernel run --filter policy.txt --trace ./guest argument
  emukernel filter sys_write 'fd == 1 || fd == 2' 3
  emukernel demo

`emukernel COMMAND --help` says more.
"""


def usage() -> str:
    """The help text of the command itself."""
    lines = [f"  {name:<10}{text}" for name, (_module, text) in COMMANDS.items()]
    return _USAGE.format(commands="\n".join(lines))


def _die_at_interrupts() -> None:
    """Ctrl-C ends the process where no command takes care of it: while it starts, say.

    Python's own way, an exception between any two instructions, leaves half-made machines and shows
    tracebacks.
    """
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    if argv is None:
        _die_at_interrupts()
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments:
        sys.stderr.write(usage())
        return EXIT_USAGE
    command, *rest = arguments
    if command in ("-h", "--help", "help"):
        sys.stdout.write(usage())
        return 0
    if command in ("-V", "--version"):
        from emukernel import __version__

        sys.stdout.write(f"emukernel {__version__}\n")
        return 0
    entry = COMMANDS.get(command)
    if entry is None:
        from emukernel.cli.suggest import near_miss

        hint = near_miss(command, COMMANDS)
        sys.stderr.write(
            f"emukernel: no command {command!r}{hint}; there are: {', '.join(COMMANDS)}\n"
        )
        return EXIT_USAGE
    try:
        module = __import__(f"emukernel.cli.{entry[0]}", fromlist=("main",))
        status: int = module.main(rest)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Whoever read our output is gone: end as `yes | head` does.
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except KeyboardInterrupt:
        return 130
