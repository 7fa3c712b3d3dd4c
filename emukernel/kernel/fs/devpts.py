"""devpts: the slaves of ptys, by number (Linux: fs/devpts/inode.c)."""

from __future__ import annotations

from stat import S_IFCHR, S_IFDIR

from emukernel.kernel.errno import EIO, ENOSPC, Errno
from emukernel.kernel.fs.dcache import Dentry
from emukernel.kernel.fs.inode import Inode, SuperBlock, makedev
from emukernel.kernel.fs.kernfs import numbered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.fs.inode import DirectoryEntry
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task
    from emukernel.kernel.tty.pty import PtySlave

DEVPTS_SUPER_MAGIC = 0x1CD1
PTY_MAX = 4096
"""As many pairs as there can be (/proc/sys/kernel/pty/max)."""

_PTMX = makedev(5, 2)
_SLAVE_MAJOR = 136


class DevptsSuperBlock(SuperBlock):
    """The file system. `pairs` ptys exist; `freed` are numbers below `next_index` that are free."""

    __slots__ = ("freed", "next_index", "pairs")

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel, "devpts", DEVPTS_SUPER_MAGIC, "devpts")
        self.block_size = 1024
        self.options = "mode=600,ptmxmode=000"
        self.pairs = self.next_index = 0
        self.freed: list[int] = []
        directory = DevptsDirectory(self, 1, S_IFDIR | 0o755)
        directory.nlink = 2
        self.root = Dentry(b"/", None, directory)
        ptmx = Inode(self, 2, S_IFCHR)
        ptmx.rdev = _PTMX
        directory.entries[b"ptmx"] = Dentry(b"ptmx", self.root, ptmx)

    def new_index(self) -> int:
        """The lowest free number; Errno(ENOSPC)."""
        if self.pairs >= PTY_MAX:
            raise Errno(ENOSPC)
        self.pairs += 1
        if self.freed:
            from heapq import heappop

            return heappop(self.freed)
        self.next_index += 1
        return self.next_index - 1

    def free_index(self, index: int) -> None:
        """Both ends of a pair are closed."""
        from heapq import heappush

        self.pairs -= 1
        heappush(self.freed, index)

    def new_slave(self, task: Task, slave: PtySlave) -> DevptsInode:
        """A node for a new slave, its opener's own."""
        root = self.root
        assert root is not None
        inode = DevptsInode(self, slave, task.cred.fsuid, task.cred.fsgid)
        name = b"%d" % slave.index
        inode.dentry = root.inode.entries[name] = Dentry(name, root, inode)
        return inode


class DevptsDirectory(Inode):
    """/dev/pts"""

    __slots__ = ()

    def lookup(self, task: Task, parent: Dentry, name: bytes) -> Dentry | None:
        return self.entries.get(name)

    def readdir(self, task: Task, parent: Dentry) -> list[DirectoryEntry]:
        return numbered(
            [
                (name, child.inode.ino, S_IFCHR >> 12)
                for name, child in reversed(self.entries.items())
                if child is not None
            ]
        )


class DevptsInode(Inode):
    """The node of a slave."""

    __slots__ = ("dentry", "slave")

    dentry: Dentry

    def __init__(self, sb: SuperBlock, slave: PtySlave, uid: int, gid: int) -> None:
        super().__init__(sb, slave.index + 3, S_IFCHR | 0o600, uid, gid)
        self.slave: PtySlave | None = slave
        self.rdev = makedev(_SLAVE_MAJOR, slave.index)

    def open(self, task: Task, path: Path, flags: int) -> File:
        from emukernel.kernel.tty.pty import open_slave

        if self.slave is None:
            raise Errno(EIO)
        return open_slave(task, path, flags, self.slave)

    def kill(self) -> None:
        """The master was closed: the name is gone, and nobody can open it any more."""
        root = self.sb.root
        assert root is not None
        root.inode.entries.pop(self.dentry.name, None)
        self.dentry.unhashed = True
        self.nlink = 0
        self.slave = None
