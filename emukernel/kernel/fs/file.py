"""Open files and the descriptor table (Linux: struct file, fs/file.c)."""

from __future__ import annotations

from emukernel.kernel.errno import (
    EBADF,
    EINVAL,
    EMFILE,
    ENOTDIR,
    ENOTTY,
    EOPNOTSUPP,
    ESPIPE,
    Errno,
)
from emukernel.kernel.fs.inode import get_write_access, put_write_access
from emukernel.kernel.fs.mount import ST_NOEXEC
from emukernel.kernel.mm.slab import FILE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from emukernel.kernel.cred import Cred
    from emukernel.kernel.fs.address_space import AddressSpace, Iter
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.inode import DirectoryEntry, Inode
    from emukernel.kernel.task import Task

O_ACCMODE = 0o3
O_RDONLY = 0o0
O_WRONLY = 0o1
O_RDWR = 0o2
O_CREAT = 0o100
O_EXCL = 0o200
O_NOCTTY = 0o400
O_TRUNC = 0o1000
O_APPEND = 0o2000
O_NONBLOCK = 0o4000
O_DSYNC = 0o10000
O_ASYNC = 0o20000
O_DIRECT = 0o40000
O_LARGEFILE = 0o100000
O_DIRECTORY = 0o200000
O_NOFOLLOW = 0o400000
O_NOATIME = 0o1000000
O_CLOEXEC = 0o2000000
O_SYNC = 0o4010000
O_PATH = 0o10000000
O_TMPFILE_BIT = 0o20000000
O_TMPFILE = O_TMPFILE_BIT | O_DIRECTORY

FMODE_READ = 1
FMODE_WRITE = 2
FMODE_PATH = 0x4000

SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE = range(5)

_PIPE_COMMANDS = (1031, 1032)  # F_SETPIPE_SZ, F_GETPIPE_SZ

RLIMIT_NOFILE = 7
NR_OPEN = 1 << 20
"""The most descriptors that a process may have (/proc/sys/fs/nr_open)."""

POLLIN = 0x001
POLLPRI = 0x002
POLLOUT = 0x004
POLLERR = 0x008
POLLHUP = 0x010
POLLNVAL = 0x020
POLLRDNORM = 0x040
POLLRDBAND = 0x080
POLLWRNORM = 0x100
POLLWRBAND = 0x200
POLLMSG = 0x400
POLLRDHUP = 0x2000
DEFAULT_POLLMASK = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM


class File:
    """An open file. Subclasses override the operations they have.

    `count` counts references: descriptors, VMAs, a running program. The maker owns the first one.
    `flags` are O_* as F_GETFL shows them, `mode` FMODE_*, `pos` the file position.
    """

    __slots__ = (
        "count",
        "cred",
        "epitems",
        "flags",
        "inode",
        "mapping",
        "mode",
        "owner",
        "path",
        "pos",
        "signum",
    )

    seekable = True
    """lseek(2), pread(2) and pwrite(2) work."""

    direct = False
    """O_DIRECT is taken."""

    splices = True
    """sendfile(2) and splice(2) can read from it."""

    splice_writes = True
    """splice(2) can write to it."""

    flushes = False
    """`flush` has something to do."""

    zero = False
    """mmap(2) of it gives anonymous memory (/dev/zero)."""

    def __init__(self, path: Path, flags: int) -> None:
        inode = path.dentry.inode
        slab = inode.sb.kernel.slab
        slab.charge(FILE_SIZE)
        self.path = path
        self.inode: Inode = inode
        # The pages that mmap(2) maps; None: not mappable.
        self.mapping: AddressSpace | None = None
        self.flags = flags
        if flags & O_PATH:
            self.mode = FMODE_PATH
        else:
            # Access mode 3 is for ioctls only: neither reading nor writing.
            self.mode = (flags + 1) & O_ACCMODE
        # Who opened it; None: the kernel.
        opener = inode.sb.kernel.current
        self.cred: Cred | None = None if opener is None else opener.cred
        self.pos = 0
        self.count = 1
        # Whom SIGIO goes to (F_SETOWN_EX), and the signal instead of it (F_SETSIG).
        self.owner = (1, 0)
        self.signum = 0
        # The entries for this file in epoll sets.
        self.epitems: list[Any] | None = None
        inode.open_count += 1
        if self.mode & FMODE_WRITE and self.counts_writers():
            try:
                get_write_access(inode)
            except Errno:
                inode.open_count -= 1
                slab.uncharge(FILE_SIZE)
                raise

    def counts_writers(self) -> bool:
        """Does writing to this file keep its program from being run?"""
        return False

    def get(self) -> File:
        """One reference more."""
        self.count += 1
        return self

    def put(self) -> None:
        """One reference less; the last one closes the file."""
        self.count -= 1
        if not self.count:
            inode = self.inode
            if inode.marks is not None and not self.mode & FMODE_PATH:
                from emukernel.kernel.fs.fsnotify import fsnotify_close

                fsnotify_close(self)
            if inode.locks is not None:
                from emukernel.kernel.fs.locks import release_file

                release_file(self)
            if self.epitems is not None:
                from emukernel.kernel.fs.eventpoll import eventpoll_release

                eventpoll_release(self)
            self.release()
            inode.sb.kernel.slab.uncharge(FILE_SIZE)
            if self.mode & FMODE_WRITE and self.counts_writers():
                put_write_access(inode)
            inode.open_count -= 1
            if not inode.open_count:
                if inode.marks:
                    from emukernel.kernel.fs.fsnotify import fsnotify_inoderemove

                    fsnotify_inoderemove(inode)
                inode.release_unused()

    # Operations

    def release(self) -> None:
        """The last reference is gone."""

    def flush(self, task: Task) -> None:
        """A descriptor of `task` that leads here is closed, be it the last one or not."""

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        """Reads up to it.count bytes at `pos` into `it`; how many. May raise Blocked."""
        raise Errno(EINVAL)

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        """Writes it.count bytes from `it` at `pos`; how many. May raise Blocked."""
        raise Errno(EINVAL)

    def llseek(self, task: Task, offset: int, whence: int) -> int:
        """Moves `pos`; where it is then."""
        raise Errno(ESPIPE)

    def ioctl(self, task: Task, cmd: int, arg: int) -> int:
        """ioctl(2) beyond what all files know."""
        raise Errno(ENOTTY)

    def fcntl(self, task: Task, cmd: int, arg: int) -> int:
        """fcntl(2) beyond what all files know."""
        raise Errno(EBADF if cmd in _PIPE_COMMANDS else EINVAL)

    def poll(self, task: Task) -> int:
        """What is ready now: POLL* bits."""
        return DEFAULT_POLLMASK

    def poll_queues(self, events: int) -> list[Any]:
        """The wait queues to sleep on until one of `events` may be ready."""
        return []

    def fsync(self, task: Task, datasync: bool = False) -> None:
        """Brings contents to storage."""
        raise Errno(EINVAL)

    def map_flags(self, vm_flags: int) -> int:
        """The VM_* flags of a mapping of the file for which `vm_flags` are wanted. Errno(EPERM)."""
        return vm_flags

    def mmap(self, vm_flags: int) -> None:
        """A mapping of `mapping` is being made."""

    def punch_hole(self, start: int, length: int) -> None:
        """madvise(MADV_REMOVE) on a mapping of the file."""
        raise Errno(EOPNOTSUPP)

    @property
    def noexec(self) -> bool:
        """Is it on a mount from which nothing may be run?"""
        return bool(self.path.mnt.flags & ST_NOEXEC)

    def readdir(self, task: Task) -> list[DirectoryEntry]:
        """A directory's entries."""
        raise Errno(ENOTDIR)

    def truncate(self, task: Task, size: int) -> None:
        """ftruncate(2), permissions checked."""
        raise Errno(EINVAL)

    def fallocate(self, task: Task, mode: int, offset: int, length: int) -> None:
        """fallocate(2), arguments checked."""
        raise Errno(EOPNOTSUPP)

    def fdinfo(self) -> str:
        """Lines of /proc/PID/fdinfo after the common ones."""
        return ""

    def read_at(self, task: Task, offset: int, count: int) -> bytes:
        """Up to `count` bytes at `offset` for the kernel itself, position left alone (execve)."""
        from emukernel.kernel.uaccess import BytesIter

        buffer = bytearray(count)
        done = self.read_iter(task, BytesIter(buffer), offset)
        if self.inode.marks is not None:
            from emukernel.kernel.fs.read_write import notify_access

            notify_access(self, done)
        del buffer[done:]
        return bytes(buffer)


class PathFile(File):
    """A file opened with O_PATH: a place, not a way to its contents."""

    __slots__ = ()


class FilesStruct:
    """A descriptor table: shared by tasks with CLONE_FILES, copied otherwise."""

    __slots__ = ("cloexec", "count", "next_fd", "table")

    def __init__(self) -> None:
        self.table: dict[int, File] = {}
        self.cloexec: set[int] = set()
        self.next_fd = 0
        self.count = 1

    def get(self, fd: int) -> File:
        """The file of a descriptor; Errno(EBADF), also for O_PATH files."""
        file = self.table.get(fd)
        if file is None or file.mode & FMODE_PATH:
            raise Errno(EBADF)
        return file

    def get_raw(self, fd: int) -> File:
        """The file of a descriptor, O_PATH or not; Errno(EBADF)."""
        file = self.table.get(fd)
        if file is None:
            raise Errno(EBADF)
        return file

    def unused(self, task: Task, start: int = 0) -> int:
        """The lowest free descriptor from `start` on; Errno(EMFILE) at RLIMIT_NOFILE."""
        table = self.table
        fd = max(start, self.next_fd)
        while fd in table:
            fd += 1
        if start <= self.next_fd:
            self.next_fd = fd
        if fd >= task.rlimits[RLIMIT_NOFILE][0] or fd >= NR_OPEN:
            raise Errno(EMFILE)
        return fd

    def install(self, fd: int, file: File, cloexec: bool) -> None:
        """Puts `file` at the free descriptor `fd`; the table takes the caller's reference."""
        self.table[fd] = file
        if cloexec:
            self.cloexec.add(fd)
        else:
            self.cloexec.discard(fd)

    def add(self, task: Task, file: File, cloexec: bool = False, start: int = 0) -> int:
        """Installs `file` at the lowest free descriptor; when that fails, `file` is closed."""
        try:
            fd = self.unused(task, start)
        except Errno:
            file.put()
            raise
        self.install(fd, file, cloexec)
        return fd

    def close(self, task: Task, fd: int) -> None:
        """Closes a descriptor; Errno(EBADF)."""
        file = self.table.pop(fd, None)
        if file is None:
            raise Errno(EBADF)
        self.cloexec.discard(fd)
        if fd < self.next_fd:
            self.next_fd = fd
        self._filp_close(file)

    def _filp_close(self, file: File) -> None:
        if file.inode.locks is not None:
            from emukernel.kernel.fs.locks import release_posix

            release_posix(self, file.inode)
        if file.flushes:
            file.flush(file.inode.sb.kernel.current)
        file.put()

    def close_on_exec(self, task: Task) -> None:
        """execve(2) closes what is marked FD_CLOEXEC."""
        for fd in sorted(self.cloexec):
            self.close(task, fd)

    def close_all(self) -> None:
        """The last user of the table is gone."""
        table = self.table
        self.table = {}
        self.cloexec = set()
        self.next_fd = 0
        for fd in sorted(table):
            self._filp_close(table[fd])

    def copy(self) -> FilesStruct:
        """The table of a child without CLONE_FILES."""
        new = FilesStruct()
        new.table = {fd: file.get() for fd, file in self.table.items()}
        new.cloexec = set(self.cloexec)
        new.next_fd = self.next_fd
        return new

    def unshare(self, task: Task) -> FilesStruct:
        """A table of the task's own, in place of one that it shares."""
        self.count -= 1
        return self.copy()

    def get_table(self) -> FilesStruct:
        """One more task that shares the table (CLONE_FILES)."""
        self.count += 1
        return self

    def put_table(self) -> None:
        """One task less; the last one closes everything."""
        self.count -= 1
        if not self.count:
            self.close_all()

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self.table))


def replace_fd(task: Task, fd: int, file: File, cloexec: bool) -> None:
    """Puts one more reference to `file` at `fd`, closing what was there."""
    files = task.files
    old = files.table.get(fd)
    files.install(fd, file.get(), cloexec)
    if old is not None:
        files._filp_close(old)


def sys_dup(task: Task, fildes: int) -> int:
    """dup(2)"""
    files = task.files
    file = files.get_raw(fildes)
    fd = files.unused(task)
    files.install(fd, file.get(), False)
    return fd


def sys_dup2(task: Task, oldfd: int, newfd: int) -> int:
    """dup2(2)"""
    if oldfd == newfd:
        task.files.get_raw(oldfd)
        return oldfd
    return _dup3(task, oldfd, newfd, False)


def sys_dup3(task: Task, oldfd: int, newfd: int, flags: int) -> int:
    """dup3(2)"""
    if flags & ~O_CLOEXEC:
        raise Errno(EINVAL)
    if oldfd == newfd:
        raise Errno(EINVAL)
    return _dup3(task, oldfd, newfd, bool(flags & O_CLOEXEC))


def _dup3(task: Task, oldfd: int, newfd: int, cloexec: bool) -> int:
    # A new descriptor beyond the limit is EBADF even where the old one is bad too.
    if newfd >= task.rlimits[RLIMIT_NOFILE][0]:
        raise Errno(EBADF)
    file = task.files.get_raw(oldfd)
    if newfd >= NR_OPEN:
        raise Errno(EMFILE)
    replace_fd(task, newfd, file, cloexec)
    return newfd

