"""nanosleep(2) and clock_nanosleep(2) (kernel/time/hrtimer.c, posix-cpu-timers.c)."""

from __future__ import annotations

from emukernel.kernel.errno import (
    EINVAL,
    EOPNOTSUPP,
    ERESTART_RESTARTBLOCK,
    ERESTARTNOHAND,
    Errno,
)
from emukernel.kernel.time.clock import (
    CLOCK_BOOTTIME,
    CLOCK_BOOTTIME_ALARM,
    CLOCK_MONOTONIC,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_REALTIME,
    CLOCK_REALTIME_ALARM,
    CLOCK_TAI,
    CLOCKFD,
    CPUCLOCK_PERTHREAD,
    cpu_clock_task,
    read_clock,
)
from emukernel.kernel.time.timekeeping import KTIME_MAX, TICK_NSEC, get_timespec, put_timespec
from emukernel.kernel.wait import wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

TIMER_ABSTIME = 1

_SLEEPABLE = (CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI)
_ALARM = (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM)


def sys_nanosleep(task: Task, rqtp: int, rmtp: int) -> int:
    """nanosleep(2)."""
    return sleep_for(task, CLOCK_MONOTONIC, get_timespec(task, rqtp), rmtp)


def sys_clock_nanosleep(task: Task, clock_id: int, flags: int, rqtp: int, rmtp: int) -> int:
    """clock_nanosleep(2). EOPNOTSUPP for clocks that can be read but not slept on.

    A thread can't wait for its own CPU time (EINVAL). Flags but TIMER_ABSTIME are ignored, as in
    Linux.
    """
    cpu = clock_id == CLOCK_PROCESS_CPUTIME_ID or (clock_id < 0 and clock_id & 7 != CLOCKFD)
    if not cpu and clock_id not in _SLEEPABLE:
        if clock_id < 0 or clock_id < CLOCK_BOOTTIME:
            raise Errno(EOPNOTSUPP)
        if clock_id not in _ALARM:
            raise Errno(EINVAL)
    ns = get_timespec(task, rqtp)
    if clock_id in _ALARM:
        raise Errno(EOPNOTSUPP)
    if clock_id < 0:
        owner, _ = cpu_clock_task(task, clock_id)
        if clock_id & CPUCLOCK_PERTHREAD and owner is task:
            raise Errno(EINVAL)
    if flags & TIMER_ABSTIME:
        return sleep_until(task, clock_id, ns)
    return sleep_for(task, clock_id if cpu else CLOCK_MONOTONIC, ns, rmtp)


def sleep_until(task: Task, clock_id: int, expires: int) -> int:
    """Sleeps until a moment of a clock. A signal restarts the call, or is EINTR with a handler."""
    if not sleep(task, clock_id, expires):
        raise Errno(ERESTARTNOHAND)
    return 0


def sleep_for(task: Task, clock_id: int, ns: int, rmtp: int) -> int:
    """Sleeps for `ns`; setting CLOCK_REALTIME doesn't matter. See `nanosleep_restart`."""
    expires = task.call.get("expires")
    if expires is None:
        expires = min(read_clock(task, clock_id) + ns, KTIME_MAX)
        task.call["expires"] = expires
    return nanosleep_restart(task, clock_id, expires, rmtp)


def nanosleep_restart(task: Task, clock_id: int, expires: int, rmtp: int) -> int:
    """The rest of a relative sleep.

    A signal puts what is left at `rmtp`, where it isn't NULL, and leaves in `task.restart_block`
    this function and its arguments: what restart_syscall(2) calls if no handler ran meanwhile.
    """
    if not sleep(task, clock_id, expires):
        left = expires - read_clock(task, clock_id)
        if left > 0:
            if rmtp:
                put_timespec(task, rmtp, left)
            task.restart_block = (nanosleep_restart, clock_id, expires, rmtp)
            raise Errno(ERESTART_RESTARTBLOCK)
    return 0


def sleep(task: Task, clock_id: int, expires: int) -> bool:
    """Sleeps until a moment of any clock has come (true) or a signal (false)."""
    left = expires - read_clock(task, clock_id)
    if left <= 0:
        return True
    if task.signal_pending():
        return False
    clock = task.kernel.clock
    if clock_id < 0 or clock_id == CLOCK_PROCESS_CPUTIME_ID:
        # Others have to use up this time; it can't come sooner than if one of them always ran.
        left = max(left, TICK_NSEC)
    queue = clock.was_set if clock_id in (CLOCK_REALTIME, CLOCK_TAI) else None
    deadline = None if expires == KTIME_MAX else clock.monotonic() + left
    wait_on(task, queue, deadline)
    return True
