"""What is looked at on every system call.

A task's state holds two tables, `calls` for the `syscall` instruction and `calls32` for `int 0x80`.
None means that nothing is checked. Otherwise the table maps the number of the call to True
(allowed) or to a callable over the number and the six argument registers; a number that is not in
it is refused. So numbers out of range and the x32 bit need no code of their own, strict mode is a
table of four, a compat mismatch is an empty table, and a set of 400 entries costs what one of 4
does. The kernel's entry path writes `allowed` out in place:

    calls = seccomp.calls
    if calls is not None:
        match = calls.get(nr)
        if match is not True and (match is None or not match(nr, a0, a1, a2, a3, a4, a5)):
            verdict = abi.refuse(seccomp, ...)

`nr` is the very number that is dispatched on afterwards; the arguments are the raw, unsigned 64-bit
registers.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    Match = Callable[[int, int, int, int, int, int, int], bool]
    Calls = Mapping[int, Literal[True] | Match]

STRICT_CALLS: Calls = {0: True, 1: True, 15: True, 60: True}
"""read, write, rt_sigreturn, exit: mode1_syscalls of kernel/seccomp.c."""

STRICT_CALLS_32: Calls = {1: True, 3: True, 4: True, 119: True}
"""exit, read, write, sigreturn: mode1_syscalls_32. rt_sigreturn (173) is not among them: seen on
6.18."""

NO_CALLS: Calls = {}
"""Everything is refused."""


def allowed(calls: Calls | None, nr: int, args: tuple[int, int, int, int, int, int]) -> bool:
    """Does the table let the call pass? The entry path in one function, for everyone else."""
    if calls is None:
        return True
    match = calls.get(nr)
    return match is True or (match is not None and match(nr, *args))
