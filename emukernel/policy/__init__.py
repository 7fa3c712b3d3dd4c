"""Policy files for people: the kernel's `NAME: EXPRESSION` lines, with comments and with good
errors.

    # A filter program: reads standard input, writes standard output.
    sys_read: fd == 0
    sys_write: fd == 1 || fd == 2     # and nowhere else
    sys_exit_group: 1
    on_next_syscall: 1

`Policy` is the object, `PolicyError` the only exception; `check` lists what the kernel makes of
one.
"""

from __future__ import annotations

from emukernel.policy.error import PolicyError, Problem
from emukernel.policy.parse import PolicyEntry
from emukernel.policy.policy import Policy

__all__ = ["Policy", "PolicyEntry", "PolicyError", "Problem"]
