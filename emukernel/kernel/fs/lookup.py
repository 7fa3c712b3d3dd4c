"""The path walk (Linux: fs/namei.c): from a name to a place in the guest's tree.

Nothing here ever hands a name to the host: every component is looked up in an inode of this
kernel, and symbolic links are text that the same walk resolves.
"""

from __future__ import annotations

from stat import S_ISDIR, S_ISLNK

from emukernel.kernel.errno import (
    EAGAIN,
    ELOOP,
    ENAMETOOLONG,
    ENOENT,
    ENOTDIR,
    EXDEV,
    Errno,
)
from emukernel.kernel.fs.dcache import Dentry, Path
from emukernel.kernel.fs.permission import MAY_EXEC
from emukernel.kernel.uaccess import strncpy_from_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.cred import Cred
    from emukernel.kernel.task import Task

PATH_MAX = 4096
NAME_MAX = 255
MAXSYMLINKS = 40

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_REMOVEDIR = 0x200
AT_EACCESS = 0x200
AT_SYMLINK_FOLLOW = 0x400
AT_NO_AUTOMOUNT = 0x800
AT_EMPTY_PATH = 0x1000

LOOKUP_FOLLOW = 1
LOOKUP_DIRECTORY = 2
LOOKUP_EMPTY = 4

# openat2(2)
RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10
RESOLVE_CACHED = 0x20
_SCOPED = RESOLVE_BENEATH | RESOLVE_IN_ROOT

LAST_NORM, LAST_ROOT, LAST_DOT, LAST_DOTDOT = range(4)


def getname(task: Task, addr: int, empty: bool = False) -> bytes:
    """A path name from user memory. Errno: EFAULT, ENAMETOOLONG, ENOENT for "" unless `empty`."""
    name = strncpy_from_user(task, addr, PATH_MAX)
    if not name and not empty:
        raise Errno(ENOENT)
    return name


class Walk:
    """A walk in progress (struct nameidata).

    `path` is where it stands. After `parent()`, `last` is the component it stopped before,
    `last_type` tells "..", "." and "/" apart, and `trailing` says that slashes follow it.
    """

    __slots__ = (
        "cred",
        "last",
        "last_type",
        "links",
        "path",
        "resolve",
        "root",
        "task",
        "trailing",
    )

    def __init__(
        self, task: Task, dfd: int, name: bytes, resolve: int = 0, cred: Cred | None = None
    ) -> None:
        """Stands where `name` starts. Errno: EBADF, ENOTDIR, EXDEV."""
        fs = task.fs
        self.task = task
        self.cred = task.cred if cred is None else cred
        self.resolve = resolve
        self.root = fs.root
        self.links = 0
        self.last = b""
        self.last_type = LAST_ROOT
        self.trailing = False
        if name[:1] == b"/" and not resolve & RESOLVE_IN_ROOT:
            if resolve & RESOLVE_BENEATH:
                raise Errno(EXDEV)
            self.path = fs.root
            return
        if dfd == AT_FDCWD:
            self.path = fs.pwd
        else:
            self.path = task.files.get_raw(dfd).path
            if name and not S_ISDIR(self.path.dentry.inode.mode):
                raise Errno(ENOTDIR)
        if resolve & _SCOPED:
            self.root = self.path

    def _jump_root(self) -> None:
        if self.resolve & RESOLVE_BENEATH:
            raise Errno(EXDEV)
        if self.resolve & RESOLVE_NO_XDEV and self.path.mnt is not self.root.mnt:
            raise Errno(EXDEV)
        self.path = self.root

    def _jump_link(self, path: Path) -> None:
        resolve = self.resolve
        if resolve & RESOLVE_NO_MAGICLINKS:
            raise Errno(ELOOP)
        if resolve & _SCOPED or (resolve & RESOLVE_NO_XDEV and path.mnt is not self.path.mnt):
            raise Errno(EXDEV)
        self.path = path

    def dotdot(self) -> None:
        """Moves to the parent directory, out of mounts, at most to the root."""
        path = self.path
        mnt = path.mnt
        dentry = path.dentry
        root = self.root
        while True:
            if dentry is root.dentry and mnt is root.mnt:
                if self.resolve & RESOLVE_BENEATH:
                    raise Errno(EXDEV)
                break
            if dentry is not mnt.root:
                if dentry.parent is not None:
                    dentry = dentry.parent
                break
            mountpoint = mnt.mountpoint
            if mountpoint is None:
                break
            if self.resolve & RESOLVE_NO_XDEV:
                raise Errno(EXDEV)
            mnt = mountpoint.mnt
            dentry = mountpoint.dentry
        self.path = self._cross(Path(mnt, dentry)) if dentry.mounted else Path(mnt, dentry)

    def _cross(self, path: Path) -> Path:
        """From a mount point to what is mounted there."""
        mnt = path.mnt
        dentry = path.dentry
        while dentry.mounted is not None:
            if self.resolve & RESOLVE_NO_XDEV:
                raise Errno(EXDEV)
            mnt = dentry.mounted
            dentry = mnt.root
        return Path(mnt, dentry)

    def lookup(self, name: bytes) -> Dentry | None:
        """The entry `name` of the directory where the walk stands, no mount crossed."""
        if len(name) > NAME_MAX:
            raise Errno(ENAMETOOLONG)
        dentry = self.path.dentry
        return dentry.inode.lookup(self.task, dentry, name)

    def follow(self, dentry: Dentry) -> bytes:
        """Follows the symbolic link `dentry`, an entry of where the walk stands.

        A magic link moves the walk to its end, and the rest is b"". Otherwise the walk is put
        where the text starts, and the text is what has to be walked next.
        """
        self.links += 1
        if self.links > MAXSYMLINKS or self.resolve & RESOLVE_NO_SYMLINKS:
            raise Errno(ELOOP)
        inode = dentry.inode
        inode.touch_atime()
        target = inode.get_link(self.task)
        if not isinstance(target, bytes):
            self._jump_link(target)
            return b""
        if not target:
            raise Errno(ENOENT)
        if target[0] == 0x2F:
            self._jump_root()
        return target

    def run(self, name: bytes, parent: bool, follow: bool) -> None:
        """Walks `name`; stops before the last component if `parent`.

        Otherwise a symbolic link at the end is followed if `follow`, or if slashes come after it.
        """
        stack = name.split(b"/")
        self.trailing = not stack[-1]
        stack = [part for part in reversed(stack) if part]
        self.last_type = LAST_ROOT
        while stack:
            part = stack.pop()
            path = self.path
            dentry = path.dentry
            inode = dentry.inode
            if not S_ISDIR(inode.mode):
                raise Errno(ENOTDIR)
            inode.permission(self.cred, MAY_EXEC)
            last = not stack
            if part == b".":
                if last and parent:
                    self.last_type = LAST_DOT
                    return
                continue
            if part == b"..":
                if last and parent:
                    self.last_type = LAST_DOTDOT
                    return
                self.dotdot()
                continue
            if last and parent:
                self.last_type = LAST_NORM
                self.last = part
                return
            if len(part) > NAME_MAX:
                raise Errno(ENAMETOOLONG)
            child = inode.lookup(self.task, dentry, part)
            if child is None:
                # A name that isn't there is not cached either.
                raise Errno(EAGAIN if self.resolve & RESOLVE_CACHED else ENOENT)
            if child.mounted is not None:
                self.path = self._cross(Path(path.mnt, child))
            elif S_ISLNK(child.inode.mode) and (not last or follow or self.trailing):
                rest = self.follow(child)
                if rest:
                    parts = rest.split(b"/")
                    if last and not parts[-1]:
                        self.trailing = True
                    stack.extend(part for part in reversed(parts) if part)
            else:
                self.path = Path(path.mnt, child)

    def step(self, dentry: Dentry) -> None:
        """Moves to the entry `dentry`, and on to what is mounted there."""
        self.path = self._cross(Path(self.path.mnt, dentry))

    def parent(self, name: bytes) -> None:
        """Walks to the directory in which the last component of `name` is to be looked up."""
        self.run(name, True, False)

    def finish(self, name: bytes, flags: int) -> Path:
        """Walks all of `name`; the place where it leads."""
        self.run(name, False, bool(flags & LOOKUP_FOLLOW))
        if ((self.trailing and name) or flags & LOOKUP_DIRECTORY) and not S_ISDIR(
            self.path.dentry.inode.mode
        ):
            raise Errno(ENOTDIR)
        return self.path


def path_lookupat(
    task: Task, dfd: int, name: bytes, flags: int, resolve: int = 0, cred: Cred | None = None
) -> Path:
    """Where `name` leads, relative to the directory `dfd` (LOOKUP_* and RESOLVE_* flags)."""
    return Walk(task, dfd, name, resolve, cred).finish(name, flags)


def user_path_at(
    task: Task, dfd: int, addr: int, flags: int, cred: Cred | None = None
) -> Path:
    """Where the name at the user's `addr` leads. LOOKUP_EMPTY: "" is `dfd` itself."""
    name = getname(task, addr, bool(flags & LOOKUP_EMPTY))
    return path_lookupat(task, dfd, name, flags, 0, cred)


def parent_at(task: Task, dfd: int, name: bytes) -> Walk:
    """A walk that stands in the directory of the last component of `name`."""
    walk = Walk(task, dfd, name)
    walk.parent(name)
    return walk
