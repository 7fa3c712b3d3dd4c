"""From a name and O_* flags to an open file (Linux: path_openat in fs/namei.c, fs/open.c)."""

from __future__ import annotations

from stat import (
    S_IFREG,
    S_ISBLK,
    S_ISCHR,
    S_ISDIR,
    S_ISLNK,
    S_ISREG,
)

from emukernel.kernel.errno import (
    E2BIG,
    EACCES,
    EAGAIN,
    EEXIST,
    EINVAL,
    EISDIR,
    ELOOP,
    ENOENT,
    ENOTDIR,
    EPERM,
    EROFS,
    Errno,
)
from emukernel.kernel.fs.dcache import Path, watched
from emukernel.kernel.fs.file import (
    O_ACCMODE,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECT,
    O_DIRECTORY,
    O_DSYNC,
    O_EXCL,
    O_LARGEFILE,
    O_NOATIME,
    O_NOCTTY,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_PATH,
    O_RDONLY,
    O_SYNC,
    O_TMPFILE,
    O_TMPFILE_BIT,
    O_TRUNC,
    File,
    PathFile,
)
from emukernel.kernel.fs.inode import (
    allow_write_access,
    check_alive,
    deny_write_access,
)
from emukernel.kernel.fs.lookup import (
    AT_FDCWD,
    LAST_DOTDOT,
    LAST_NORM,
    LOOKUP_FOLLOW,
    RESOLVE_BENEATH,
    RESOLVE_CACHED,
    RESOLVE_IN_ROOT,
    Walk,
)
from emukernel.kernel.fs.mount import ST_NODEV, ST_NOEXEC, mnt_want_write
from emukernel.kernel.fs.permission import (
    MAY_APPEND,
    MAY_EXEC,
    MAY_READ,
    MAY_WRITE,
    inode_permission,
    owner_or_capable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_O_ASYNC = 0o20000
_SYNC_BIT = 0o4000000
VALID_OPEN_FLAGS = (
    O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_DSYNC
    | _O_ASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH
    | O_TMPFILE
)  # fmt: skip
_PATH_FLAGS = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC
_VALID_RESOLVE = 0x3F

_ACCESS = (MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE)


class OpenFlags:
    """The checked arguments of an open (struct open_flags).

    `flags` are the file's O_*, `mode` the type and mode of a file to make, `access` MAY_* that
    the caller needs, `follow` whether a symbolic link at the end is followed.
    """

    __slots__ = ("access", "flags", "follow", "mode", "resolve")

    def __init__(self, flags: int, mode: int, resolve: int = 0) -> None:
        """Errno(EINVAL), and EAGAIN for RESOLVE_CACHED with a change asked for."""
        if flags & ~VALID_OPEN_FLAGS or resolve & ~_VALID_RESOLVE:
            raise Errno(EINVAL)
        if resolve & RESOLVE_BENEATH and resolve & RESOLVE_IN_ROOT:
            raise Errno(EINVAL)
        if flags & (O_CREAT | O_TMPFILE_BIT):
            if mode & ~0o7777:
                raise Errno(EINVAL)
            self.mode = mode | S_IFREG
        else:
            if mode:
                raise Errno(EINVAL)
            self.mode = 0
        if flags & (O_DIRECTORY | O_CREAT) == O_DIRECTORY | O_CREAT:
            raise Errno(EINVAL)
        access = _ACCESS[flags & O_ACCMODE]
        if flags & O_TMPFILE_BIT and (not flags & O_DIRECTORY or not access & MAY_WRITE):
            raise Errno(EINVAL)
        if flags & O_PATH:
            if flags & ~_PATH_FLAGS:
                raise Errno(EINVAL)
            access = 0
        if flags & _SYNC_BIT:
            flags |= O_DSYNC
        if flags & O_TRUNC:
            access |= MAY_WRITE
        if flags & O_APPEND:
            access |= MAY_APPEND
        if resolve & RESOLVE_CACHED and flags & (O_TRUNC | O_CREAT | O_TMPFILE_BIT):
            raise Errno(EAGAIN)
        self.flags = flags
        self.access = access
        self.resolve = resolve
        self.follow = not flags & O_NOFOLLOW and flags & (O_CREAT | O_EXCL) != O_CREAT | O_EXCL


def legacy_flags(flags: int, mode: int) -> OpenFlags:
    """For open(2) and openat(2), which ignore what openat2(2) refuses."""
    flags &= VALID_OPEN_FLAGS
    if flags & O_PATH:
        flags &= _PATH_FLAGS
    mode &= 0o7777
    if not flags & (O_CREAT | O_TMPFILE_BIT):
        mode = 0
    return OpenFlags(flags | O_LARGEFILE if not flags & O_PATH else flags, mode)


def read_open_how(task: Task, addr: int, size: int) -> OpenFlags:
    """struct open_how of openat2(2): three u64, room for more that must be zero."""
    from struct import unpack

    from emukernel.kernel.uaccess import copy_from_user

    if size < 24:
        raise Errno(EINVAL)
    if size > 4096:
        raise Errno(E2BIG)
    data = copy_from_user(task, addr, size)
    if any(data[24:]):
        raise Errno(E2BIG)
    flags, mode, resolve = unpack("<QQQ", data[:24])
    if flags >> 32:
        raise Errno(EINVAL)
    if not flags & O_PATH:
        flags |= O_LARGEFILE
    return OpenFlags(flags, mode, resolve)


def do_filp_open(task: Task, dfd: int, name: bytes, op: OpenFlags) -> File:
    """Opens `name`, relative to the directory `dfd`. Raises Errno as open(2) does."""
    walk = Walk(task, dfd, name, op.resolve)
    flags = op.flags
    if flags & O_TMPFILE_BIT:
        return _do_tmpfile(task, walk, name, op)
    if flags & O_PATH:
        return _do_o_path(walk, name, op)
    if not flags & O_CREAT:
        walk.run(name, False, op.follow)
        path = walk.path
        if (walk.trailing or flags & O_DIRECTORY) and not S_ISDIR(path.dentry.inode.mode):
            raise Errno(ENOTDIR)
        return _do_open(task, path, op, False)
    return _open_create(task, walk, name, op)


def _open_create(task: Task, walk: Walk, name: bytes, op: OpenFlags) -> File:
    while True:
        walk.parent(name)
        if walk.last_type != LAST_NORM:
            if walk.last_type == LAST_DOTDOT:
                walk.dotdot()
            path = walk.path
            break
        if walk.trailing:
            raise Errno(EISDIR)
        directory = walk.path.dentry
        check_alive(directory.inode)
        dentry = walk.lookup(walk.last)
        if dentry is None:
            return _create(task, walk.path, walk.last, op)
        if dentry.mounted is None and S_ISLNK(dentry.inode.mode) and op.follow:
            name = walk.follow(dentry)
            if not name:
                path = walk.path
                break
            continue
        walk.step(dentry)
        path = walk.path
        break
    if op.flags & O_EXCL:
        raise Errno(EEXIST)
    if S_ISDIR(path.dentry.inode.mode):
        raise Errno(EISDIR)
    return _do_open(task, path, op, False)


def _create(task: Task, directory: Path, name: bytes, op: OpenFlags) -> File:
    inode = directory.dentry.inode
    mnt_want_write(directory.mnt)
    inode_permission(task.cred, inode, MAY_WRITE | MAY_EXEC)
    mode = op.mode & ~(task.fs.umask & 0o777)
    dentry = inode.create(task, directory.dentry, name, mode)
    if inode.marks:
        from emukernel.kernel.fs.fsnotify import IN_CREATE, fsnotify_name

        fsnotify_name(inode, IN_CREATE, name, dentry.inode)
    return _do_open(task, Path(directory.mnt, dentry), op, True)


def _do_open(task: Task, path: Path, op: OpenFlags, created: bool) -> File:
    flags = op.flags
    inode = path.dentry.inode
    truncate = False
    access = op.access
    if created:
        access = 0
    elif flags & O_TRUNC and S_ISREG(inode.mode):
        mnt_want_write(path.mnt)
        truncate = True
    may_open(task, path, access, flags)
    file = _vfs_open(task, path, flags)
    if truncate:
        try:
            from emukernel.kernel.fs.attr import do_truncate

            do_truncate(task, inode, 0)
            if inode.marks is not None:
                from emukernel.kernel.fs.fsnotify import IN_MODIFY, fsnotify

                fsnotify(path.dentry, IN_MODIFY)
        except Errno:
            file.put()
            raise
    return file


def may_open(task: Task, path: Path, access: int, flags: int) -> None:
    """The checks of an open on the inode itself (may_open in fs/namei.c)."""
    inode = path.dentry.inode
    mode = inode.mode
    if S_ISLNK(mode):
        raise Errno(ELOOP)
    if S_ISDIR(mode):
        if access & MAY_WRITE:
            raise Errno(EISDIR)
        if access & MAY_EXEC:
            raise Errno(EACCES)
    elif S_ISREG(mode):
        if access & MAY_EXEC and path.mnt.flags & ST_NOEXEC:
            raise Errno(EACCES)
    else:
        if (S_ISCHR(mode) or S_ISBLK(mode)) and path.mnt.flags & ST_NODEV:
            raise Errno(EACCES)
        if access & MAY_EXEC:
            raise Errno(EACCES)
    inode_permission(task.cred, inode, access)
    if flags & O_NOATIME and not owner_or_capable(task.cred, inode):
        raise Errno(EPERM)


def _vfs_open(task: Task, path: Path, flags: int) -> File:
    inode = path.dentry.inode
    mode = inode.mode
    if (flags + 1) & 2 and (S_ISREG(mode) or S_ISDIR(mode)) and path.mnt.readonly:
        raise Errno(EROFS)
    # Only a terminal asks for O_NOCTTY, and no file shows it.
    file = inode.open(task, path, flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC))
    file.flags &= ~O_NOCTTY
    if flags & O_DIRECT and not file.direct:
        file.put()
        raise Errno(EINVAL)
    if watched(path.dentry):
        from emukernel.kernel.fs.fsnotify import fsnotify_open

        fsnotify_open(file)
    return file


def _do_o_path(walk: Walk, name: bytes, op: OpenFlags) -> File:
    walk.run(name, False, op.follow)
    path = walk.path
    if (walk.trailing or op.flags & O_DIRECTORY) and not S_ISDIR(path.dentry.inode.mode):
        raise Errno(ENOTDIR)
    return PathFile(path, op.flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW))


def _do_tmpfile(task: Task, walk: Walk, name: bytes, op: OpenFlags) -> File:
    path = walk.finish(name, LOOKUP_FOLLOW if op.follow else 0)
    directory = path.dentry
    if not S_ISDIR(directory.inode.mode):
        raise Errno(ENOTDIR)
    mnt_want_write(path.mnt)
    inode_permission(task.cred, directory.inode, MAY_WRITE | MAY_EXEC)
    mode = op.mode & ~(task.fs.umask & 0o777)
    dentry = directory.inode.tmpfile(task, directory, mode & 0o7777)
    try:
        file = _vfs_open(task, Path(path.mnt, dentry), op.flags)
    except Errno:
        dentry.inode.release_unused()
        raise
    dentry.inode.linkable = not op.flags & O_EXCL
    return file


def open_exec(task: Task, name: bytes, dfd: int = AT_FDCWD, flags: int = 0) -> File:
    """Opens a program for execve(2): a regular file that may be executed and isn't written to.

    `flags` are execveat(2)'s AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW. While the file is open its
    writers get ETXTBSY: give it back with close_exec. Errno: EACCES, ETXTBSY, ELOOP, ENOENT…
    """
    from emukernel.kernel.fs.lookup import AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW

    if flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW):
        raise Errno(EINVAL)
    if not name and not flags & AT_EMPTY_PATH:
        raise Errno(ENOENT)
    lookup = 0 if flags & AT_SYMLINK_NOFOLLOW else LOOKUP_FOLLOW
    path = Walk(task, dfd, name).finish(name, lookup)
    inode = path.dentry.inode
    may_open(task, path, MAY_EXEC, 0)
    if not S_ISREG(inode.mode) or path.mnt.flags & ST_NOEXEC:
        raise Errno(EACCES)
    file = inode.open(task, path, O_RDONLY | O_LARGEFILE)
    try:
        deny_write_access(inode)
    except Errno:
        file.put()
        raise
    if watched(path.dentry):
        from emukernel.kernel.fs.fsnotify import fsnotify_open

        fsnotify_open(file)
    return file


def close_exec(file: File) -> None:
    """The program that open_exec gave runs no more."""
    allow_write_access(file.inode)
    file.put()

