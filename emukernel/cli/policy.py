"""`emukernel policy`: what the kernel would make of a policy file."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXIT_OK = 0
EXIT_ERROR = 2

_EXAMPLES = """\
A policy has one entry a line, NAME: EXPRESSION. NAME is the kernel's name of a system call
(sys_read), EXPRESSION a filter over its arguments, 1 to allow every call, or 0 to refuse it. Two
entries for one call narrow: both must hold. A call without an entry is refused. on_next_syscall: 1
enforces the policy from the next system call on, otherwise the next execve starts it. Empty lines
and comments from # to the end of the line don't count.

  # standard input and output only
  sys_read: fd == 0
  sys_write: fd == 1 || fd == 2
  sys_exit_group: 1
  on_next_syscall: 1

examples:
  emukernel policy check cat.policy
  emukernel policy check --json a.policy b.policy
  emukernel policy check --no-ptregs-events cat.policy

exit status: 0 if the kernel takes every policy, 2 if one of them has an error.
"""


def _parser() -> ArgumentParser:
    from argparse import RawDescriptionHelpFormatter

    from emukernel.cli.parser import Parser

    parser = Parser(
        prog="emukernel policy",
        description="Work on policy files without running a program.",
        epilog="example:\n  emukernel policy check cat.policy",
        formatter_class=RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check",
        help="list the entries of policies as the kernel would see them, or say what is wrong",
        description="Reads policy files, lists their entries as the kernel would see them, with\n"
        "remarks on what they let through unexpectedly, or says what is wrong and where.",
        epilog=_EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    check.add_argument("files", metavar="FILE", nargs="+", help="a policy file")
    check.add_argument("--json", action="store_true", help="one JSON object a file, a line each")
    check.add_argument(
        "--no-ptregs-events",
        dest="ptregs_events",
        action="store_false",
        help="as a kernel without the option ptregs_events: calls for which 2.6.39 has no event "
        "(fork, clone, execve, rt_sigreturn, ...) can't be named",
    )
    check.set_defaults(run=_check)
    return parser


def main(argv: list[str]) -> int:
    """Runs the command with these arguments; returns the exit status."""
    try:
        options = _parser().parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else EXIT_ERROR
    status: int = options.run(options)
    return status


def _check(options: Namespace) -> int:
    import json

    from emukernel.policy import Policy, PolicyError
    from emukernel.policy.check import as_json, as_text

    status = EXIT_OK
    for path in options.files:
        try:
            policy = Policy.from_file(path, ptregs_events=options.ptregs_events)
        except PolicyError as error:
            status = EXIT_ERROR
            if options.json:
                print(json.dumps(error.as_json(path)))
            else:
                print(error, file=sys.stderr)
        else:
            print(json.dumps(as_json(policy)) if options.json else as_text(policy))
    return status
