"""adjtimex(2) and clock_adjtime(2) (kernel/time/ntp.c).

The emulated clock follows the host's and can't be slewed: the calls report a clock that no
one disciplines, and set what can be set (the time itself, the TAI offset).
"""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.cred import CAP_SYS_TIME
from emukernel.kernel.errno import EINVAL, EOPNOTSUPP, EPERM, Errno
from emukernel.kernel.time.clock import (
    CLOCK_BOOTTIME,
    CLOCK_BOOTTIME_ALARM,
    CLOCK_REALTIME,
    CLOCK_REALTIME_ALARM,
    CLOCK_TAI,
    CLOCKFD,
    set_time,
)
from emukernel.kernel.time.timekeeping import NSEC_PER_SEC
from emukernel.kernel.uaccess import copy_from_user, copy_to_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

ADJ_TAI = 0x0080
ADJ_SETOFFSET = 0x0100
ADJ_NANO = 0x2000
ADJ_ADJTIME = 0x8000
ADJ_OFFSET_SINGLESHOT = 0x0001
ADJ_OFFSET_READONLY = 0x2000

STA_UNSYNC = 0x0040
TIME_ERROR = 5

# struct __kernel_timex up to `tai`; 44 bytes of padding follow.
_TIMEX = Struct("<I4xqqqqi4xqqq qq qqqi4xqqqqqi44x")
_OFFSET_LIMIT = 16_000_000
_CONSTANT, _PRECISION, _TOLERANCE = 2, 1, 500 << 16
_USEC_PER_TICK = 10_000


def do_adjtimex(task: Task, buffer: int) -> int:
    """Reports on CLOCK_REALTIME, after what `modes` asks to set. Errno(EINVAL or EPERM).

    EPERM too, with CAP_SYS_TIME, for what would change the clock's rate or claim that it is in
    step with something: that is the host's affair.
    """
    fields = _TIMEX.unpack(copy_from_user(task, buffer, _TIMEX.size))
    modes, constant, sec, fraction = fields[0], fields[6], fields[9], fields[10]
    clock = task.kernel.clock
    if modes & ADJ_ADJTIME:
        if not modes & ADJ_OFFSET_SINGLESHOT:
            raise Errno(EINVAL)
        if not modes & ADJ_OFFSET_READONLY:
            _require_cap(task)
            raise Errno(EPERM)
    elif modes:
        _require_cap(task)
        settable = ADJ_TAI | ADJ_SETOFFSET | (ADJ_NANO if modes & ADJ_SETOFFSET else 0)
        if modes & ~settable:
            task.kernel.log.once(
                "adjtimex", "adjtimex: the rate of the clock can't be changed: EPERM"
            )
            raise Errno(EPERM)
        if modes & ADJ_SETOFFSET:
            unit = 1 if modes & ADJ_NANO else 1000
            if not 0 <= fraction * unit < NSEC_PER_SEC:
                raise Errno(EINVAL)
            ns = clock.realtime() + sec * NSEC_PER_SEC + fraction * unit
            if ns < 0:
                raise Errno(EINVAL)
            set_time(task, ns)
        if modes & ADJ_TAI and 0 <= constant <= 1 << 31:
            clock.tai_offset = constant
    now = clock.realtime()
    answer = _TIMEX.pack(
        modes, 0, 0, _OFFSET_LIMIT, _OFFSET_LIMIT, STA_UNSYNC, _CONSTANT, _PRECISION, _TOLERANCE,
        now // NSEC_PER_SEC, now % NSEC_PER_SEC // 1000, _USEC_PER_TICK, 0, 0, 0, 0, 0, 0, 0, 0,
        clock.tai_offset,
    )  # fmt: skip
    copy_to_user(task, buffer, answer)
    return TIME_ERROR


def _require_cap(task: Task) -> None:
    if not task.cred.capable(CAP_SYS_TIME):
        raise Errno(EPERM)


def sys_adjtimex(task: Task, txc_p: int) -> int:
    """adjtimex(2)."""
    return do_adjtimex(task, txc_p)


def sys_clock_adjtime(task: Task, clock_id: int, utx: int) -> int:
    """clock_adjtime(2): EOPNOTSUPP for clocks but CLOCK_REALTIME."""
    copy_from_user(task, utx, _TIMEX.size)
    if clock_id == CLOCK_REALTIME:
        return do_adjtimex(task, utx)
    alarm = clock_id in (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM)
    if clock_id & 7 == CLOCKFD and clock_id < 0:
        raise Errno(EINVAL)
    if clock_id <= CLOCK_BOOTTIME or alarm or clock_id == CLOCK_TAI:
        raise Errno(EOPNOTSUPP)
    raise Errno(EINVAL)
