"""/proc/PID/ns (Linux: fs/proc/namespaces.c). There is one namespace of each kind: the first."""

from __future__ import annotations

from stat import S_IFLNK, S_IFREG

from emukernel.kernel.fs.dcache import Dentry, Path
from emukernel.kernel.fs.file import File
from emukernel.kernel.fs.inode import Inode, SuperBlock
from emukernel.kernel.fs.kernfs import KernDirectory
from emukernel.kernel.fs.mount import pseudo_mount
from emukernel.kernel.fs.proc.base import check_ptrace, own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

NSFS_MAGIC = 0x6E736673

# Numbers of the first namespaces (PROC_*_INIT_INO); of mnt and net what a boot would give them.
KINDS = (
    (b"cgroup", b"cgroup", 0xEFFFFFFB),
    (b"ipc", b"ipc", 0xEFFFFFFF),
    (b"mnt", b"mnt", 0xF0000000),
    (b"net", b"net", 0xF0000001),
    (b"pid", b"pid", 0xEFFFFFFC),
    (b"pid_for_children", b"pid", 0xEFFFFFFC),
    (b"time", b"time", 0xEFFFFFFA),
    (b"time_for_children", b"time", 0xEFFFFFFA),
    (b"user", b"user", 0xEFFFFFFD),
    (b"uts", b"uts", 0xEFFFFFFE),
)


class NamespaceInode(Inode):
    """A namespace, which can be opened but has no contents."""

    __slots__ = ()

    def open(self, task: Task, path: Path, flags: int) -> File:
        return File(path, flags)


class NamespaceLink(Inode):
    """/proc/PID/ns/KIND: a magic link."""

    __slots__ = ("kind", "number", "task")

    def __init__(self, sb: SuperBlock, task: Task, kind: bytes, number: int) -> None:
        super().__init__(sb, sb.new_ino(), S_IFLNK | 0o777)
        self.task = task
        self.kind = kind
        self.number = number
        own(self, task)

    def get_link(self, task: Task) -> Path:
        check_ptrace(task, self.task)
        mnt = pseudo_mount(task.kernel, "nsfs", NSFS_MAGIC)
        inode = NamespaceInode(mnt.sb, self.number, S_IFREG | 0o444)
        return Path(mnt, Dentry(self.readlink(task), None, inode))

    def readlink(self, task: Task) -> bytes:
        check_ptrace(task, self.task)
        return b"%s:[%d]" % (self.kind, self.number)


class NamespaceDirectory(KernDirectory):
    """/proc/PID/ns"""

    __slots__ = ("task",)

    strict = True

    def __init__(self, sb: SuperBlock, task: Task) -> None:
        super().__init__(sb, 0o511)
        self.task = task
        own(self, task)

    def populate(self, dentry: Dentry) -> None:
        for name, kind, number in KINDS:
            self.add(dentry, name, NamespaceLink(self.sb, self.task, kind, number))
