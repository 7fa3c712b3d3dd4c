"""clock_gettime(2), clock_settime(2), clock_getres(2) (kernel/time/posix-timers.c)."""

from __future__ import annotations

from emukernel.kernel.cred import CAP_SYS_TIME
from emukernel.kernel.errno import EINVAL, EPERM, Errno
from emukernel.kernel.time.timekeeping import (
    NSEC_PER_SEC,
    SETTOD_SEC_MAX,
    TICK_NSEC,
    get_timespec,
    put_timespec,
    task_cputime,
    thread_group_cputime,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

CLOCK_REALTIME = 0
CLOCK_MONOTONIC = 1
CLOCK_PROCESS_CPUTIME_ID = 2
CLOCK_THREAD_CPUTIME_ID = 3
CLOCK_MONOTONIC_RAW = 4
CLOCK_REALTIME_COARSE = 5
CLOCK_MONOTONIC_COARSE = 6
CLOCK_BOOTTIME = 7
CLOCK_REALTIME_ALARM = 8
CLOCK_BOOTTIME_ALARM = 9
CLOCK_TAI = 11

# A negative id is a CPU clock: ~pid above three bits, of which CPUCLOCK_PERTHREAD says whether pid
# is a thread, and the low two which clock. The kind CLOCKFD (~fd) belongs to character devices.
CPUCLOCK_PROF = 0
CPUCLOCK_VIRT = 1
CPUCLOCK_SCHED = 2
CPUCLOCK_PERTHREAD = 4
CLOCKFD = 3


def read_clock(task: Task, clock_id: int) -> int:
    """The time of any clock that has one, in ns. Errno(EINVAL) for all other ids.

    The alarm clocks need a real-time clock that could wake the machine, and there is none.
    """
    clock = task.kernel.clock
    if clock_id == CLOCK_MONOTONIC:
        return clock.monotonic()
    if clock_id == CLOCK_REALTIME:
        return clock.realtime()
    if clock_id < 0:
        return cpu_clock(task, clock_id)
    if clock_id == CLOCK_PROCESS_CPUTIME_ID:
        return sum(thread_group_cputime(task))
    if clock_id == CLOCK_THREAD_CPUTIME_ID:
        return sum(task_cputime(task))
    if clock_id == CLOCK_MONOTONIC_RAW:
        return clock.monotonic_raw()
    if clock_id == CLOCK_REALTIME_COARSE:
        return clock.realtime_coarse()
    if clock_id == CLOCK_MONOTONIC_COARSE:
        return clock.monotonic_coarse()
    if clock_id == CLOCK_BOOTTIME:
        return clock.boottime()
    if clock_id == CLOCK_TAI:
        return clock.tai()
    raise Errno(EINVAL)


def cpu_clock_task(task: Task, clock_id: int) -> tuple[Task, bool]:
    """Whose time the CPU clock `clock_id` shows, and whether it is that thread's alone.

    Threads of other processes are nobody's business, processes everybody's. Raises Errno(EINVAL).
    """
    which = clock_id & 3
    per_thread = bool(clock_id & CPUCLOCK_PERTHREAD)
    pid = ~(clock_id >> 3)
    if which > CPUCLOCK_SCHED:
        raise Errno(EINVAL)
    if pid == 0:
        return task, per_thread
    owner = task.kernel.tasks.get(pid)
    if owner is None:
        raise Errno(EINVAL)
    if per_thread:
        if owner.tgid != task.tgid:
            raise Errno(EINVAL)
    elif owner.pid != owner.tgid and owner is not task:
        raise Errno(EINVAL)
    return owner, per_thread


def cpu_clock(task: Task, clock_id: int) -> int:
    """The time of a CPU clock given by a negative id. Errno(EINVAL)."""
    owner, per_thread = cpu_clock_task(task, clock_id)
    utime, stime = task_cputime(owner) if per_thread else thread_group_cputime(owner)
    return utime if clock_id & 3 == CPUCLOCK_VIRT else utime + stime


def resolution(task: Task, clock_id: int) -> int:
    """What clock_getres(2) says of a clock, in ns. Errno(EINVAL)."""
    if clock_id < 0:
        cpu_clock_task(task, clock_id)
        return 1 if clock_id & 3 == CPUCLOCK_SCHED else TICK_NSEC
    if clock_id in (CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE):
        return TICK_NSEC
    if clock_id <= CLOCK_BOOTTIME or clock_id == CLOCK_TAI:
        return 1
    raise Errno(EINVAL)


def set_time(task: Task, ns: int) -> None:
    """Sets CLOCK_REALTIME (do_sys_settimeofday64). Errno(EINVAL or EPERM).

    It can't be so early that the machine would have booted before 1970.
    """
    if ns > SETTOD_SEC_MAX * NSEC_PER_SEC + NSEC_PER_SEC - 1:
        raise Errno(EINVAL)
    if not task.cred.capable(CAP_SYS_TIME):
        raise Errno(EPERM)
    clock = task.kernel.clock
    if ns < clock.monotonic():
        raise Errno(EINVAL)
    clock.set_realtime(ns)


def sys_clock_gettime(task: Task, clock_id: int, tp: int) -> int:
    """clock_gettime(2)."""
    task.kernel.clock.tick()
    put_timespec(task, tp, read_clock(task, clock_id))
    return 0


def sys_clock_getres(task: Task, clock_id: int, tp: int) -> int:
    """clock_getres(2); `tp` may be NULL."""
    ns = resolution(task, clock_id)
    if tp:
        put_timespec(task, tp, ns)
    return 0


def sys_clock_settime(task: Task, clock_id: int, tp: int) -> int:
    """clock_settime(2): only CLOCK_REALTIME can be set. CPU clocks are EPERM, as in Linux."""
    if clock_id != CLOCK_REALTIME and clock_id >= 0:
        raise Errno(EINVAL)
    from emukernel.kernel.uaccess import copy_from_user

    if clock_id < 0:
        copy_from_user(task, tp, 16)
        cpu_clock_task(task, clock_id)
        raise Errno(EPERM)
    set_time(task, get_timespec(task, tp))
    return 0
