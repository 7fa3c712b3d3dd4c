"""Interval timers: getitimer, setitimer, alarm, and RLIMIT_CPU (kernel/time/itimer.c,
posix-cpu-timers.c).

A process has three timers. ITIMER_REAL counts down all the time, ITIMER_VIRTUAL while the process
runs in user mode, ITIMER_PROF while it runs at all. A periodic ITIMER_REAL that has expired waits
until its signal is taken: it can't overrun a process that doesn't look.
"""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.errno import EINVAL, Errno
from emukernel.kernel.signal.numbers import SIGALRM, SIGKILL, SIGPROF, SIGVTALRM, SIGXCPU
from emukernel.kernel.signal.send import send_signal
from emukernel.kernel.signal.siginfo import kernel_info
from emukernel.kernel.time.timekeeping import KTIME_MAX, NSEC_PER_SEC, thread_group_cputime
from emukernel.kernel.uaccess import copy_from_user, copy_to_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.sched.core import Timer
    from emukernel.kernel.task import Task

ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF = range(3)

_ITIMERVAL = Struct("<qqqq")
_USEC_PER_SEC = 1_000_000
_NSEC_PER_USEC = 1_000
_UINT_MAX = (1 << 32) - 1
_INT_MAX = (1 << 31) - 1
_RLIMIT_CPU = 0
_RLIM_INFINITY = (1 << 64) - 1


class RealTimer:
    """ITIMER_REAL of a process: `timer` is the scheduler's while it runs.

    Times in ns; `deadline` is on the monotonic clock, `interval` 0 for a timer that fires once.
    """

    __slots__ = ("deadline", "interval", "leader", "timer")

    def __init__(self, leader: Task) -> None:
        self.leader = leader
        self.deadline = self.interval = 0
        self.timer: Timer | None = None

    def expire(self, kernel: Kernel) -> None:
        """The scheduler says that the moment has come."""
        self.timer = None
        send_signal(self.leader, kernel_info(SIGALRM), True, True)

    def start(self, kernel: Kernel, deadline: int) -> None:
        """Fires at `deadline`."""
        self.deadline = deadline
        self.timer = kernel.sched.add_timer(deadline, self)

    def stop(self, kernel: Kernel) -> int:
        """Stops; how long it would have run on, 0 if it did not run."""
        timer = self.timer
        if timer is None:
            return 0
        kernel.sched.cancel_timer(timer)
        self.timer = None
        return self.left(kernel.clock.monotonic(), timer)

    def left(self, now: int, timer: Timer | None) -> int:
        """The time until it fires: 1 µs for one that should have by now (itimer_get_remtime)."""
        if timer is None:
            return 0
        return max(self.deadline - now, _NSEC_PER_USEC)

    def rearm(self, kernel: Kernel) -> None:
        """Its signal was taken: a periodic timer counts on, without the periods that are over."""
        if self.timer is not None or not self.interval:
            return
        now = kernel.clock.monotonic()
        periods = max((now - self.deadline) // self.interval + 1, 1)
        self.start(kernel, self.deadline + periods * self.interval)


class CpuTimer:
    """ITIMER_VIRTUAL or ITIMER_PROF: fires when the process has used `expires` ns of CPU time."""

    __slots__ = ("expires", "interval")

    def __init__(self, expires: int, interval: int) -> None:
        self.expires = expires
        self.interval = interval


# -- system calls --------------------------------------------------------------------------------


def sys_getitimer(task: Task, which: int, value: int) -> int:
    """getitimer(2)."""
    left, interval = _get(task, which)
    _put_itimerval(task, value, left, interval)
    return 0


def sys_setitimer(task: Task, which: int, value: int, ovalue: int) -> int:
    """setitimer(2). NULL for `value` stops the timer."""
    left = interval = 0
    if value:
        interval_s, interval_us, value_s, value_us = _ITIMERVAL.unpack(
            copy_from_user(task, value, _ITIMERVAL.size)
        )
        interval = _timeval_ns(interval_s, interval_us)
        left = _timeval_ns(value_s, value_us)
    old = _set(task, which, left, interval)
    if ovalue:
        _put_itimerval(task, ovalue, *old)
    return 0


def sys_alarm(task: Task, seconds: int) -> int:
    """alarm(2): SIGALRM in `seconds`. Returns what was left of the last one, 1 s at least."""
    left, _interval = _set(task, ITIMER_REAL, min(seconds, _INT_MAX) * NSEC_PER_SEC, 0)
    whole, rest = divmod(left, NSEC_PER_SEC)
    if (not whole and rest) or rest >= NSEC_PER_SEC // 2:
        whole += 1
    return whole


def _timeval_ns(seconds: int, microseconds: int) -> int:
    if seconds < 0 or not 0 <= microseconds < _USEC_PER_SEC:
        raise Errno(EINVAL)
    return min(seconds * NSEC_PER_SEC + microseconds * _NSEC_PER_USEC, KTIME_MAX)


def _put_itimerval(task: Task, address: int, left: int, interval: int) -> None:
    values = []
    for ns in (interval, left):
        seconds, rest = divmod(ns, NSEC_PER_SEC)
        values += [seconds, rest // _NSEC_PER_USEC]
    copy_to_user(task, address, _ITIMERVAL.pack(*values))


def _get(task: Task, which: int) -> tuple[int, int]:
    """(what is left, interval) in ns; EINVAL for a timer that does not exist."""
    signal = task.signal
    if which == ITIMER_REAL:
        real = signal.it_real
        if real is None:
            return 0, 0
        return real.left(task.kernel.clock.monotonic(), real.timer), real.interval
    if which == ITIMER_VIRTUAL:
        timer, used = signal.it_virt, thread_group_cputime(task)[0]
    elif which == ITIMER_PROF:
        timer, used = signal.it_prof, sum(thread_group_cputime(task))
    else:
        raise Errno(EINVAL)
    if timer is None:
        return 0, 0
    left = max(timer.expires - used, _NSEC_PER_USEC) if timer.expires else 0
    return left, timer.interval


def _set(task: Task, which: int, left: int, interval: int) -> tuple[int, int]:
    """Starts a timer, or stops it for `left` 0; what it was before."""
    kernel = task.kernel
    signal = task.signal
    old = _get(task, which)
    if which == ITIMER_REAL:
        real = signal.it_real
        if real is None:
            real = signal.it_real = RealTimer(task.group_leader)
        real.stop(kernel)
        real.interval = interval if left else 0
        if left:
            real.start(kernel, min(kernel.clock.monotonic() + left, KTIME_MAX))
        return old
    utime, stime = thread_group_cputime(task)
    used = utime if which == ITIMER_VIRTUAL else utime + stime
    timer = CpuTimer(used + left if left else 0, interval)
    if which == ITIMER_VIRTUAL:
        signal.it_virt = timer
    else:
        signal.it_prof = timer
    arm_cpu_timers(task)
    # Only on the way back to user mode does the CPU begin to take interrupts.
    kernel.need_resched = True
    return old


# -- what CPU time sets off ----------------------------------------------------------------------


def arm_cpu_timers(task: Task) -> None:
    """Has the CPU interrupted when `run_cpu_timers` may have something to do: call it when the task
    gets the CPU."""
    left = _cpu_time_left(task)
    if task.signal.cpu_timers:
        from emukernel.kernel.time.posix_timers import cpu_time_left

        other = cpu_time_left(task)
        if left is None or (other is not None and other < left):
            left = other
    if left is not None:
        kernel = task.kernel
        kernel.interrupts.arm(kernel.clock.monotonic() + left)


def _cpu_time_left(task: Task) -> int | None:
    """CPU time in ns until a timer or limit is reached, None if there is none."""
    signal = task.signal
    soft = task.rlimits[_RLIMIT_CPU][0]
    virt, prof = signal.it_virt, signal.it_prof
    if virt is None and prof is None and soft == _RLIM_INFINITY:
        return None
    utime, stime = thread_group_cputime(task)
    left = []
    if virt is not None and virt.expires:
        left.append(virt.expires - utime)
    if prof is not None and prof.expires:
        left.append(prof.expires - utime - stime)
    if soft != _RLIM_INFINITY:
        left.append(soft * NSEC_PER_SEC - utime - stime)
    return max(min(left), 0) if left else None


def run_cpu_timers(task: Task) -> None:
    """Fires the timers whose CPU time is used up, and RLIMIT_CPU: call it when the task's time has
    been added up."""
    signal = task.signal
    if signal.cpu_timers:
        from emukernel.kernel.time.posix_timers import run_posix_cpu_timers

        run_posix_cpu_timers(task)
    soft, hard = task.rlimits[_RLIMIT_CPU]
    virt, prof = signal.it_virt, signal.it_prof
    if virt is None and prof is None and soft == _RLIM_INFINITY:
        return
    utime, stime = thread_group_cputime(task)
    if virt is not None:
        _check_cpu_timer(task, virt, utime, SIGVTALRM)
    if prof is not None:
        _check_cpu_timer(task, prof, utime + stime, SIGPROF)
    if soft == _RLIM_INFINITY:
        return
    used = utime + stime
    if hard != _RLIM_INFINITY and used >= hard * NSEC_PER_SEC:
        send_signal(task, kernel_info(SIGKILL), True, True)
    elif used >= soft * NSEC_PER_SEC:
        send_signal(task, kernel_info(SIGXCPU), True, True)
        # Once more a second later, until the hard limit.
        task.rlimits[_RLIMIT_CPU][0] = soft + 1


def _check_cpu_timer(task: Task, timer: CpuTimer, used: int, sig: int) -> None:
    if not timer.expires or used < timer.expires:
        return
    timer.expires = timer.expires + timer.interval if timer.interval else 0
    send_signal(task, kernel_info(sig), True, True)
