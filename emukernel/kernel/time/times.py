"""times(2) (kernel/sys.c)."""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.time.timekeeping import HZ, NSEC_PER_SEC, USER_HZ, thread_group_cputime
from emukernel.kernel.uaccess import copy_to_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_TMS = Struct("<qqqq")
_NSEC_PER_CLOCK = NSEC_PER_SEC // USER_HZ
_INITIAL = ((1 << 32) - 300 * HZ) * USER_HZ // HZ
"""Linux's tick counter starts five minutes before 32 bits of it overflow, to show whose code
can't stand that; the result of times(2) is made from it."""


def sys_times(task: Task, tbuf: int) -> int:
    """times(2): clock ticks since a point in the past; the process's and its children's times."""
    clock = task.kernel.clock
    clock.tick()
    if tbuf:
        utime, stime = thread_group_cputime(task)
        children = task.signal.children
        spent = (utime, stime, children.utime_ns, children.stime_ns)
        copy_to_user(task, tbuf, _TMS.pack(*[ns // _NSEC_PER_CLOCK for ns in spent]))
    return _INITIAL + clock.monotonic() // _NSEC_PER_CLOCK
