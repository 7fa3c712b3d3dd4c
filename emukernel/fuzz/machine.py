"""A machine that is run again and again: it notes its system calls and stops at the fork point."""

from __future__ import annotations

import time
from _thread import get_ident, start_new_thread

from emukernel.kernel.entry import _ARGUMENTS, _MASK64, Slow, _leave_hook
from emukernel.kernel.errno import Errno
from emukernel.kernel.kernel import Halt, Kernel
from emukernel.kernel.sched.switch import make_switch
from emukernel.kernel.time.timekeeping import VIRTUAL_STEP
from emukernel.kernel.wait import Blocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.options import Options
    from emukernel.kernel.task import Task

    Call = tuple[int, int, int, int, int, int, int]
    """A system call: its number and the six argument registers."""

_RAX, _RCX, _R11, _RIP = 0, 1, 11, 16

#: How often the watchdog looks, in seconds.
_LOOK = 0.01


class Watchdog:
    """Ends runs that take too long. (How long a task may keep the CPU from others is no affair of
    the host's clock under a virtual one.)

    What `Interrupts` is to a machine that runs once, with one thread for all runs. Time is what the
    running thread has had of the host's processors: how busy the host is makes no difference.
    """

    __slots__ = ("_clock", "_closed", "_kernel", "_limit")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._closed = True
        self._clock = time.CLOCK_MONOTONIC
        self._limit = 0.0

    def start(self, timeout: float | None, signals: bool) -> None:
        """Starts the thread."""
        self._closed = False
        start_new_thread(self._watch, ())

    def close(self) -> None:
        """Stops it."""
        self._closed = True

    def begin(self, seconds: float) -> None:
        """A run begins, in this thread, that may take so long."""
        self._clock = time.pthread_getcpuclockid(get_ident())
        self._limit = time.clock_gettime(self._clock) + seconds

    def end(self) -> None:
        """The run is over."""
        self._limit = 0.0

    def _watch(self) -> None:
        cpu = self._kernel.cpu
        while not self._closed:
            time.sleep(_LOOK)
            if not self._limit:
                continue
            try:
                now = time.clock_gettime(self._clock)
            except OSError:
                # The thread has ended, and with it the run.
                continue
            if now >= self._limit:
                cpu.interrupt()

    def arm(self, deadline_ns: int) -> None:
        """Time is virtual: timers need no interrupt."""

    def arm_slice(self, length_ns: int) -> None:
        """Slices are counted in blocks of code (sched/slices)."""

    def watch_console(self) -> None:
        """There is none."""

    def pending(self) -> bool:
        """Whether the kernel's loop has something to take notice of."""
        return self.expired()

    def patient(self) -> None:
        """Nobody types."""

    def expired(self) -> bool:
        """Whether the run's time is over."""
        return bool(self._limit) and time.clock_gettime(self._clock) >= self._limit

    def has_signals(self) -> bool:
        """The host's signals are not the guest's."""
        return False

    def take_signals(self) -> list[int]:
        """None."""
        return []

    def impatient(self) -> bool:
        """Never."""
        return False

    def wait(self, readers: list[int], writers: list[int], deadline_ns: int | None) -> list[int]:
        """Nothing of the host can come. A virtual clock has not come here with a deadline."""
        self._kernel.halt(Halt("deadlock"))
        return []


class FuzzMachine(Kernel):
    """A Kernel whose calls are noted in `calls`, in order, without leaving the CPU's hook.

    `at_call(task, nr, args)`, while it is set, is asked at each call whether the machine shall
    stop before it: `halted` is then a Halt of kind "fork", RIP is behind the instruction and
    nothing has been done. `calls` has refused calls too.
    """

    def __init__(self, options: Options) -> None:
        self.calls: list[Call] = []
        self.at_call: Callable[[Task, int, tuple[int, ...]], bool] | None = None
        super().__init__(options)
        # The clock ticks in `make_entry` instead.
        self.entry_work = False
        self.watchdog = Watchdog(self)
        self.interrupts = self.watchdog  # type: ignore[assignment]
        self.enter_hooks.append(self._note)

    def _note(self, task: Task) -> None:
        """A call that went the long way and was allowed."""
        self.calls.append((task.orig_rax | (1 << 32 if task.compat else 0), *task.args))

    def make_entry(self) -> Callable[[], None]:
        cpu = self.cpu
        regs = cpu.regs
        read_flags, flags = cpu.flags_reader()
        handlers = self.handlers
        arguments = _ARGUMENTS
        stop = cpu.stop
        switch = make_switch(self)
        note = self.calls.append
        clock = self.clock

        def syscall_entry() -> None:
            nr, a2, a1, a0, a4, a5, a3 = arguments(regs)
            task = self.current
            self.syscall_count += 1
            try:
                if self.at_call is not None and self.at_call(task, nr, (a0, a1, a2, a3, a4, a5)):
                    self.halt(Halt("fork"))
                    stop()
                    return
                if self.entry_work:
                    raise Slow
                calls = task.seccomp.calls
                if calls is not None:
                    match = calls.get(nr)
                    if match is not True and (
                        match is None or not match(nr, a0, a1, a2, a3, a4, a5)
                    ):
                        raise Slow
                handler = handlers.get(nr)
                if handler is None:
                    handler = self.resolve_in_hook(nr)
                note((nr, a0, a1, a2, a3, a4, a5))
                clock._now += VIRTUAL_STEP
                result = handler(task, a0, a1, a2, a3, a4, a5)
            except Errno as error:
                result = -error.errno
                if result <= -512:
                    _leave_hook(self, task, nr, (a0, a1, a2, a3, a4, a5), error)
                    return
            except Blocked as error:
                if not switch(task, nr, (a0, a1, a2, a3, a4, a5)):
                    _leave_hook(self, task, nr, (a0, a1, a2, a3, a4, a5), error)
                return
            except BaseException as error:
                _leave_hook(self, task, nr, (a0, a1, a2, a3, a4, a5), error)
                return
            if task.call:
                task.call = {}
            read_flags()
            regs[_RAX] = result & _MASK64
            regs[_RCX] = regs[_RIP] + 2
            regs[_R11] = flags[0]
            if task.sigpending or self.need_resched:
                task.orig_rax = nr
                stop()

        return syscall_entry

