"""`emukernel demo`: a bundled program under bundled policies, with explanations."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.api import Result

_DATA = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data")

_INTRO = """\
The guest is a little parser (guest/demo/demo.c). It reads a document and prints its size. But it
has a bug: a document that starts with "!" takes it over and makes it print /etc/passwd.
"""

_SCENES = (
    (
        "An honest document, no policy",
        b"hello",
        "",
        "Nothing to see: read, write, exit.",
    ),
    (
        'A hostile document ("!…"), no policy',
        b"!pwn",
        "",
        "The guest did what the attacker wanted: that is the emulated machine's /etc/passwd.",
    ),
    (
        "The hostile document, under a policy",
        b"!pwn",
        "demo.policy",
        "The policy has no entry for sys_open, so the thread ended there, as if by SIGKILL. The\n"
        "kernel never looked at the call's arguments, and the exit status is 128 + 9.",
    ),
    (
        'A cleverer document ("#…"), under a policy with a hole',
        b"#pwn",
        "demo-hole.policy",
        "The policy says `fd != 3`, but filters compare whole 64-bit registers, and read looks at\n"
        "the low half only: 0x100000003 passes the filter and is descriptor 3. Say what may be\n"
        "(`fd == 0`), not what may not; `emukernel policy check` warns of such comparisons.",
    ),
)


def main(argv: list[str]) -> int:
    """Runs the scenes one after the other."""
    from argparse import RawDescriptionHelpFormatter

    from emukernel.cli.parser import Parser

    parser = Parser(
        prog="emukernel demo",
        description="Runs a bundled program under bundled policies and explains what it shows.",
        epilog="example:\n  emukernel demo --trace",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--trace", action="store_true", help="show the system calls too")
    arguments = parser.parse_args(argv)
    sys.stdout.write(_INTRO)
    for number, (title, document, policy, moral) in enumerate(_SCENES, 1):
        sys.stdout.write(f"\n{number}. {title}\n")
        text = ""
        if policy:
            with open(os.path.join(_DATA, policy), encoding="utf-8") as file:
                text = file.read()
            sys.stdout.write("".join(f"   | {line}\n" for line in text.splitlines()))
        _show(_run(document, text, arguments.trace))
        sys.stdout.write("".join(f"   {line}\n" for line in moral.splitlines()))
    return 0


def _run(document: bytes, policy: str, trace: bool) -> Result:
    from emukernel.api import Kernel

    kernel = Kernel(filter=policy or None, stdin=document, trace=trace, deterministic=True)
    return kernel.run(os.path.join(_DATA, "demo.elf"), ["demo"])


def _show(result: Result) -> None:
    for line in result.trace:
        sys.stdout.write(f"   . {line}\n")
    for line in (result.stdout or b"").decode("utf-8", "replace").splitlines():
        sys.stdout.write(f"   > {line}\n")
    for refusal in result.violations:
        sys.stdout.write(f"   killed by seccomp: {refusal}\n")
    sys.stdout.write(f"   exit status {result.exit_status}\n")
