"""Names in the tree (Linux: fs/dcache.c, fs/d_path.c): dentries, paths, and getcwd(2)."""

from __future__ import annotations

from emukernel.kernel.errno import ENOENT, ERANGE, Errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.inode import Inode
    from emukernel.kernel.fs.mount import Mount
    from emukernel.kernel.task import Task


class Dentry:
    """The name `name` of `inode` in the directory of `parent` (None at a file system's root).

    `mounted` is the mount that covers it. `offset` is its place among its siblings, for readdir.
    `unhashed` says that the name was removed while someone still refers to it. Objects outside
    of any directory (pipes and the like) have a root dentry each, with the name to show.
    """

    __slots__ = ("__weakref__", "inode", "mounted", "name", "offset", "parent", "unhashed")

    def __init__(self, name: bytes, parent: Dentry | None, inode: Inode, offset: int = 0) -> None:
        self.name = name
        self.parent = parent
        self.inode = inode
        self.offset = offset
        self.mounted: Mount | None = None
        self.unhashed = False


class Path:
    """A place in the tree: a dentry as seen through a mount. Never changed after it was made."""

    __slots__ = ("dentry", "mnt")

    def __init__(self, mnt: Mount, dentry: Dentry) -> None:
        self.mnt = mnt
        self.dentry = dentry

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Path) and self.dentry is other.dentry and self.mnt is other.mnt
        )

    def __hash__(self) -> int:
        return hash((id(self.mnt), id(self.dentry)))

    @property
    def inode(self) -> Inode:
        return self.dentry.inode


def watched(dentry: Dentry) -> bool:
    """Does anybody watch (inotify) this file or its directory?"""
    parent = dentry.parent
    return bool(dentry.inode.marks or (parent is not None and parent.inode.marks))


def is_subdir(dentry: Dentry, ancestor: Dentry) -> bool:
    """Is `dentry` `ancestor` itself or below it, within one file system?"""
    at: Dentry | None = dentry
    while at is not None:
        if at is ancestor:
            return True
        at = at.parent
    return False


def prepend_path(path: Path, root: Path) -> tuple[bytes, bool]:
    """The name of `path` seen from `root`, and whether `root` was met on the way up."""
    parts: list[bytes] = []
    mnt = path.mnt
    dentry = path.dentry
    while dentry is not root.dentry or mnt is not root.mnt:
        if dentry is mnt.root:
            mountpoint = mnt.mountpoint
            if mountpoint is None:
                return b"/" + b"/".join(reversed(parts)), False
            mnt = mountpoint.mnt
            dentry = mountpoint.dentry
            continue
        if dentry.parent is None:
            return dentry.name + b"/".join(reversed(parts)), False
        parts.append(dentry.name)
        dentry = dentry.parent
    return b"/" + b"/".join(reversed(parts)), True


def d_path(path: Path, root: Path) -> bytes:
    """The name as /proc shows it: with " (deleted)" after a name that is gone."""
    dentry = path.dentry
    if dentry.parent is None and dentry is not path.mnt.root:
        return dentry.name
    text, _ = prepend_path(path, root)
    return text + b" (deleted)" if dentry.unhashed else text


def sys_getcwd(task: Task, buf: int, size: int) -> int:
    """getcwd(2): the length of the name with its NUL."""
    from emukernel.kernel.uaccess import copy_to_user

    fs = task.fs
    if fs.pwd.dentry.unhashed:
        raise Errno(ENOENT)
    text, reachable = prepend_path(fs.pwd, fs.root)
    if not reachable:
        text = b"(unreachable)" + text
    if len(text) + 1 > 4096:
        from emukernel.kernel.errno import ENAMETOOLONG

        raise Errno(ENAMETOOLONG)
    if len(text) + 1 > size:
        raise Errno(ERANGE)
    copy_to_user(task, buf, text + b"\0")
    return len(text) + 1
