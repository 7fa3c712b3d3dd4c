"""Pseudo-terminals (drivers/tty/pty.c; pty(7)): what one end writes, the other one receives."""

from __future__ import annotations

from emukernel.kernel.errno import EINVAL, EIO, ENOTTY, Errno
from emukernel.kernel.fs.file import O_CLOEXEC, O_NOCTTY
from emukernel.kernel.fs.inode import makedev
from emukernel.kernel.tty.termios import (
    B38400,
    CREAD,
    CS8,
    CSIZE,
    EXTPROC,
    PARENB,
    Termios,
    std_termios,
)
from emukernel.kernel.tty.tty_io import (
    PORT_LIMIT,
    TIOCPKT_DOSTOP,
    TIOCPKT_FLUSHWRITE,
    TIOCPKT_IOCTL,
    TIOCPKT_NOSTOP,
    TIOCPKT_START,
    TIOCPKT_STOP,
    Tty,
    TtyFile,
    flow_by_characters,
    tty_open,
)
from emukernel.kernel.uaccess import get_user_s32, put_user_u32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.devpts import DevptsInode, DevptsSuperBlock
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

UNIX98_PTY_MASTER_MAJOR, UNIX98_PTY_SLAVE_MAJOR = 128, 136
TIOCPKT, TIOCSIG, TIOCGPTN, TIOCSPTLCK = 0x5420, 0x40045436, 0x80045430, 0x40045431
TIOCGPKT, TIOCGPTLCK, TIOCGPTPEER = 0x80045438, 0x80045439, 0x5441

_SIGINT, _SIGQUIT, _SIGTSTP = 2, 3, 20
_SIG_MAX = 64


class Pty(Tty):
    """One end."""

    __slots__ = ("index",)

    link: Tty

    def __init__(self, kernel: Kernel, major: int, index: int, termios: Termios) -> None:
        super().__init__(kernel, makedev(major, index), termios)
        self.index = index

    def write(self, data: bytes) -> int:
        if self.stopped or not data:
            return 0
        return self.link.receive(data)

    def write_room(self) -> int:
        return 0 if self.stopped else PORT_LIMIT - len(self.link.port)

    def flush_output(self) -> None:
        link = self.link
        link.port.clear()
        if link.packet:
            self.pktstatus |= TIOCPKT_FLUSHWRITE
            link.read_wait.wake_up()

    def flow_changed(self) -> None:
        link = self.link
        if link.packet:
            here, there = TIOCPKT_STOP, TIOCPKT_START
            if not self.stopped:
                here, there = there, here
            self.pktstatus = self.pktstatus & ~there | here
            link.read_wait.wake_up()

    def _close(self) -> None:
        """The last file of this end is being closed."""
        self.io_error = True
        self.packet = False
        self.read_wait.wake_up()
        self.write_wait.wake_up()
        link = self.link
        link.other_closed = True
        link.read_wait.wake_up()
        link.write_wait.wake_up()


class PtySlave(Pty):
    """The end that is a terminal to its programs."""

    __slots__ = ("inode",)

    def __init__(self, kernel: Kernel, index: int) -> None:
        super().__init__(kernel, UNIX98_PTY_SLAVE_MAJOR, index, self.default_termios())
        #: Its node in /dev/pts, whose name is gone when the master is closed.
        self.inode: DevptsInode | None = None

    def default_termios(self) -> Termios:
        termios = std_termios()
        termios.cflag = B38400 | CS8 | CREAD
        return termios

    def opened(self) -> None:
        master = self.link
        assert isinstance(master, PtyMaster)
        if self.other_closed or master.locked:
            self.io_error = True
            raise Errno(EIO)
        self.io_error = False
        master.other_closed = False

    def closing(self, file: TtyFile) -> None:
        if len(self.files) == 1:
            if not self.io_error:
                self._close()
            if not self.link.files:
                self._free()

    def master_gone(self) -> bool:
        return not self.link.files

    def master_closed(self) -> None:
        """The other end is gone for good."""
        inode = self.inode
        if inode is not None:
            sb = inode.sb
            inode.kill()
            self.inode = None
            self.hangup()
            if not self.files:
                devpts(sb).free_index(self.index)

    def _free(self) -> None:
        devpts(_super_block(self.kernel)).free_index(self.index)

    def termios_changed(self, old: Termios) -> None:
        new = self.termios
        link = self.link
        if link.packet:
            flow = flow_by_characters(new)
            changed = flow != flow_by_characters(old)
            if changed:
                self.pktstatus &= ~(TIOCPKT_DOSTOP | TIOCPKT_NOSTOP)
                self.pktstatus |= TIOCPKT_DOSTOP if flow else TIOCPKT_NOSTOP
            if (old.lflag | new.lflag) & EXTPROC:
                self.pktstatus |= TIOCPKT_IOCTL
            if self.pktstatus:
                link.read_wait.wake_up()
        new.cflag = new.cflag & ~(CSIZE | PARENB) | CS8 | CREAD


class PtyMaster(Pty):
    """The end of whoever plays the terminal. `locked`: the slave can't be opened yet."""

    __slots__ = ("locked",)

    def __init__(self, kernel: Kernel, index: int, slave: PtySlave) -> None:
        termios = std_termios()
        termios.iflag = termios.oflag = termios.lflag = 0
        termios.cflag = B38400 | CS8 | CREAD
        super().__init__(kernel, UNIX98_PTY_MASTER_MAJOR, index, termios)
        self.link = slave
        slave.link = self
        self.locked = True

    def closing(self, file: TtyFile) -> None:
        slave = self.link
        assert isinstance(slave, PtySlave)
        self._close()
        slave.master_closed()

    def ioctl(self, task: Task, file: TtyFile, cmd: int, arg: int) -> int:
        """What only a master knows (pty_unix98_ioctl)."""
        if cmd == TIOCGPTN:
            put_user_u32(task, arg, self.index)
        elif cmd == TIOCSPTLCK:
            self.locked = bool(get_user_s32(task, arg))
        elif cmd == TIOCGPTLCK:
            put_user_u32(task, arg, int(self.locked))
        elif cmd == TIOCPKT:
            on = bool(get_user_s32(task, arg))
            if on and not self.packet:
                self.link.pktstatus = 0
            self.packet = on
        elif cmd == TIOCGPKT:
            put_user_u32(task, arg, int(self.packet))
        elif cmd == TIOCSIG:
            if arg not in (_SIGINT, _SIGQUIT, _SIGTSTP):
                raise Errno(EINVAL)
            self.link.signal_foreground(arg)
        elif cmd == TIOCGPTPEER:
            return self._open_peer(task, file, arg)
        else:
            raise Errno(ENOTTY)
        return 0

    def _open_peer(self, task: Task, file: TtyFile, flags: int) -> int:
        """TIOCGPTPEER: opens the slave, whatever its name and mode."""
        from emukernel.kernel.fs.dcache import Path

        slave = self.link
        assert isinstance(slave, PtySlave)
        inode = slave.inode
        if inode is None:
            raise Errno(EIO)
        mnt = task.kernel.vfs.devpts
        assert mnt is not None
        cloexec = bool(flags & O_CLOEXEC)
        path = Path(mnt, inode.dentry)
        return task.files.add(task, open_slave(task, path, flags & ~O_CLOEXEC, slave), cloexec)


def _super_block(kernel: Kernel) -> DevptsSuperBlock:
    mnt = kernel.vfs.devpts
    assert mnt is not None
    return devpts(mnt.sb)


def devpts(sb: object) -> DevptsSuperBlock:
    """A super block as devpts'."""
    from emukernel.kernel.fs.devpts import DevptsSuperBlock

    assert isinstance(sb, DevptsSuperBlock)
    return sb


def ptmx_open(task: Task, path: Path, flags: int) -> TtyFile:
    """Opens /dev/ptmx: the master of a new pair. Errno(ENOSPC) beyond the limit."""
    sb = _super_block(task.kernel)
    index = sb.new_index()
    slave = PtySlave(task.kernel, index)
    master = PtyMaster(task.kernel, index, slave)
    slave.inode = sb.new_slave(task, slave)
    return TtyFile(path, flags, master)


def open_slave(task: Task, path: Path, flags: int, slave: PtySlave) -> TtyFile:
    """Opens a slave, which may become the caller's controlling terminal."""
    from emukernel.kernel.tty.tty_jobctrl import open_set_tty

    file = tty_open(task, path, flags, slave)
    open_set_tty(task, file)
    file.flags &= ~O_NOCTTY
    return file
