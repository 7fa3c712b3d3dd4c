"""The machine's clocks (kernel/time/timekeeping.c), and the time that tasks have used.

All times are int nanoseconds. CLOCK_MONOTONIC starts at 0 when the machine boots. With
`virtual` no host clock is looked at: time stands still but for `tick`, `advance` and `advance_to`,
so that a run is a function of its inputs (calls, blocks of code run, everybody asleep).
"""

from __future__ import annotations

from struct import Struct
from time import CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW, clock_gettime_ns, monotonic_ns, time_ns

from emukernel.kernel.errno import EINVAL, Errno
from emukernel.kernel.uaccess import copy_from_user, copy_to_user
from emukernel.kernel.wait import WaitQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

NSEC_PER_SEC = 1_000_000_000
HZ = 250
TICK_NSEC = NSEC_PER_SEC // HZ
"""A jiffy: what the coarse clocks, and CPU clocks other than the scheduler's, resolve."""

USER_HZ = 100
"""sysconf(_SC_CLK_TCK): the unit of clock_t in the kernel's interface."""

KTIME_MAX = (1 << 63) - 1
KTIME_SEC_MAX = KTIME_MAX // NSEC_PER_SEC
SETTOD_SEC_MAX = KTIME_SEC_MAX - 30 * 365 * 24 * 3600
"""No clock can be set later than this: 30 years of uptime must still fit in 63 bits of ns."""

VIRTUAL_EPOCH = 1_303_948_800 * NSEC_PER_SEC
"""CLOCK_REALTIME when a virtual clock starts: 28 April 2011, 00:00 UTC."""

VIRTUAL_BOOT = 100_000_000
"""CLOCK_MONOTONIC when a virtual clock starts: as if booting had taken a while."""

VIRTUAL_STEP = 1_000
"""What `tick` adds to a virtual clock."""

_TIMESPEC = Struct("<qq")
_ITIMERSPEC = Struct("<qqqq")


class Clock:
    """The clocks of one machine; plain data.

    `was_set` is woken when CLOCK_REALTIME is set: those who sleep until a moment of it look again.
    `timezone` is what settimeofday(2) was told: minutes west of Greenwich, kind of summer time.
    `slice_start` is the `cpu_ns` at which the current task was last given the CPU, or 0.
    """

    __slots__ = (
        "_boot",
        "_boot_boottime",
        "_boot_raw",
        "_now",
        "_offset",
        "slice_start",
        "tai_offset",
        "timezone",
        "timezone_set",
        "virtual",
        "was_set",
    )

    def __init__(self, virtual: bool = False) -> None:
        self.virtual = virtual
        self._now = VIRTUAL_BOOT
        self._offset = VIRTUAL_EPOCH - VIRTUAL_BOOT if virtual else 0
        self._boot = self._boot_raw = self._boot_boottime = 0
        if not virtual:
            self._boot = monotonic_ns()
            self._boot_raw = clock_gettime_ns(CLOCK_MONOTONIC_RAW)
            self._boot_boottime = clock_gettime_ns(CLOCK_BOOTTIME)
        self.tai_offset = 0
        self.timezone = (0, 0)
        self.timezone_set = False
        self.slice_start = 0
        self.was_set = WaitQueue()

    # -- reading -----------------------------------------------------------------------------

    def monotonic(self) -> int:
        """CLOCK_MONOTONIC: time since boot that nobody can set."""
        if self.virtual:
            return self._now
        return monotonic_ns() - self._boot

    def monotonic_raw(self) -> int:
        """CLOCK_MONOTONIC_RAW: the same without the host's rate corrections."""
        if self.virtual:
            return self._now
        return clock_gettime_ns(CLOCK_MONOTONIC_RAW) - self._boot_raw

    def boottime(self) -> int:
        """CLOCK_BOOTTIME: time since boot, with the time that the host slept."""
        if self.virtual:
            return self._now
        return clock_gettime_ns(CLOCK_BOOTTIME) - self._boot_boottime

    def realtime(self) -> int:
        """CLOCK_REALTIME: ns since 1970."""
        if self.virtual:
            return self._now + self._offset
        return time_ns() + self._offset

    def monotonic_coarse(self) -> int:
        """CLOCK_MONOTONIC_COARSE: the last tick."""
        now = self.monotonic()
        return now - now % TICK_NSEC

    def realtime_coarse(self) -> int:
        """CLOCK_REALTIME_COARSE: CLOCK_REALTIME at the last tick."""
        now = self.realtime()
        return now - now % TICK_NSEC

    def tai(self) -> int:
        """CLOCK_TAI: without leap seconds, once somebody has told how many there were."""
        return self.realtime() + self.tai_offset * NSEC_PER_SEC

    # -- setting and moving ------------------------------------------------------------------

    def set_realtime(self, ns: int) -> None:
        """Sets CLOCK_REALTIME of the emulated machine; the host's is left alone."""
        self._offset += ns - self.realtime()
        self.was_set.wake_up()

    def tick(self) -> None:
        """A virtual clock goes on by one step; a real one does so by itself."""
        if self.virtual:
            self._now += VIRTUAL_STEP

    def advance(self, ns: int) -> None:
        """A virtual clock goes on by `ns`."""
        if self.virtual:
            self._now += ns

    def advance_to(self, monotonic: int) -> None:
        """A virtual clock jumps to a moment of CLOCK_MONOTONIC, never back: everybody sleeps."""
        if self.virtual and monotonic > self._now:
            self._now = monotonic

    # -- what tasks use ----------------------------------------------------------------------

    def cpu_ns(self) -> int:
        """The emulated CPU's own time, to take differences of."""
        return self._now if self.virtual else monotonic_ns()

    def start_slice(self) -> None:
        """The current task gets the CPU."""
        self.slice_start = self.cpu_ns()

    def charge(self, task: Task, *, system: bool = False) -> None:
        """Adds to a task's time what it used since `start_slice` or the last charge.

        The slice goes on; `end_slice` ends it. Outside a slice nothing happens.
        """
        start = self.slice_start
        if start:
            now = self.cpu_ns()
            self.slice_start = now
            if system:
                task.stime_ns += now - start
            else:
                task.utime_ns += now - start

    def end_slice(self, task: Task) -> None:
        """The current task loses the CPU."""
        self.charge(task)
        self.slice_start = 0


def task_cputime(task: Task) -> tuple[int, int]:
    """User and system time of one thread up to now."""
    if task.kernel.current is task:
        task.kernel.clock.charge(task)
    return task.utime_ns, task.stime_ns


def thread_group_cputime(task: Task) -> tuple[int, int]:
    """User and system time of a task's process: its threads, and those that have ended."""
    exited = task.signal.exited
    utime, stime = exited.utime_ns, exited.stime_ns
    for thread in task.thread_group:
        user, system = task_cputime(thread)
        utime += user
        stime += system
    return utime, stime


# struct __kernel_timespec and __kernel_itimerspec in user memory


def get_timespec(task: Task, address: int) -> int:
    """A span of time, or a moment, in ns; at most KTIME_MAX. Errno(EFAULT or EINVAL)."""
    return _timespec_to_ns(*_TIMESPEC.unpack(copy_from_user(task, address, _TIMESPEC.size)))


def put_timespec(task: Task, address: int, ns: int) -> None:
    """Writes a struct __kernel_timespec; Errno(EFAULT)."""
    copy_to_user(task, address, _TIMESPEC.pack(*divmod(ns, NSEC_PER_SEC)))


def get_itimerspec(task: Task, address: int) -> tuple[int, int]:
    """(value, interval) of a timer, in ns; at most KTIME_MAX each. Errno(EFAULT or EINVAL)."""
    fields = _ITIMERSPEC.unpack(copy_from_user(task, address, _ITIMERSPEC.size))
    return _timespec_to_ns(*fields[2:]), _timespec_to_ns(*fields[:2])


def put_itimerspec(task: Task, address: int, value: int, interval: int) -> None:
    """Writes a struct __kernel_itimerspec; Errno(EFAULT)."""
    fields = (*divmod(interval, NSEC_PER_SEC), *divmod(value, NSEC_PER_SEC))
    copy_to_user(task, address, _ITIMERSPEC.pack(*fields))


def _timespec_to_ns(sec: int, nsec: int) -> int:
    if sec < 0 or not 0 <= nsec < NSEC_PER_SEC:
        raise Errno(EINVAL)
    return min(sec * NSEC_PER_SEC + nsec, KTIME_MAX)
