"""The console: the guest's standard streams where they are the host's terminal.

While the guest runs, the host's terminal is raw, and keys, echo and job control are this kernel's
(`attach`). Whenever it does not run (its end, a stop of emukernel itself) the terminal is as it was
found (`detach`). Started in the background emukernel leaves the terminal alone until it is brought
to the foreground.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import termios as host

from emukernel.kernel.errno import EIO, Errno
from emukernel.kernel.fs.inode import makedev
from emukernel.kernel.tty.termios import TERMIOS_SIZE, Termios, std_termios
from emukernel.kernel.tty.tty_io import PORT_LIMIT, Tty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from emukernel.kernel.fs.stdio import HostStream, Stream
    from emukernel.kernel.kernel import Kernel

#: Host signals that concern the terminal.
SIGNALS = (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)

_CHUNK = 4096
_WINSIZE = 8
_SIGINT = 2
_CTRL_C = b"\x03"
_IFLAG, _OFLAG, _LFLAG, _CC = 0, 1, 3, 6


class Console(Tty):
    """The host's terminal, read at descriptor `fd` and written at `out_fd` (-1: not writable).

    `attached`: it is raw and ours. `blocked`: the host takes no output now. `hooked`: host
    signals reach this kernel.
    """

    __slots__ = (
        "attached",
        "blocked",
        "fd",
        "gone",
        "hooked",
        "host_rdev",
        "out",
        "out_fd",
        "saved",
        "stopping",
    )

    def __init__(self, kernel: Kernel, stream: HostStream, out_fd: int) -> None:
        """Raises OSError for a descriptor that is no terminal."""
        fd = stream.fd
        settings = std_termios()
        if _in_foreground(fd):
            # In the background they would be those of the shell's line editor.
            settings = settings.updated(fcntl.ioctl(fd, host.TCGETS, bytes(TERMIOS_SIZE)))
        super().__init__(kernel, makedev(5, 1), settings)
        self.fd = fd
        self.host_rdev = stream.rdev
        self.out_fd = out_fd
        self.out = b""
        self.saved: list[Any] = []
        self.attached = self.blocked = self.gone = self.hooked = self.stopping = False
        self.winsize = fcntl.ioctl(fd, host.TIOCGWINSZ, bytes(_WINSIZE))

    def is_at(self, stream: HostStream) -> bool:
        """Is that descriptor of the host's the same terminal?"""
        return stream.tty and stream.rdev == self.host_rdev

    # -- the host's terminal -------------------------------------------------------------------

    def attach(self) -> None:
        """Makes the host's terminal raw, if emukernel is in its foreground."""
        if not _in_foreground(self.fd):
            return
        try:
            settings = host.tcgetattr(self.fd)
            raw = _raw(settings)
            if settings != raw:
                self.saved = settings
                host.tcsetattr(self.fd, host.TCSANOW, raw)
        except host.error:
            self._gone()
            return
        self.attached = True
        self.kernel.interrupts.watch_console()

    def detach(self) -> None:
        """Gives the host's terminal its settings back."""
        if self.attached:
            self.attached = False
            try:
                host.tcsetattr(self.fd, host.TCSANOW, self.saved)
            except host.error:
                # It was hung up: nobody is left to see its settings.
                return

    def suspend(self, sig: int, group: bool) -> None:
        """Stops emukernel, or its process group, as a key would; returns when it goes on."""
        self.detach()
        handler = signal.signal(sig, signal.SIG_DFL) if self.hooked else None
        if group:
            os.killpg(os.getpgrp(), sig)
        else:
            os.kill(os.getpid(), sig)
        if handler is not None:
            signal.signal(sig, handler)
        self.resume()

    def resume(self) -> None:
        """Emukernel goes on after a stop, perhaps in the foreground, perhaps in another size."""
        self.attach()
        self.check_size()

    def check_size(self) -> None:
        """Passes a change of the window's size on."""
        try:
            self.resize(fcntl.ioctl(self.fd, host.TIOCGWINSZ, bytes(_WINSIZE)))
        except OSError:
            return

    def host_signal(self, number: int) -> bool:
        """Takes a signal of `SIGNALS`; false if it is another."""
        if number == signal.SIGWINCH:
            self.check_size()
        elif number == signal.SIGCONT:
            self.resume()
        elif number == signal.SIGTSTP:
            self.suspend(number, False)
        else:
            return False
        return True

    # -- input ---------------------------------------------------------------------------------

    @property
    def watching(self) -> bool:
        """Whether input is wanted."""
        return self.attached and not self.gone and len(self.port) < PORT_LIMIT

    def poll_host(self) -> None:
        """Takes what was typed, and sends what waits to be shown."""
        if self.blocked and _ready(self.out_fd, select.POLLOUT):
            self.blocked = False
            out, self.out = self.out, b""
            self._send(out)
            if not self.out:
                self.ldisc.process_echoes()
                self.write_wait.wake_up()
        if self.watching and _ready(self.fd, select.POLLIN):
            try:
                data = os.read(self.fd, min(_CHUNK, PORT_LIMIT - len(self.port)))
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if data:
                # Several at once are no impatience: the guest had no chance to see the first.
                if _CTRL_C in data and self.kernel.interrupts.impatient():
                    from emukernel.kernel.kernel import Halt

                    self.kernel.halt(Halt("interrupt", _SIGINT))
                self.receive(data)
                if self.stopping:
                    self.stopping = False
                    self.suspend(signal.SIGTSTP, True)
            else:
                self._gone()
        self.kernel.interrupts.watch_console()

    def _gone(self) -> None:
        """The host's terminal was hung up."""
        if not self.gone:
            self.gone = True
            self.hangup()

    def reading(self) -> None:
        self.kernel.interrupts.patient()
        if not self.attached and not self.gone:
            self.attach()
            if not self.attached and not self.gone:
                # As for any program that reads in the background.
                self.suspend(signal.SIGTTIN, True)
            if not self.attached and not self.gone:
                raise Errno(EIO)

    def polled(self) -> None:
        self.kernel.interrupts.patient()

    def push_port(self) -> bool:
        full = len(self.port) >= PORT_LIMIT
        moved = super().push_port()
        if full and moved:
            self.kernel.interrupts.watch_console()
        return moved

    def signal_foreground(self, sig: int) -> None:
        if sig == signal.SIGTSTP and self.hooked and self._nobody_stops():
            # Once the key is echoed.
            self.stopping = True
        else:
            super().signal_foreground(sig)

    def _nobody_stops(self) -> bool:
        """Would ^Z do nothing, as no shell of the guest's could continue the group?"""
        from emukernel.kernel.signal.send import process_group
        from emukernel.kernel.signal.stop import is_current_pgrp_orphaned

        members = process_group(self.kernel, self.pgrp)
        return bool(members) and all(
            is_current_pgrp_orphaned(member)
            and not member.sighand.actions[signal.SIGTSTP - 1][0]
            for member in members
        )

    # -- output --------------------------------------------------------------------------------

    def write(self, data: bytes) -> int:
        if self.stopped:
            return 0
        data = data[: self.write_room()]
        self._send(data)
        return len(data)

    def _send(self, data: bytes) -> None:
        if self.out_fd < 0 or not data:
            return
        try:
            sent = os.write(self.out_fd, data)
        except BlockingIOError:
            sent = 0
        except OSError:
            # Hung up: it goes nowhere.
            return
        if sent < len(data):
            self.out = data[sent:]
            self._block()

    def _block(self) -> None:
        if not self.blocked:
            self.blocked = True
            self.kernel.interrupts.watch_console()

    def write_room(self) -> int:
        if self.stopped or self.blocked:
            return 0
        if self.out_fd >= 0 and not _ready(self.out_fd, select.POLLOUT):
            self._block()
            return 0
        return _CHUNK

    def flush_output(self) -> None:
        self.out = b""

    def default_termios(self) -> Termios:
        return self.termios


def _in_foreground(fd: int) -> bool:
    """Is emukernel the one that is typed to? A terminal that does not control it has no say."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return True


def _raw(settings: list[Any]) -> list[Any]:
    """The settings, with every key passed on as it is and output left alone (cfmakeraw(3))."""
    raw = list(settings)
    raw[_IFLAG] &= ~(
        host.IGNBRK | host.BRKINT | host.PARMRK | host.ISTRIP | host.INLCR | host.IGNCR
        | host.ICRNL | host.IXON
    )  # fmt: skip
    raw[_OFLAG] &= ~host.OPOST
    raw[_LFLAG] &= ~(host.ECHO | host.ECHONL | host.ICANON | host.ISIG | host.IEXTEN)
    raw[_CC] = list(raw[_CC])
    raw[_CC][host.VMIN], raw[_CC][host.VTIME] = 1, 0
    return raw


def _ready(fd: int, event: int) -> bool:
    poller = select.poll()
    poller.register(fd, event)
    return bool(poller.poll(0))


def make_console(kernel: Kernel, streams: Sequence[Stream | None]) -> Console | None:
    """The console, if descriptor 0 is a terminal that can be read."""
    from emukernel.kernel.fs.stdio import HostStream

    first = streams[0] if streams else None
    if not isinstance(first, HostStream) or not first.tty or first.flags & 3 == 1:
        return None
    outputs = [
        stream.fd
        for stream in streams
        if isinstance(stream, HostStream) and stream.rdev == first.rdev and stream.flags & 3
    ]
    try:
        return Console(kernel, first, outputs[0] if outputs else -1)
    except OSError:
        return None
