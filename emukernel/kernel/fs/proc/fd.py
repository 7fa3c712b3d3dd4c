"""/proc/PID/fd and fdinfo (Linux: fs/proc/fd.c)."""

from __future__ import annotations

from stat import S_IFLNK

from emukernel.kernel.errno import ENOENT, Errno
from emukernel.kernel.fs.dcache import Dentry, Path, d_path
from emukernel.kernel.fs.file import FMODE_READ, FMODE_WRITE, O_CLOEXEC
from emukernel.kernel.fs.inode import Inode, SuperBlock
from emukernel.kernel.fs.kernfs import KernDirectory, numbered
from emukernel.kernel.fs.permission import generic_permission
from emukernel.kernel.fs.proc import pid_number
from emukernel.kernel.fs.proc.base import TaskFile, check_ptrace, own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.cred import Cred
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.fs.inode import DirectoryEntry
    from emukernel.kernel.task import Task

_INO_BASE = 1 << 24


class FdDirectory(KernDirectory):
    """/proc/PID/fd: a magic link for each descriptor."""

    __slots__ = ("task",)

    strict = True
    permissions = 0o500

    def __init__(self, sb: SuperBlock, task: Task) -> None:
        super().__init__(sb, self.permissions)
        self.task = task
        self.populated = True
        own(self, task)

    def refresh(self, task: Task) -> None:
        self.size = len(self.task.files.table)

    def permission(self, cred: Cred, mask: int) -> None:
        current = self.sb.kernel.current
        if current is None or current.tgid != self.task.tgid or current.cred is not cred:
            generic_permission(cred, self, mask)

    def file(self, name: bytes) -> tuple[int, File]:
        """The descriptor of that name; Errno(ENOENT)."""
        fd = pid_number(name)
        file = None if fd is None else self.task.files.table.get(fd)
        if fd is None or file is None:
            raise Errno(ENOENT)
        return fd, file

    def lookup(self, task: Task, parent: Dentry, name: bytes) -> Dentry | None:
        fd, _ = self.file(name)
        return Dentry(name, parent, FdLink(self.sb, self.task, fd))

    def readdir(self, task: Task, parent: Dentry) -> list[DirectoryEntry]:
        kind = 10 if self.permissions == 0o500 else 8
        return numbered([(b"%d" % fd, _INO_BASE + fd, kind) for fd in self.task.files])


class FdLink(Inode):
    """/proc/PID/fd/N. Its mode says how the file is open."""

    __slots__ = ("fd", "task")

    def __init__(self, sb: SuperBlock, task: Task, fd: int) -> None:
        super().__init__(sb, _INO_BASE + fd, S_IFLNK)
        self.task = task
        self.fd = fd
        self.size = 64
        self.refresh(task)

    def refresh(self, task: Task) -> None:
        own(self, self.task)
        file = self.task.files.table.get(self.fd)
        mode = S_IFLNK
        if file is not None:
            if file.mode & FMODE_READ:
                mode |= 0o500
            if file.mode & FMODE_WRITE:
                mode |= 0o300
        self.mode = mode

    def target(self, reader: Task) -> Path:
        """Where the link leads; Errno(EACCES, ENOENT)."""
        check_ptrace(reader, self.task)
        file = self.task.files.table.get(self.fd)
        if file is None:
            raise Errno(ENOENT)
        return file.path

    def get_link(self, task: Task) -> Path:
        return self.target(task)

    def readlink(self, task: Task) -> bytes:
        return d_path(self.target(task), task.fs.root)


class FdinfoDirectory(FdDirectory):
    """/proc/PID/fdinfo: what is known of each descriptor."""

    __slots__ = ()

    permissions = 0o555

    def refresh(self, task: Task) -> None:
        return

    def lookup(self, task: Task, parent: Dentry, name: bytes) -> Dentry | None:
        fd, _ = self.file(name)
        return Dentry(name, parent, FdinfoFile(self.sb, self.task, fd))


class FdinfoFile(TaskFile):
    """/proc/PID/fdinfo/N"""

    __slots__ = ("fd",)

    def __init__(self, sb: SuperBlock, task: Task, fd: int) -> None:
        super().__init__(sb, task, _never, 0o444)
        self.ino = _INO_BASE + (1 << 20) + fd
        self.fd = fd

    def show(self, task: Task) -> bytes:
        check_ptrace(task, self.task)
        files = self.task.files
        file = files.table.get(self.fd)
        if file is None:
            raise Errno(ENOENT)
        flags = file.flags | (O_CLOEXEC if self.fd in files.cloexec else 0)
        pos = file.pos if file.seekable else 0
        text = (
            f"pos:\t{pos}\nflags:\t0{flags:o}\nmnt_id:\t{file.path.mnt.id}\n"
            f"ino:\t{file.inode.ino}\n"
        )
        return (text + file.fdinfo()).encode()


def _never(task: Task, reader: Task) -> bytes:
    return b""


