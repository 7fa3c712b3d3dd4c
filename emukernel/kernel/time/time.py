"""time(2), gettimeofday(2), settimeofday(2) (kernel/time/time.c)."""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.cred import CAP_SYS_TIME
from emukernel.kernel.errno import EINVAL, EPERM, Errno
from emukernel.kernel.time.clock import set_time
from emukernel.kernel.time.timekeeping import NSEC_PER_SEC, SETTOD_SEC_MAX
from emukernel.kernel.uaccess import copy_from_user, copy_to_user, put_user_u64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_TIMEVAL = Struct("<qq")
_TIMEZONE = Struct("<ii")
_USEC_PER_SEC = 1_000_000


def sys_time(task: Task, tloc: int) -> int:
    """time(2): seconds since 1970, as of the last tick."""
    clock = task.kernel.clock
    clock.tick()
    now = clock.realtime_coarse() // NSEC_PER_SEC
    if tloc:
        put_user_u64(task, tloc, now)
    return now


def sys_gettimeofday(task: Task, tv: int, tz: int) -> int:
    """gettimeofday(2); either pointer may be NULL."""
    clock = task.kernel.clock
    clock.tick()
    if tv:
        sec, nsec = divmod(clock.realtime(), NSEC_PER_SEC)
        copy_to_user(task, tv, _TIMEVAL.pack(sec, nsec // 1000))
    if tz:
        copy_to_user(task, tz, _TIMEZONE.pack(*clock.timezone))
    return 0


def sys_settimeofday(task: Task, tv: int, tz: int) -> int:
    """settimeofday(2).

    The first call with a time zone and without a time moves the clock by the zone: it is taken to
    have run in local time (the man page's "warp").
    """
    ns = 0
    if tv:
        sec, usec = _TIMEVAL.unpack(copy_from_user(task, tv, 16))
        if not 0 <= usec <= _USEC_PER_SEC:
            raise Errno(EINVAL)
        ns = sec * NSEC_PER_SEC + usec * 1000
    zone = _TIMEZONE.unpack(copy_from_user(task, tz, 8)) if tz else None
    if tv and (usec == _USEC_PER_SEC or not 0 <= sec <= SETTOD_SEC_MAX):
        raise Errno(EINVAL)
    if not task.cred.capable(CAP_SYS_TIME):
        raise Errno(EPERM)
    clock = task.kernel.clock
    if zone is not None:
        west = zone[0]
        if not -15 * 60 <= west <= 15 * 60:
            raise Errno(EINVAL)
        clock.timezone = (west, zone[1])
        if not clock.timezone_set:
            clock.timezone_set = True
            if not tv and west:
                clock.set_realtime(clock.realtime() + west * 60 * NSEC_PER_SEC)
    if tv:
        set_time(task, ns)
    return 0
