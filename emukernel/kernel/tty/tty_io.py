"""A terminal and the open files on it (drivers/tty/tty_io.c): reading, writing, hanging up."""

from __future__ import annotations

from emukernel.kernel.errno import (
    EAGAIN,
    EBUSY,
    EFAULT,
    EIO,
    ENOTTY,
    ENXIO,
    ERESTARTSYS,
    Errno,
)
from emukernel.kernel.fs.file import (
    O_NONBLOCK,
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLPRI,
    POLLRDNORM,
    POLLWRNORM,
    File,
)
from emukernel.kernel.tty.n_tty import NTty
from emukernel.kernel.tty.termios import (
    ICANON,
    IXON,
    TOSTOP,
    VMIN,
    VTIME,
    Termios,
    std_termios,
)
from emukernel.kernel.wait import WaitQueue, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

SIGTTIN, SIGWINCH = 21, 28
CAP_SYS_ADMIN = 21

TIOCPKT_DATA, TIOCPKT_FLUSHREAD, TIOCPKT_FLUSHWRITE, TIOCPKT_STOP = 0, 1, 2, 4
TIOCPKT_START, TIOCPKT_NOSTOP, TIOCPKT_DOSTOP, TIOCPKT_IOCTL = 8, 16, 32, 64

PORT_LIMIT = 8192
"""Bytes that a driver holds for a line discipline without room."""

_INPUT = POLLIN | POLLRDNORM
_OUTPUT = POLLOUT | POLLWRNORM
_WRITE_CHUNK = 1 << 16
#: A moment that is still to come when it is waited for.
_TURN_NS = 20_000
_DECISECOND = 100_000_000
_TIME_STEP = 8 * 10**9


class Tty:
    """One terminal. Subclasses are drivers: they say where output goes.

    `pgrp` is the foreground group and `session` whose controlling terminal it is (0: none), `link`
    the other end of a pty, `port` what was received and waits for the line discipline, `rdev` the
    device number. `io_error` and `other_closed` are set as ends are closed (TTY_IO_ERROR,
    TTY_OTHER_CLOSED), `pktstatus` is what packet mode has to tell the other end.
    """

    __slots__ = (
        "exclusive",
        "files",
        "io_error",
        "kernel",
        "ldisc",
        "link",
        "other_closed",
        "packet",
        "pgrp",
        "pktstatus",
        "port",
        "rdev",
        "read_wait",
        "session",
        "stopped",
        "termios",
        "winsize",
        "write_wait",
    )

    def __init__(self, kernel: Kernel, rdev: int, termios: Termios | None = None) -> None:
        self.kernel = kernel
        self.rdev = rdev
        self.termios = termios or std_termios()
        self.winsize = bytes(8)
        self.pgrp = self.session = 0
        self.link: Tty | None = None
        self.port = bytearray()
        self.stopped = False
        self.packet = False
        self.pktstatus = 0
        self.exclusive = False
        self.io_error = self.other_closed = False
        self.files: list[TtyFile] = []
        self.read_wait = WaitQueue()
        self.write_wait = WaitQueue()
        self.ldisc = NTty(self)
        self.ldisc.set_termios(None)

    # -- the driver ----------------------------------------------------------------------------

    def write(self, data: bytes) -> int:
        """Sends to the device; how many bytes it took, all of them up to `write_room`."""
        raise NotImplementedError

    def write_room(self) -> int:
        """Bytes that `write` would take now; 0 while output is stopped."""
        raise NotImplementedError

    def flush_output(self) -> None:
        """Drops output that the device has not got yet."""

    def opened(self) -> None:
        """A file is being opened; Errno(EIO)."""

    def closing(self, file: TtyFile) -> None:
        """A file, still among `files`, is being closed."""

    def reading(self) -> None:
        """A task asks for input; Errno(EIO)."""

    def polled(self) -> None:
        """A task asks whether there is input."""

    def master_gone(self) -> bool:
        """Is this a pty's slave whose master is closed?"""
        return False

    def termios_changed(self, old: Termios) -> None:
        """New settings are in `termios`; the driver may correct them."""

    def flow_changed(self) -> None:
        """`stopped` has changed."""

    def default_termios(self) -> Termios:
        """The settings after a hangup."""
        return std_termios()

    # -- flow ----------------------------------------------------------------------------------

    def stop(self) -> None:
        """Output stops (^S)."""
        if not self.stopped:
            self.stopped = True
            self.flow_changed()

    def start(self) -> None:
        """Output goes on (^Q)."""
        if self.stopped:
            self.stopped = False
            self.flow_changed()
            self.write_wait.wake_up(0, _OUTPUT)

    def receive(self, data: bytes) -> int:
        """The driver has got data; how many bytes there was room for."""
        port = self.port
        taken = min(len(data), PORT_LIMIT - len(port))
        if port or taken < len(data):
            port += data[:taken]
            self.push_port()
        else:
            done = self.ldisc.receive_buf(data)
            port += data[done:]
        return taken

    def push_port(self) -> bool:
        """Moves what waits to the line discipline; whether anything moved (flush_to_ldisc)."""
        port = self.port
        if not port:
            return False
        data = bytes(port)
        port.clear()
        done = self.ldisc.receive_buf(data)
        # What came meanwhile, echoes of the other end say, comes behind the rest.
        port[:0] = data[done:]
        return done > 0

    def packet_flush(self) -> None:
        """Tells a master in packet mode that input was dropped."""
        link = self.link
        if link is not None and link.packet:
            self.pktstatus |= TIOCPKT_FLUSHREAD
            link.read_wait.wake_up()

    # -- signals -------------------------------------------------------------------------------

    def signal_foreground(self, sig: int) -> None:
        """Sends to the foreground group."""
        if self.pgrp:
            from emukernel.kernel.signal.send import kill_pgrp

            kill_pgrp(self.kernel, self.pgrp, sig)

    def resize(self, winsize: bytes) -> None:
        """Has a new window size (struct winsize); the foreground groups are told."""
        if winsize == self.winsize:
            return
        from emukernel.kernel.signal.send import kill_pgrp

        self.winsize = winsize
        groups = {self.pgrp}
        if self.link is not None:
            self.link.winsize = winsize
            groups.add(self.link.pgrp)
        for group in groups - {0}:
            kill_pgrp(self.kernel, group, SIGWINCH)

    def set_termios(self, new: Termios) -> None:
        """Takes new settings (tty_set_termios)."""
        old, self.termios = self.termios, new
        self.termios_changed(old)
        self.ldisc.set_termios(old)

    def hangup(self) -> None:
        """The line is gone: open files are dead, the session's leader hears of it."""
        from emukernel.kernel.tty.tty_jobctrl import signal_session_leader

        for file in self.files:
            file.hung_up = True
        signal_session_leader(self)
        self.ldisc.flush_buffer()
        self.pgrp = self.session = 0
        self.pktstatus = 0
        self.stopped = False
        old, self.termios = self.termios, self.default_termios()
        self.ldisc.set_termios(old)


class TtyFile(File):
    """An open terminal. `hung_up`: nothing works on it any more (hung_up_tty_fops)."""

    __slots__ = ("hung_up", "tty")

    seekable = False

    def __init__(self, path: Path, flags: int, tty: Tty) -> None:
        super().__init__(path, flags)
        self.tty = tty
        self.hung_up = False
        tty.files.append(self)

    def release(self) -> None:
        tty = self.tty
        tty.closing(self)
        tty.files.remove(self)

    def _touch(self, modified: bool) -> None:
        """Times move in steps of 8 seconds, so that keystrokes can't be timed."""
        inode = self.inode
        now = inode.sb.kernel.clock.realtime()
        then = inode.mtime if modified else inode.atime
        if now // _TIME_STEP != then // _TIME_STEP:
            if modified:
                inode.mtime = now
            else:
                inode.atime = now

    # -- reading -------------------------------------------------------------------------------

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        if self.hung_up:
            return 0
        tty = self.tty
        if tty.io_error:
            raise Errno(EIO)
        if task.signal.tty is tty:
            from emukernel.kernel.tty.tty_jobctrl import tty_check_change

            tty_check_change(task, tty, SIGTTIN)
        tty.reading()
        call = task.call
        done: int = call.get("read", 0)
        it.advance(done)
        done = self._read(task, it, done)
        call.clear()
        if done:
            self._touch(False)
        return done

    def _read(self, task: Task, it: Iter, done: int) -> int:
        """The loop of n_tty_read. `call` keeps how much was read, and until when to wait."""
        tty = self.tty
        ldisc = tty.ldisc
        call = task.call
        canonical = tty.termios.lflag & ICANON
        minimum, time = tty.termios.cc[VMIN], tty.termios.cc[VTIME]
        if not canonical and not minimum and "until" not in call:
            call["until"] = task.kernel.clock.monotonic() + time * _DECISECOND
        while it.count:
            link = tty.link
            if tty.packet and link is not None and link.pktstatus:
                if not done:
                    done = self._copy(it, bytes((link.pktstatus,)))
                    link.pktstatus = 0
                break
            if not ldisc.input_available() and not tty.push_port():
                if not self._wait_for_input(task, done):
                    break
                continue
            if tty.packet and not done:
                done = self._copy(it, bytes((TIOCPKT_DATA,)))
                if not it.count:
                    break
            data = ldisc.take(it.count)
            done += self._copy(it, data)
            self._make_room()
            if canonical or done >= minimum:
                break
            if time:
                call["until"] = task.kernel.clock.monotonic() + time * _DECISECOND
        return done

    def _copy(self, it: Iter, data: bytes) -> int:
        copied = it.copy_to_iter(data)
        if copied < len(data):
            raise Errno(EFAULT)
        return copied

    def _make_room(self) -> None:
        """Something was taken out: whoever waits to send may go on."""
        tty = self.tty
        full = len(tty.port) == PORT_LIMIT
        tty.push_port()
        if tty.link is not None and (full or not tty.port):
            tty.link.write_wait.wake_up(0, _OUTPUT)

    def _wait_for_input(self, task: Task, done: int) -> bool:
        """Sleeps (by raising Blocked); false when the read ends with what there is."""
        tty = self.tty
        if tty.other_closed:
            if done:
                return False
            raise Errno(EIO)
        if self.hung_up:
            return False
        call = task.call
        until = call.get("until")
        if until is not None and task.kernel.clock.monotonic() >= until:
            return False
        if self.flags & O_NONBLOCK:
            if done:
                return False
            raise Errno(EAGAIN)
        if task.sigpending and done:
            return False
        call["read"] = done
        return wait_on(task, tty.read_wait, until)

    # -- writing -------------------------------------------------------------------------------

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        tty = self.tty
        if self.hung_up or tty.io_error:
            raise Errno(EIO)
        if tty.termios.lflag & TOSTOP:
            from emukernel.kernel.tty.tty_jobctrl import tty_check_change

            tty_check_change(task, tty)
        ldisc = tty.ldisc
        if ldisc.echo:
            ldisc.process_echoes()
        call = task.call
        done: int = call.get("written", 0)
        it.advance(done)
        error = 0
        turn = done + _WRITE_CHUNK
        while it.count and not error:
            if task.sigpending:
                error = ERESTARTSYS
                break
            if self.hung_up or tty.master_gone():
                error = EIO
                break
            data = it.copy_from_iter(min(it.count, _WRITE_CHUNK))
            if not data:
                error = EFAULT
                break
            taken = ldisc.output(data)
            done += taken
            it.revert(len(data) - taken)
            if task.sigpending:
                continue
            if not taken:
                if self.flags & O_NONBLOCK:
                    error = EAGAIN
                    break
                call["written"] = done
                wait_on(task, tty.write_wait)
            if done >= turn and it.count:
                # Others, and the host, have their turn during a long write (cond_resched).
                call["written"] = done
                wait_on(task, (), task.kernel.clock.monotonic() + _TURN_NS)
                turn += _WRITE_CHUNK
        call.clear()
        if not done and error:
            raise Errno(error)
        self._touch(True)
        return done

    # -- the rest ------------------------------------------------------------------------------

    def ioctl(self, task: Task, cmd: int, arg: int) -> int:
        from emukernel.kernel.tty.tty_ioctl import TIOCSPGRP, tty_ioctl

        if self.hung_up:
            raise Errno(ENOTTY if cmd == TIOCSPGRP else EIO)
        return tty_ioctl(task, self, cmd, arg)

    def poll(self, task: Task) -> int:
        if self.hung_up:
            return _INPUT | _OUTPUT | POLLERR | POLLHUP
        tty = self.tty
        tty.polled()
        mask = 0
        if tty.ldisc.input_available(True) or (
            tty.push_port() and tty.ldisc.input_available(True)
        ):
            mask = _INPUT
        if tty.packet and tty.link is not None and tty.link.pktstatus:
            mask |= POLLPRI | _INPUT
        if tty.other_closed:
            mask |= POLLHUP
        if tty.write_room() > 0:
            mask |= _OUTPUT
        return mask

    def poll_queues(self, events: int) -> list[Any]:
        return [self.tty.read_wait, self.tty.write_wait]


def tty_open(task: Task, path: Path, flags: int, tty: Tty) -> TtyFile:
    """Opens a terminal; Errno(EBUSY) for one that is exclusively someone's, EIO."""
    if tty.exclusive and tty.files and not task.cred.capable(CAP_SYS_ADMIN):
        raise Errno(EBUSY)
    tty.opened()
    return TtyFile(path, flags, tty)


def open_current(task: Task, path: Path, flags: int) -> File:
    """Opens /dev/tty: the controlling terminal; Errno(ENXIO)."""
    tty: Tty | None = task.signal.tty
    if tty is None:
        raise Errno(ENXIO)
    return tty_open(task, path, flags, tty)


def flow_by_characters(termios: Termios) -> bool:
    """Whether ^S and ^Q are what stops and starts output."""
    return bool(termios.iflag & IXON) and termios.cc[8:10] == b"\x11\x13"
