"""The guest's descriptors 0, 1 and 2: open files over host descriptors or over memory.

A Stream is the outside end. A host descriptor shows itself by its type alone: a terminal as
/dev/console, /dev/null as itself, a pipe, socket or regular file as a nameless file of that kind.
The host's names are never shown.
"""

from __future__ import annotations

import os
from stat import S_ISCHR, S_ISFIFO, S_ISREG, S_ISSOCK

from emukernel.kernel.errno import (
    EACCES,
    EAGAIN,
    EFAULT,
    EIO,
    ENOSPC,
    ENXIO,
    EPIPE,
    Errno,
)
from emukernel.kernel.fs.file import (
    O_ACCMODE,
    O_APPEND,
    O_LARGEFILE,
    O_NONBLOCK,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDNORM,
    POLLWRNORM,
    File,
)
from emukernel.kernel.fs.filemap import generic_llseek
from emukernel.kernel.fs.inode import Inode, makedev
from emukernel.kernel.fs.mount import pseudo_path
from emukernel.kernel.wait import HostReadable, HostWritable, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.inode import SuperBlock
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

SIGPIPE = 13
PIPEFS_MAGIC = 0x50495045
SOCKFS_MAGIC = 0x534F434B
ANON_INODE_FS_MAGIC = 0x09041934

_PIPE_BUF = 4096
_CHUNK = 1 << 16
_STREAM_INPUT = POLLIN | POLLRDNORM
_STREAM_OUTPUT = POLLOUT | POLLWRNORM
_KEPT_FLAGS = O_ACCMODE | O_APPEND | O_NONBLOCK | O_LARGEFILE
_TTY_CURRENT, _TTY_CONSOLE = 0, 1


class Stream:
    """What lies behind a standard descriptor. `mode` is st_mode, `flags` O_* of the open file."""

    __slots__ = ("flags", "mode")

    mode: int
    flags: int
    tty = False
    rdev = 0

    def read(self, n: int) -> bytes | None:
        """Up to `n` bytes; b"" at the end, None when there is nothing yet. Errno(EIO…)."""
        raise Errno(EIO)

    def write(self, data: bytes) -> int | None:
        """Takes some of `data`; how many bytes, None when it can't now. Errno(EPIPE, EIO…)."""
        raise Errno(EIO)

    def poll(self) -> int:
        """POLL* bits."""
        return _STREAM_INPUT | _STREAM_OUTPUT

    def queue(self, writing: bool) -> Any:
        """What to wait on until `read` or `write` can go on; None: nothing will come."""
        return None

    def restore(self) -> None:
        """The machine is switched off: leaves the outside as it was found."""

    def available(self) -> int:
        """Bytes that can be read at once (FIONREAD)."""
        return 0


class CapturedStream(Stream):
    """Bytes in memory: what the guest reads is given at the start, what it writes is collected.

    `limit` bounds what is collected, in bytes: a full stream is ENOSPC.
    """

    __slots__ = ("data", "limit", "position")

    def __init__(self, data: bytes = b"", *, writable: bool = False, limit: int = 1 << 28) -> None:
        self.mode = 0o010600
        self.flags = 1 if writable else 0
        self.data = bytearray(data)
        self.position = 0
        self.limit = limit

    def read(self, n: int) -> bytes | None:
        data = bytes(self.data[self.position : self.position + n])
        self.position += len(data)
        return data

    def write(self, data: bytes) -> int | None:
        room = self.limit - len(self.data)
        if room <= 0:
            raise Errno(ENOSPC)
        self.data += data[:room]
        return min(room, len(data))

    def poll(self) -> int:
        if self.flags:
            return _STREAM_OUTPUT
        return _STREAM_INPUT if self.position < len(self.data) else _STREAM_INPUT | POLLHUP

    def available(self) -> int:
        return len(self.data) - self.position

    def getvalue(self) -> bytes:
        """All that was written."""
        return bytes(self.data)


class HostStream(Stream):
    """A host descriptor, whose blocking mode is left as it is."""

    __slots__ = ("_waits", "fd", "rdev", "saved", "tty")

    def __init__(self, fd: int) -> None:
        """Raises OSError if the descriptor is closed."""
        import fcntl

        status = os.fstat(fd)
        self.fd = fd
        self.mode = status.st_mode
        self.rdev = status.st_rdev
        self.flags = fcntl.fcntl(fd, fcntl.F_GETFL) & _KEPT_FLAGS
        self.tty = S_ISCHR(self.mode) and os.isatty(fd)
        # A terminal's settings before the guest changed them.
        self.saved: list[Any] | None = None
        self._waits = self.tty or S_ISFIFO(self.mode) or S_ISSOCK(self.mode)

    def read(self, n: int) -> bytes | None:
        if self._waits and not self.poll() & (POLLIN | POLLHUP):
            return None
        try:
            return os.read(self.fd, min(n, _CHUNK))
        except BlockingIOError:
            return None
        except OSError as error:
            raise Errno(error.errno or EIO) from None

    def write(self, data: bytes) -> int | None:
        if self._waits:
            ready = self.poll()
            if not ready & POLLOUT and not ready & ~(_STREAM_INPUT | _STREAM_OUTPUT):
                return None
            # So much fits for sure, and more could block all of the machine.
            data = data[:_PIPE_BUF]
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return None
        except OSError as error:
            raise Errno(error.errno or EIO) from None

    def poll(self) -> int:
        if not self._waits:
            return _STREAM_INPUT | _STREAM_OUTPUT
        import select

        poller = select.poll()
        poller.register(self.fd, _STREAM_INPUT | _STREAM_OUTPUT | 2)
        ready = poller.poll(0)
        return ready[0][1] if ready else 0

    def queue(self, writing: bool) -> Any:
        return HostWritable(self.fd) if writing else HostReadable(self.fd)

    def available(self) -> int:
        import fcntl
        from termios import FIONREAD

        try:
            return int.from_bytes(fcntl.ioctl(self.fd, FIONREAD, bytes(4)), "little")
        except OSError as error:
            raise Errno(error.errno or EIO) from None

    def restore(self) -> None:
        """Gives a terminal the settings back that it had before the guest changed them."""
        if self.saved is not None:
            import termios

            saved, self.saved = self.saved, None
            try:
                termios.tcsetattr(self.fd, termios.TCSADRAIN, saved)
            except termios.error:
                # It was hung up: nobody is left to see its settings.
                return


class StreamFile(File):
    """An open file over a stream that has no positions."""

    __slots__ = ("stream",)

    seekable = False

    def __init__(self, path: Path, flags: int, stream: Stream) -> None:
        super().__init__(path, flags)
        self.stream = stream

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        if not it.count:
            return 0
        data = self.stream.read(it.count)
        if data is None:
            if self.flags & O_NONBLOCK:
                raise Errno(EAGAIN)
            wait_on(task, self.stream.queue(False))
            raise Errno(EAGAIN)
        done = it.copy_to_iter(data)
        if data and not done:
            raise Errno(EFAULT)
        return done

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        call = task.call
        done: int = call.get("written", 0)
        it.advance(done)
        stream = self.stream
        while it.count:
            data = it.copy_from_iter(min(it.count, _CHUNK))
            if not data:
                if not done:
                    raise Errno(EFAULT)
                break
            taken = self._write(task, stream, data, done)
            if taken is None:
                it.revert(len(data))
                if self.flags & O_NONBLOCK:
                    if not done:
                        raise Errno(EAGAIN)
                    break
                if done and task.signal_pending():
                    break
                call["written"] = done
                wait_on(task, stream.queue(True))
            else:
                it.revert(len(data) - taken)
                done += taken
        if call:
            call.pop("written", None)
        return done

    def _write(self, task: Task, stream: Stream, data: bytes, done: int) -> int | None:
        try:
            return stream.write(data)
        except Errno as error:
            if error.errno == EPIPE:
                from emukernel.kernel.signal.send import send_sig

                send_sig(SIGPIPE, task)
            raise

    def ioctl(self, task: Task, cmd: int, arg: int) -> int:
        from emukernel.kernel.fs.tty import FIONREAD, tty_ioctl
        from emukernel.kernel.uaccess import put_user_u32

        if self.stream.tty:
            return tty_ioctl(task, self, cmd, arg)
        if cmd == FIONREAD:
            put_user_u32(task, arg, self.stream.available())
            return 0
        return super().ioctl(task, cmd, arg)

    def poll(self, task: Task) -> int:
        mask = self.stream.poll()
        if not self.mode & 1:
            mask &= ~_STREAM_INPUT
        if not self.mode & 2:
            mask &= ~_STREAM_OUTPUT
        return mask

    def poll_queues(self, events: int) -> list[Any]:
        queues = []
        if events & _STREAM_INPUT and self.mode & 1:
            queues.append(self.stream.queue(False))
        if events & _STREAM_OUTPUT and self.mode & 2:
            queues.append(self.stream.queue(True))
        return [queue for queue in queues if queue is not None]


class HostFile(File):
    """An open file over a host descriptor of a regular file: it has the host's position."""

    __slots__ = ("made", "stream")

    def __init__(self, path: Path, flags: int, stream: HostStream) -> None:
        self.stream = stream
        self.made = False
        super().__init__(path, flags)
        self.made = True

    @property
    def pos(self) -> int:
        return os.lseek(self.stream.fd, 0, os.SEEK_CUR)

    @pos.setter
    def pos(self, value: int) -> None:
        # A file that is just being made takes the host's position as it is.
        if self.made:
            os.lseek(self.stream.fd, value, os.SEEK_SET)

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        done = 0
        while it.count:
            try:
                data = os.pread(self.stream.fd, min(it.count, _CHUNK), pos + done)
            except OSError as error:
                raise Errno(error.errno or EIO) from None
            if not data:
                break
            copied = it.copy_to_iter(data)
            done += copied
            if copied < len(data):
                if not done:
                    raise Errno(EFAULT)
                break
        return done

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        from emukernel.kernel.fs.filemap import write_limit

        if not it.count:
            return 0
        append = self.flags & O_APPEND
        if append:
            pos = os.fstat(self.stream.fd).st_size
            self.pos = pos
        limit = write_limit(task, self.inode, pos, it.count)
        done = 0
        while done < limit:
            data = it.copy_from_iter(min(limit - done, _CHUNK))
            if not data:
                if not done:
                    raise Errno(EFAULT)
                break
            try:
                done += os.pwrite(self.stream.fd, data, pos + done)
            except OSError as error:
                if not done:
                    raise Errno(error.errno or EIO) from None
                break
        return done

    def llseek(self, task: Task, offset: int, whence: int) -> int:
        if whence > 2:
            try:
                return os.lseek(self.stream.fd, offset, whence)
            except OSError as error:
                raise Errno(error.errno or EIO) from None
        return generic_llseek(self, offset, whence, os.fstat(self.stream.fd).st_size)

    def fsync(self, task: Task, datasync: bool = False) -> None:
        try:
            os.fsync(self.stream.fd)
        except OSError as error:
            raise Errno(error.errno or EIO) from None

    def truncate(self, task: Task, size: int) -> None:
        try:
            os.ftruncate(self.stream.fd, size)
        except OSError as error:
            raise Errno(error.errno or EIO) from None


class ReopenedHostFile(HostFile):
    """The same file opened again by /dev/stdin or /proc/PID/fd: it has a position of its own."""

    __slots__ = ("position",)

    position: int

    @property
    def pos(self) -> int:
        return self.position

    @pos.setter
    def pos(self, value: int) -> None:
        self.position = value


class StreamInode(Inode):
    """The nameless inode of a stream: opened again it is the same stream."""

    __slots__ = ("stream",)

    def __init__(self, sb: SuperBlock, ino: int, stream: Stream) -> None:
        super().__init__(sb, ino, stream.mode)
        self.stream = stream

    def open(self, task: Task, path: Path, flags: int) -> File:
        self.check_access(flags)
        return StreamFile(path, flags, self.stream)

    def check_access(self, flags: int) -> None:
        """Raises Errno(EACCES) where more is asked for than the host gave."""
        if (flags + 1) & O_ACCMODE & ~(self.stream.flags + 1):
            raise Errno(EACCES)


class HostInode(StreamInode):
    """That of a host's regular file; its attributes are the host's at each look."""

    __slots__ = ("fd",)

    def __init__(self, sb: SuperBlock, ino: int, stream: HostStream) -> None:
        super().__init__(sb, ino, stream)
        self.fd = stream.fd

    def open(self, task: Task, path: Path, flags: int) -> File:
        self.check_access(flags)
        assert isinstance(self.stream, HostStream)
        return ReopenedHostFile(path, flags, self.stream)

    def truncate(self, task: Task, size: int) -> None:
        try:
            os.ftruncate(self.fd, size)
        except OSError as error:
            raise Errno(error.errno or EIO) from None

    def refresh(self, task: Task) -> None:
        try:
            status = os.fstat(self.fd)
        except OSError:
            return
        self.size = status.st_size if S_ISREG(status.st_mode) else 0
        self.mode = status.st_mode
        self.uid = status.st_uid
        self.gid = status.st_gid
        self.atime = status.st_atime_ns
        self.mtime = status.st_mtime_ns
        self.ctime = status.st_ctime_ns

    @property
    def blocks(self) -> int:
        try:
            return os.fstat(self.fd).st_blocks
        except OSError:
            return 0


def open_tty(task: Task, path: Path, flags: int, minor: int) -> File:
    """Opens /dev/tty or /dev/console: the terminal behind the standard descriptors."""
    console = task.kernel.vfs.console
    if console is None or minor not in (_TTY_CURRENT, _TTY_CONSOLE):
        raise Errno(ENXIO)
    return StreamFile(path, flags, console)


def _open_stream(kernel: Kernel, task: Task, stream: Stream) -> File:
    """The open file that shows what `stream` is."""
    from emukernel.kernel.fs.init import device_path

    mode = stream.mode
    if stream.tty:
        console = kernel.console
        if console is not None and isinstance(stream, HostStream) and console.is_at(stream):
            from emukernel.kernel.tty.tty_io import TtyFile

            return TtyFile(device_path(kernel, b"console"), stream.flags, console)
        return StreamFile(device_path(kernel, b"console"), stream.flags, stream)
    if S_ISCHR(mode) and stream.rdev in (makedev(1, 3), makedev(1, 5), makedev(1, 7)):
        from emukernel.kernel.fs.mem import open_mem

        name = {3: b"null", 5: b"zero", 7: b"full"}[stream.rdev & 0xFF]
        path = device_path(kernel, name)
        return open_mem(task, path, stream.flags, stream.rdev & 0xFF)
    if S_ISFIFO(mode) or S_ISSOCK(mode):
        fstype, magic, name = (
            ("pipefs", PIPEFS_MAGIC, b"pipe:[%d]")
            if S_ISFIFO(mode)
            else ("sockfs", SOCKFS_MAGIC, b"socket:[%d]")
        )
        path = pseudo_path(kernel, fstype, magic, name, mode)
        if S_ISFIFO(mode):
            inode = StreamInode(path.mnt.sb, path.dentry.inode.ino, stream)
            inode.uid, inode.gid = task.cred.fsuid, task.cred.fsgid
            path.dentry.inode = inode
        return StreamFile(path, stream.flags, stream)
    path = pseudo_path(kernel, "anon_inodefs", ANON_INODE_FS_MAGIC, b"anon_inode:[host]", mode)
    path.dentry.inode.rdev = stream.rdev
    if S_ISREG(mode) and isinstance(stream, HostStream):
        host_inode = HostInode(path.mnt.sb, path.dentry.inode.ino, stream)
        host_inode.refresh(task)
        path.dentry.inode = host_inode
        return HostFile(path, stream.flags, stream)
    return StreamFile(path, stream.flags, stream)


def host_streams() -> list[Stream | None]:
    """The process's own descriptors 0, 1 and 2; None for one that is closed."""
    streams: list[Stream | None] = []
    for fd in range(3):
        try:
            streams.append(HostStream(fd))
        except OSError:
            streams.append(None)
    return streams


def terminals(kernel: Kernel) -> list[HostStream]:
    """The host's terminals among the streams."""
    return [s for s in kernel.vfs.streams if isinstance(s, HostStream) and s.tty]


def setup_stdio(kernel: Kernel, task: Task, streams: Sequence[Stream | None]) -> None:
    """Opens descriptors 0 to 2 of the first task."""
    kernel.vfs.streams = list(streams)
    first = streams[0] if streams else None
    if first is not None and first.tty:
        from emukernel.kernel.tty.console import make_console
        from emukernel.kernel.tty.tty_jobctrl import proc_set_tty

        kernel.console = make_console(kernel, streams)
        if kernel.console is not None:
            proc_set_tty(task, kernel.console)
            # What is typed interrupts programs, which go on then.
            kernel.enable_preemption()
    for stream in streams:
        if kernel.console is not None:
            break
        if stream is not None and stream.tty and stream.flags & O_ACCMODE == 2:
            kernel.vfs.console = stream
    for fd, stream in enumerate(streams):
        if stream is not None:
            task.files.install(fd, _open_stream(kernel, task, stream), False)

