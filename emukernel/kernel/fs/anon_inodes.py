"""Files that are neither in the tree nor pipes or sockets (Linux: fs/anon_inodes.c).

eventfd(2), epoll(7) and their like all share one inode.
"""

from __future__ import annotations

from emukernel.kernel.errno import ENOSPC, ENXIO, EOPNOTSUPP, Errno
from emukernel.kernel.fs.dcache import Dentry, Path
from emukernel.kernel.fs.file import File
from emukernel.kernel.fs.inode import Inode
from emukernel.kernel.fs.mount import pseudo_mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

ANON_INODE_FS_MAGIC = 0x09041934


class AnonInode(Inode):
    """The inode. /proc/PID/fd leads to it, but it can't be opened by that way."""

    __slots__ = ()

    def open(self, task: Task, path: Path, flags: int) -> File:
        raise Errno(ENXIO)

    def setattr(
        self,
        task: Task,
        *,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        atime: int | None = None,
        mtime: int | None = None,
    ) -> None:
        raise Errno(EOPNOTSUPP)


class AnonFile(File):
    """A file over that inode. Seeking is allowed and does nothing."""

    __slots__ = ()

    seekable = False
    splices = False
    splice_writes = False

    def llseek(self, task: Task, offset: int, whence: int) -> int:
        return 0


def anon_inode_path(kernel: Kernel, name: bytes) -> Path:
    """A place for a new file that /proc/PID/fd shows as "anon_inode:NAME"."""
    mnt = pseudo_mount(kernel, "anon_inodefs", ANON_INODE_FS_MAGIC)
    entries = mnt.root.inode.entries
    shared = entries.get(b"")
    if shared is None:
        sb = mnt.sb
        shared = entries[b""] = Dentry(b"", None, AnonInode(sb, sb.new_ino(), 0o600))
    return Path(mnt, Dentry(b"anon_inode:" + name, None, shared.inode))


def charge_user(kernel: Kernel, what: str, uid: int, limit: int, error: int = ENOSPC) -> None:
    """A user gets one more of what is limited; Errno(error) for more than `limit`."""
    counts = kernel.vfs.user_counts
    count = counts.get((what, uid), 0)
    if count >= limit:
        raise Errno(error)
    counts[what, uid] = count + 1


def uncharge_user(kernel: Kernel, what: str, uid: int) -> None:
    """A user has one less."""
    counts = kernel.vfs.user_counts
    left = counts[what, uid] - 1
    if left:
        counts[what, uid] = left
    else:
        del counts[what, uid]
