"""Timers to wait on (Linux: fs/timerfd.c; timerfd_create(2))."""

from __future__ import annotations

from emukernel.kernel.errno import EAGAIN, ECANCELED, EFAULT, EINVAL, EPERM, Errno
from emukernel.kernel.fs.anon_inodes import AnonFile, anon_inode_path
from emukernel.kernel.fs.file import O_CLOEXEC, O_NONBLOCK, O_RDWR, POLLIN
from emukernel.kernel.time.clock import (
    CLOCK_BOOTTIME,
    CLOCK_BOOTTIME_ALARM,
    CLOCK_MONOTONIC,
    CLOCK_REALTIME,
    CLOCK_REALTIME_ALARM,
)
from emukernel.kernel.time.timekeeping import (
    KTIME_MAX,
    NSEC_PER_SEC,
    get_itimerspec,
    put_itimerspec,
)
from emukernel.kernel.uaccess import get_user_u64
from emukernel.kernel.wait import WaitQueue, Watcher, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.sched.core import Timer
    from emukernel.kernel.task import Task

TFD_TIMER_ABSTIME = 1
TFD_TIMER_CANCEL_ON_SET = 2
TFD_IOC_SET_TICKS = 0x40085400

_CAP_WAKE_ALARM = 35
_ALARM = (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM)
_REALTIME = (CLOCK_REALTIME, CLOCK_REALTIME_ALARM)
_CLOCKS = (CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, *_ALARM)


class _ClockWatcher(Watcher):
    """Tells a timer that CLOCK_REALTIME was set."""

    __slots__ = ("file",)

    def __init__(self, file: TimerFile) -> None:
        self.file = file

    def notify(self, events: int) -> bool:
        self.file.clock_was_set()
        return True


class TimerFile(AnonFile):
    """A timerfd. Times in ns.

    `expires` is the moment on its clock when it fires next (0: it doesn't run), `interval` the
    period (0: once). A periodic timer that has fired rests, `expired`, until somebody looks; then
    the periods gone by are counted. `ticks` are those counted since the last read. `cancelled`:
    the clock was set, which was to be reported.
    """

    __slots__ = (
        "cancelled",
        "clockid",
        "expired",
        "expires",
        "interval",
        "kernel",
        "queue",
        "settime_flags",
        "ticks",
        "timer",
        "watcher",
    )

    def __init__(self, path: Path, flags: int, kernel: Kernel, clockid: int) -> None:
        super().__init__(path, flags)
        self.kernel = kernel
        self.clockid = clockid
        self.expires = self.interval = self.ticks = self.settime_flags = 0
        self.expired = self.cancelled = False
        self.timer: Timer | None = None
        self.watcher: _ClockWatcher | None = None
        self.queue = WaitQueue()
        if clockid in _REALTIME:
            self.watcher = _ClockWatcher(self)
            kernel.clock.was_set.watch(self.watcher)

    def release(self) -> None:
        self._stop()
        if self.watcher is not None:
            self.kernel.clock.was_set.unwatch(self.watcher)

    def now(self) -> int:
        """The time of the timer's clock."""
        clock = self.kernel.clock
        if self.clockid in _REALTIME:
            return clock.realtime()
        return clock.monotonic() if self.clockid == CLOCK_MONOTONIC else clock.boottime()

    def _start(self, expires: int) -> None:
        self.expires = expires
        left = expires - self.now()
        if expires < KTIME_MAX:
            clock = self.kernel.clock
            self.timer = self.kernel.sched.add_timer(clock.monotonic() + max(left, 0), self)

    def _stop(self) -> None:
        if self.timer is not None:
            self.kernel.sched.cancel_timer(self.timer)
            self.timer = None

    def expire(self, kernel: Kernel) -> None:
        """The scheduler says that the moment has come."""
        self.timer = None
        self.expired = True
        self.ticks += 1
        self.queue.wake_up(0, POLLIN)

    def clock_was_set(self) -> None:
        """CLOCK_REALTIME jumped: the moment comes sooner or later, or the timer is cancelled."""
        if self.timer is not None:
            self._stop()
            self._start(self.expires)
        wanted = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET
        if self.settime_flags & wanted == wanted:
            self.cancelled = True
            self.ticks += 1
            self.queue.wake_up(0, POLLIN)

    def _forward(self) -> None:
        """A periodic timer that has fired goes on; the periods gone by are ticks."""
        if self.expired and self.interval:
            periods = max((self.now() - self.expires) // self.interval + 1, 1)
            self.ticks += periods - 1
            self.expired = False
            self._start(self.expires + periods * self.interval)

    def setting(self) -> tuple[int, int]:
        """(what is left, interval)."""
        self._forward()
        left = max(self.expires - self.now(), 0) if self.timer or self.expires == KTIME_MAX else 0
        return left, self.interval

    def settime(self, flags: int, value: int, interval: int) -> None:
        """Sets the timer; a value of 0 stops it."""
        self._stop()
        self.settime_flags = flags
        self.expired = self.cancelled = False
        self.ticks = self.expires = 0
        self.interval = interval
        if value:
            if not flags & TFD_TIMER_ABSTIME:
                value = min(self.now() + value, KTIME_MAX)
            self._start(value)
            if value <= self.now() and self.timer is not None:
                self._stop()
                self.expire(self.kernel)

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        if it.count < 8:
            raise Errno(EINVAL)
        if not self.ticks:
            if self.flags & O_NONBLOCK:
                raise Errno(EAGAIN)
            wait_on(task, self.queue)
        if self.cancelled:
            self.cancelled = self.expired = False
            self.ticks = 0
            raise Errno(ECANCELED)
        self._forward()
        ticks = self.ticks
        self.expired = False
        self.ticks = 0
        if it.copy_to_iter(ticks.to_bytes(8, "little")) < 8:
            raise Errno(EFAULT)
        return 8

    def poll(self, task: Task) -> int:
        return POLLIN if self.ticks else 0

    def poll_queues(self, events: int) -> list[Any]:
        return [self.queue]

    def ioctl(self, task: Task, cmd: int, arg: int) -> int:
        if cmd != TFD_IOC_SET_TICKS:
            return super().ioctl(task, cmd, arg)
        ticks = get_user_u64(task, arg)
        if not ticks:
            raise Errno(EINVAL)
        if self.cancelled:
            self.cancelled = False
            raise Errno(ECANCELED)
        self.ticks = ticks
        self.queue.wake_up(0, POLLIN)
        return 0

    def fdinfo(self) -> str:
        left = max(self.expires - self.now(), 0) if self.timer else 0
        return (
            f"clockid: {self.clockid}\nticks: {self.ticks}\n"
            f"settime flags: 0{self.settime_flags:o}\n"
            f"it_value: ({left // NSEC_PER_SEC}, {left % NSEC_PER_SEC})\n"
            f"it_interval: ({self.interval // NSEC_PER_SEC}, {self.interval % NSEC_PER_SEC})\n"
        )


def sys_timerfd_create(task: Task, clockid: int, flags: int) -> int:
    """timerfd_create(2)"""
    if flags & ~(O_CLOEXEC | O_NONBLOCK) or clockid not in _CLOCKS:
        raise Errno(EINVAL)
    if clockid in _ALARM and not task.cred.capable(_CAP_WAKE_ALARM):
        raise Errno(EPERM)
    path = anon_inode_path(task.kernel, b"[timerfd]")
    file = TimerFile(path, O_RDWR | flags & O_NONBLOCK, task.kernel, clockid)
    return task.files.add(task, file, bool(flags & O_CLOEXEC))


def _timerfd(task: Task, ufd: int) -> TimerFile:
    file = task.files.get(ufd)
    if not isinstance(file, TimerFile):
        raise Errno(EINVAL)
    return file


def sys_timerfd_settime(task: Task, ufd: int, flags: int, utmr: int, otmr: int) -> int:
    """timerfd_settime(2)"""
    value, interval = get_itimerspec(task, utmr)
    if flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET):
        raise Errno(EINVAL)
    file = _timerfd(task, ufd)
    if file.clockid in _ALARM and not task.cred.capable(_CAP_WAKE_ALARM):
        raise Errno(EPERM)
    old = file.setting()
    file.settime(flags, value, interval)
    if otmr:
        put_itimerspec(task, otmr, *old)
    return 0


def sys_timerfd_gettime(task: Task, ufd: int, otmr: int) -> int:
    """timerfd_gettime(2)"""
    put_itimerspec(task, otmr, *_timerfd(task, ufd).setting())
    return 0
