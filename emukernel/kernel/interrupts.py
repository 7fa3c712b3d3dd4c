"""What reaches the emulated machine from the host: time, signals, readiness of descriptors.

One host thread sleeps until the next moment of interest (a timer, the end of a time slice, the
wall-clock limit) or until a host signal has come, and then interrupts the CPU. It repeats that
until the kernel's loop has taken notice, so that no interrupt is lost between two runs.
"""

from __future__ import annotations

import os
import select
import signal
import time
from _thread import start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from emukernel.kernel.kernel import Kernel

    Handler = Callable[[int, FrameType | None], object] | int | None

#: Host signals that are passed on to the guest.
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
#: A guest that does not end at Ctrl-C is ended with the machine at the third within this time.
_IMPATIENCE_NS = 2_000_000_000
_REPEAT = 0.005


class Interrupts:
    """The link between the host's events and one kernel's CPU."""

    __slots__ = (
        "_closed",
        "_console_told",
        "_deadline",
        "_handlers",
        "_idle_read",
        "_idle_write",
        "_interrupts",
        "_kernel",
        "_limit",
        "_old_wakeup",
        "_pending",
        "_read",
        "_slice",
        "_write",
    )

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._deadline = 0.0
        self._limit = 0.0
        self._slice = 0.0
        self._pending: list[int] = []
        self._console_told = False
        self._interrupts: list[float] = []
        self._handlers: list[tuple[int, Handler]] = []
        self._read = self._write = self._idle_read = self._idle_write = -1
        self._old_wakeup = -1
        self._closed = True

    # -- life --------------------------------------------------------------------------------

    def start(self, timeout: float | None, signals: bool) -> None:
        """Starts the thread; `timeout` is the wall-clock limit in seconds.

        `signals` makes this process's signals the guest's: only the main thread may ask for it.
        """
        self._deadline = self._slice = 0.0
        self._limit = time.monotonic() + timeout if timeout is not None else 0.0
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._idle_read, self._idle_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._closed = False
        if signals:
            numbers: tuple[signal.Signals, ...] = FORWARDED
            console = self._kernel.console
            if console is not None:
                from emukernel.kernel.tty.console import SIGNALS

                numbers += SIGNALS
                console.hooked = True
            for number in numbers:
                if signal.getsignal(number) is signal.SIG_IGN:
                    continue
                self._handlers.append((number, signal.signal(number, self._host_signal)))
            self._old_wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        start_new_thread(self._watch, (self._read, self._write))

    def close(self) -> None:
        """Stops the thread and gives the host's signals back."""
        if self._closed:
            return
        self._closed = True
        if self._handlers:
            signal.set_wakeup_fd(self._old_wakeup)
            for number, handler in self._handlers:
                signal.signal(number, handler)
            self._handlers.clear()
            if self._kernel.console is not None:
                self._kernel.console.hooked = False
        self._kick(self._write)
        # The thread closes its pipe: it may still be looking at it.
        os.close(self._idle_read)
        os.close(self._idle_write)

    def _host_signal(self, number: int, _frame: object) -> None:
        self._pending.append(number)
        self._kick(self._idle_write)

    @staticmethod
    def _kick(fd: int) -> None:
        try:
            os.write(fd, b"\0")
        except OSError:
            return

    # -- the thread --------------------------------------------------------------------------

    def _watch(self, read: int, write: int) -> None:
        """The thread of one `start`: after another one there is another pipe."""
        cpu = self._kernel.cpu
        console = self._kernel.console
        while not self._closed and read == self._read:
            now = time.monotonic()
            moments = [moment for moment in (self._deadline, self._slice, self._limit) if moment]
            wait = max(min(moments) - now, 0.0) if moments else None
            readers, writers = [read], []
            if console is not None and not self._console_told:
                if console.watching:
                    readers.append(console.fd)
                if console.blocked:
                    writers.append(console.out_fd)
            try:
                ready, ready_out, _ = select.select(readers, writers, [], wait)
            except OSError:
                break
            due = False
            if read in ready:
                ready.remove(read)
                # The byte of a host signal is its number, that of a new deadline is 0.
                due = bool(os.read(read, 4096).strip(b"\0"))
            if ready or ready_out:
                # It is the kernel that looks at the console, and says when to watch it again.
                self._console_told = due = True
            if self._closed or read != self._read:
                break
            now = time.monotonic()
            if self._slice and now >= self._slice:
                self._slice = 0.0
                due = True
            if self._deadline and now >= self._deadline:
                self._deadline = 0.0
                due = True
            if self._limit and now >= self._limit:
                due = True
            if due:
                cpu.interrupt()
                while cpu.interrupted and not self._closed:
                    time.sleep(_REPEAT)
                    if cpu.interrupted and not self._closed:
                        cpu.interrupt()
                if self._limit and now >= self._limit:
                    # The kernel knows by now; it must not be told for ever.
                    time.sleep(_REPEAT)
        os.close(read)
        os.close(write)

    # -- for the kernel ----------------------------------------------------------------------

    def arm(self, deadline_ns: int) -> None:
        """Interrupts the CPU at a moment of the kernel's monotonic clock, if none is nearer.

        A virtual clock has moments of its own: the host's would make a run depend on the host.
        """
        if self._closed or self._kernel.clock.virtual:
            return
        moment = time.monotonic() + max(deadline_ns - self._kernel.clock.monotonic(), 0) / 1e9
        if not self._deadline or moment < self._deadline:
            self._deadline = moment
            self._kick(self._write)

    def arm_slice(self, length_ns: int) -> None:
        """Interrupts the CPU some time soon, so that a task can't keep it from the others."""
        if not self._slice and not self._closed and not self._kernel.clock.virtual:
            self._slice = time.monotonic() + length_ns / 1e9
            self._kick(self._write)

    def watch_console(self) -> None:
        """The console has to be watched, perhaps for something else than before."""
        self._console_told = False
        if not self._closed:
            self._kick(self._write)

    def expired(self) -> bool:
        """Whether the wall-clock limit has passed."""
        return bool(self._limit) and time.monotonic() >= self._limit

    def pending(self) -> bool:
        """Whether the kernel's loop has something to take notice of."""
        return bool(self._pending) or self.expired()

    def has_signals(self) -> bool:
        """Whether host signals wait to be taken."""
        return bool(self._pending)

    def take_signals(self) -> list[int]:
        """The host signals that have come since the last call."""
        taken, self._pending = self._pending, []
        return taken

    def impatient(self) -> bool:
        """Notes a Ctrl-C; true at the third within two seconds."""
        now = time.monotonic()
        self._interrupts = [at for at in self._interrupts if now - at < _IMPATIENCE_NS / 1e9]
        self._interrupts.append(now)
        return len(self._interrupts) >= 3

    def patient(self) -> None:
        """The guest looks at what is typed."""
        self._interrupts.clear()

    def wait(self, readers: list[int], writers: list[int], deadline_ns: int | None) -> list[int]:
        """Sleeps until a host descriptor is ready, a signal has come or the deadline passed."""
        timeouts = []
        if deadline_ns is not None:
            timeouts.append(max(deadline_ns - self._kernel.clock.monotonic(), 0) / 1e9)
        if self._limit:
            timeouts.append(max(self._limit - time.monotonic(), 0.0))
        timeout = min(timeouts) if timeouts else None
        ready_in, ready_out, _ = select.select([*readers, self._idle_read], writers, [], timeout)
        if self._idle_read in ready_in:
            ready_in.remove(self._idle_read)
            os.read(self._idle_read, 4096)
        return ready_in + ready_out
