"""Timers that a program makes: timer_create(2) and its kind (kernel/time/posix-timers.c,
posix-cpu-timers.c).

A timer runs on a clock, or on the CPU time of a thread or a process. When it expires its signal is
queued, and it rests: a periodic one goes on when the signal is taken, and the periods that have
gone by meanwhile are the overrun. So a timer has one signal pending at the most, and one that
nobody takes costs nothing.

`signal_seq` counts what makes a pending signal stale (timer_settime, timer_delete): a stale one is
dropped when it is taken. The signal of a periodic timer that the process ignores is kept aside
until there is an action for it.
"""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.errno import EAGAIN, EINVAL, EOPNOTSUPP, ESRCH, Errno
from emukernel.kernel.signal.numbers import NSIG, SI_TIMER, SIGALRM
from emukernel.kernel.signal.pending import charge, recalc_sigpending, uncharge
from emukernel.kernel.signal.send import send_sigqueue
from emukernel.kernel.signal.siginfo import SigInfo, value_info
from emukernel.kernel.task import DEAD, Task
from emukernel.kernel.time.clock import (
    CLOCK_BOOTTIME,
    CLOCK_MONOTONIC,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_REALTIME,
    CLOCK_REALTIME_ALARM,
    CLOCK_TAI,
    CLOCK_THREAD_CPUTIME_ID,
    CLOCKFD,
    CPUCLOCK_VIRT,
    cpu_clock_task,
    read_clock,
)
from emukernel.kernel.time.timekeeping import (
    KTIME_MAX,
    get_itimerspec,
    put_itimerspec,
    task_cputime,
    thread_group_cputime,
)
from emukernel.kernel.uaccess import copy_from_user, put_user_u32
from emukernel.kernel.wait import Watcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.sched.core import Timer

SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID = 0, 1, 2, 4
TIMER_ABSTIME = 1

_INT_MAX = (1 << 31) - 1
_CLOCKS = (CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI)
_CAN_BE_SET = (CLOCK_REALTIME, CLOCK_TAI)
_SIGEVENT_SIZE = 64
_SIGEVENT = Struct("<Qiii")  # sigev_value sigev_signo sigev_notify, _tid


class TimerSignal(SigInfo):
    """The signal of a timer in a queue; `seq` tells whether it is still meant."""

    __slots__ = ("seq", "timer")

    def __init__(self, timer: PosixTimer) -> None:
        super().__init__(timer.signo, SI_TIMER)
        self.timer: PosixTimer = timer
        self.seq = timer.signal_seq

    def dequeued(self) -> None:
        """It is in no queue any more."""
        self.timer.queued = None

    def ignored(self) -> None:
        """It was dropped because there is no action for it: a periodic timer keeps it aside."""
        timer = self.timer
        if self.seq == timer.signal_seq and timer.interval:
            timer.ignored = True

    def deliver(self) -> SigInfo | None:
        """It is taken: what to tell the program, None for a stale one. The timer goes on."""
        timer = self.timer
        if self.seq != timer.signal_seq:
            return None
        overrun = timer.rearm() if timer.interval else 0
        return value_info(self.signo, SI_TIMER, timer.id, overrun, timer.value)


class _ClockWatcher(Watcher):
    """Tells a timer that CLOCK_REALTIME was set."""

    __slots__ = ("timer",)

    def __init__(self, timer: ClockTimer) -> None:
        self.timer = timer

    def notify(self, events: int) -> bool:
        self.timer.clock_was_set()
        return True


class PosixTimer:
    """One timer (struct k_itimer). Times in ns, moments on its own clock.

    `expires` is the next moment, `interval` the period (0: once), `armed` whether it runs.
    `target` takes the signal: that thread alone, or with `group` its process. `uid` is whose
    RLIMIT_SIGPENDING pays.
    """

    __slots__ = (
        "armed",
        "clock_id",
        "expires",
        "group",
        "id",
        "ignored",
        "interval",
        "kernel",
        "notify",
        "overrun",
        "overrun_last",
        "queued",
        "signal_seq",
        "signo",
        "target",
        "uid",
        "value",
    )

    def __init__(self, task: Task, id: int, clock_id: int, uid: int) -> None:
        self.kernel = task.kernel
        self.id = id
        self.clock_id = clock_id
        self.uid = uid
        self.target = task.group_leader
        self.group = True
        self.notify = SIGEV_SIGNAL
        self.signo = SIGALRM
        self.value = id
        self.expires = self.interval = 0
        self.armed = False
        self.overrun = -1
        self.overrun_last = 0
        self.signal_seq = 0
        self.queued: TimerSignal | None = None
        self.ignored = False

    # What depends on the kind of clock.

    def now(self) -> int:
        """The time of the timer's clock."""
        raise NotImplementedError

    def start(self) -> None:
        """Runs until `expires`."""
        raise NotImplementedError

    def stop(self) -> None:
        """Runs no more."""
        raise NotImplementedError

    def setting(self) -> tuple[int, int]:
        """(what is left, interval)."""
        raise NotImplementedError

    def settime(self, absolute: bool, value: int, interval: int) -> None:
        """Sets the timer; a value of 0 stops it. Errno(ESRCH): whose CPU time it is has ended."""
        raise NotImplementedError

    # What all have in common.

    def set_common(self, value: int, interval: int) -> None:
        """What every new setting starts from."""
        self.interval = interval if value else 0
        self.overrun = -1
        self.overrun_last = 0

    def forward(self, now: int) -> int:
        """Moves `expires` beyond `now` by whole periods; how many."""
        if now < self.expires:
            return 0
        periods = (now - self.expires) // self.interval + 1
        self.expires = min(self.expires + periods * self.interval, KTIME_MAX)
        return periods

    def fire(self) -> None:
        """It has expired: sends its signal."""
        self.armed = False
        if self.target.state == DEAD:
            return
        info = self.queued
        if info is not None:
            # One that had become stale counts again.
            info.seq = self.signal_seq
            return
        info = self.queued = TimerSignal(self)
        if not send_sigqueue(self.target, info, self.group):
            self.queued = None
            info.ignored()

    def rearm(self) -> int:
        """A periodic timer goes on; the overrun since its signal was sent."""
        self.overrun += self.forward(self.now())
        self.start()
        self.overrun_last = self.overrun
        self.overrun = -1
        self.signal_seq += 1
        return self.last_overrun()

    def last_overrun(self) -> int:
        """timer_getoverrun(2)."""
        return min(self.overrun_last, _INT_MAX)

    def unignored(self) -> None:
        """There is an action now for the signal that was kept aside."""
        self.ignored = False
        self.fire()

    def delete(self) -> None:
        """The timer is no more; a signal of it in a queue is stale."""
        self.signal_seq += 1
        self.stop()
        self.interval = 0
        self.ignored = False
        uncharge(self.kernel, self.uid)


class ClockTimer(PosixTimer):
    """A timer on a clock that always runs. `timer` is the scheduler's while it is armed.

    `base` is the clock that `expires` is on: for a span of CLOCK_REALTIME the monotonic one.
    """

    __slots__ = ("base", "timer", "watcher")

    def __init__(self, task: Task, id: int, clock_id: int, uid: int) -> None:
        super().__init__(task, id, clock_id, uid)
        self.base = clock_id
        self.timer: Timer | None = None
        self.watcher: _ClockWatcher | None = None

    def now(self) -> int:
        return read_clock(self.target, self.base)

    def start(self) -> None:
        self.armed = True
        kernel = self.kernel
        if self.base in _CAN_BE_SET and self.watcher is None:
            self.watcher = _ClockWatcher(self)
            kernel.clock.was_set.watch(self.watcher)
        if self.expires < KTIME_MAX:
            left = max(self.expires - self.now(), 0)
            self.timer = kernel.sched.add_timer(kernel.clock.monotonic() + left, self)

    def stop(self) -> None:
        self.armed = False
        if self.timer is not None:
            self.kernel.sched.cancel_timer(self.timer)
            self.timer = None
        if self.watcher is not None:
            self.kernel.clock.was_set.unwatch(self.watcher)
            self.watcher = None

    def clock_was_set(self) -> None:
        """The moment comes sooner or later than it seemed."""
        if self.armed:
            self.stop()
            self.start()

    def expire(self, kernel: Kernel) -> None:
        """The scheduler says that the moment has come."""
        self.timer = None
        self.stop()
        self.fire()

    def setting(self) -> tuple[int, int]:
        silent = self.notify == SIGEV_NONE
        interval = self.interval
        if not interval and not self.armed and not silent:
            return 0, 0
        now = self.now()
        if interval and not self.armed:
            self.overrun += self.forward(now)
        left = self.expires - now
        if left <= 0:
            left = 0 if silent else 1
        return left, interval

    def settime(self, absolute: bool, value: int, interval: int) -> None:
        self.stop()
        self.set_common(value, interval)
        if not value:
            # `expires` stays, and a timer that tells nobody goes on showing it.
            return
        self.base = self.clock_id
        if self.clock_id == CLOCK_REALTIME and not absolute:
            self.base = CLOCK_MONOTONIC
        self.expires = value if absolute else min(self.now() + value, KTIME_MAX)
        if self.notify != SIGEV_NONE:
            self.start()


class CpuTimer(PosixTimer):
    """A timer on the CPU time of a thread or a process: `owner`, with `per_thread` of it alone.

    While it is armed it stands in `owner.signal.cpu_timers`; `expires` is 0 when it isn't set.
    """

    __slots__ = ("owner", "per_thread")

    def __init__(self, task: Task, id: int, clock_id: int, uid: int) -> None:
        super().__init__(task, id, clock_id, uid)
        if clock_id == CLOCK_PROCESS_CPUTIME_ID:
            self.owner, self.per_thread = task.group_leader, False
        elif clock_id == CLOCK_THREAD_CPUTIME_ID:
            self.owner, self.per_thread = task, True
        else:
            self.owner, self.per_thread = cpu_clock_task(task, clock_id)
            if not self.per_thread:
                if self.owner.pid != self.owner.tgid and clock_id >> 3 != ~0:
                    raise Errno(EINVAL)
                self.owner = self.owner.group_leader

    def now(self) -> int:
        times = task_cputime if self.per_thread else thread_group_cputime
        utime, stime = times(self.owner)
        virtual = self.clock_id < 0 and self.clock_id & 3 == CPUCLOCK_VIRT
        return utime if virtual else utime + stime

    def start(self) -> None:
        from emukernel.kernel.time.itimer import arm_cpu_timers

        self.armed = True
        self.owner.signal.cpu_timers.append(self)
        current = self.kernel.current
        if current.signal is self.owner.signal:
            arm_cpu_timers(current)

    def stop(self) -> None:
        if self.armed:
            self.armed = False
            self.owner.signal.cpu_timers.remove(self)

    def expire(self) -> None:
        """The CPU time is used up."""
        self.stop()
        self.fire()
        if not self.interval:
            self.expires = 0

    def setting(self) -> tuple[int, int]:
        if not self.expires or self.owner.state == DEAD:
            return 0, 0
        now = self.now()
        if self.interval and not self.armed:
            self.overrun += self.forward(now)
        left = self.expires - now
        if left <= 0:
            left = 0 if self.notify == SIGEV_NONE else 1
        return left, self.interval

    def settime(self, absolute: bool, value: int, interval: int) -> None:
        if self.owner.state == DEAD:
            raise Errno(ESRCH)
        self.stop()
        now = self.now()
        self.expires = value if absolute or not value else min(value + now, KTIME_MAX)
        self.set_common(value, interval)
        if not value or self.notify == SIGEV_NONE:
            return
        if now < self.expires:
            self.start()
        else:
            self.expire()


def cpu_time_left(task: Task) -> int | None:
    """CPU time in ns until a timer on the time of `task` or its process expires; None: never."""
    left = [
        timer.expires - timer.now()
        for timer in task.signal.cpu_timers
        if not timer.per_thread or timer.owner is task
    ]
    return max(min(left), 0) if left else None


def run_posix_cpu_timers(task: Task) -> None:
    """Lets the timers expire whose CPU time is used up."""
    for timer in list(task.signal.cpu_timers):
        if timer.armed and timer.now() >= timer.expires:
            timer.expire()


def exit_itimers(task: Task) -> None:
    """Deletes all timers of a process that ends or execs."""
    timers = task.signal.posix_timers
    for timer in timers.values():
        timer.delete()
    timers.clear()


def flush_itimer_signals(task: Task) -> None:
    """At exec: drops the signals of the timers that were."""
    for pending in (task.pending, task.signal.shared_pending):
        kept = [entry for entry in pending.queue if entry[0].timer is None]
        if len(kept) == len(pending.queue):
            continue
        signals = {info.signo for info, _uid in pending.queue if info.timer is not None}
        pending.queue = kept
        for sig in signals - {info.signo for info, _uid in kept}:
            pending.signal &= ~(1 << (sig - 1))
    recalc_sigpending(task)


def sig_unignore(task: Task, sig: int) -> None:
    """`sig` is not ignored any more: sends those signals of timers that were kept aside."""
    for timer in task.signal.posix_timers.values():
        if timer.ignored and timer.signo == sig:
            timer.unignored()


# -- system calls --------------------------------------------------------------------------------


def _timer_class(clock_id: int) -> type[ClockTimer | CpuTimer]:
    """The kind of timer for a clock. Errno: EINVAL, no such clock; EOPNOTSUPP, not for timers.

    The alarm clocks need a real-time clock that could wake the machine, and there is none.
    """
    if clock_id in _CLOCKS:
        return ClockTimer
    if clock_id < 0:
        if clock_id & 7 == CLOCKFD:
            raise Errno(EOPNOTSUPP)
        return CpuTimer
    if clock_id in (CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID):
        return CpuTimer
    if clock_id <= CLOCK_REALTIME_ALARM + 1:
        raise Errno(EOPNOTSUPP)
    raise Errno(EINVAL)


def get_sigevent(task: Task, address: int) -> tuple[int, int, int, int]:
    """A struct sigevent: value, signal, how to notify, thread id. Errno(EFAULT)."""
    value, signo, notify, tid = _SIGEVENT.unpack_from(
        copy_from_user(task, address, _SIGEVENT_SIZE)
    )
    return value, signo, notify, tid


def _event_target(task: Task, event: tuple[int, int, int, int]) -> Task | None:
    """The thread that an event is for, None for the process (good_sigevent). Errno(EINVAL)."""
    _value, signo, notify, tid = event
    target = None
    if notify == SIGEV_SIGNAL | SIGEV_THREAD_ID:
        target = task.kernel.tasks.get(tid)
        if target is None or target.tgid != task.tgid:
            raise Errno(EINVAL)
    elif notify not in (SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD):
        raise Errno(EINVAL)
    if notify != SIGEV_NONE and not 0 < signo <= NSIG:
        raise Errno(EINVAL)
    return target


def sys_timer_create(
    task: Task, which_clock: int, timer_event_spec: int, created_timer_id: int
) -> int:
    """timer_create(2)."""
    event = get_sigevent(task, timer_event_spec) if timer_event_spec else None
    kind = _timer_class(which_clock)
    signal = task.signal
    uid = charge(task, False)
    if uid is None:
        raise Errno(EAGAIN)
    try:
        number = signal.next_posix_timer_id
        while number in signal.posix_timers:
            number = number + 1 & _INT_MAX
        signal.next_posix_timer_id = number + 1 & _INT_MAX
        target = None if event is None else _event_target(task, event)
        put_user_u32(task, created_timer_id, number)
        timer = kind(task, number, which_clock, uid)
        if event is not None:
            timer.value, timer.signo, timer.notify, _tid = event
        if target is not None:
            timer.target, timer.group = target, False
    except Errno:
        uncharge(task.kernel, uid)
        raise
    signal.posix_timers[number] = timer
    return 0


def _timer(task: Task, timer_id: int) -> ClockTimer | CpuTimer:
    timer = task.signal.posix_timers.get(timer_id)
    if timer is None:
        raise Errno(EINVAL)
    return timer


def sys_timer_settime(
    task: Task, timer_id: int, flags: int, new_setting: int, old_setting: int
) -> int:
    """timer_settime(2). Flags but TIMER_ABSTIME are ignored, as in Linux."""
    if not new_setting:
        raise Errno(EINVAL)
    value, interval = get_itimerspec(task, new_setting)
    timer = _timer(task, timer_id)
    old = timer.setting()
    timer.signal_seq += 1
    timer.ignored = False
    timer.settime(bool(flags & TIMER_ABSTIME), value, interval)
    if old_setting:
        put_itimerspec(task, old_setting, *old)
    return 0


def sys_timer_gettime(task: Task, timer_id: int, setting: int) -> int:
    """timer_gettime(2)."""
    put_itimerspec(task, setting, *_timer(task, timer_id).setting())
    return 0


def sys_timer_getoverrun(task: Task, timer_id: int) -> int:
    """timer_getoverrun(2): of the signal that was taken last."""
    return _timer(task, timer_id).last_overrun()


def sys_timer_delete(task: Task, timer_id: int) -> int:
    """timer_delete(2)."""
    _timer(task, timer_id).delete()
    del task.signal.posix_timers[timer_id]
    return 0
