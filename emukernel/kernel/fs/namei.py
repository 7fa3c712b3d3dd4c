"""Making, removing and renaming (Linux: fs/namei.c). The walk itself is in lookup.py."""

from __future__ import annotations

from stat import S_IFREG, S_ISDIR

from emukernel.kernel.cred import CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_MKNOD
from emukernel.kernel.errno import (
    EBUSY,
    EEXIST,
    EINVAL,
    EISDIR,
    EMLINK,
    ENOENT,
    ENOTDIR,
    ENOTEMPTY,
    EPERM,
    EXDEV,
    Errno,
)
from emukernel.kernel.fs.dcache import Dentry, Path, is_subdir
from emukernel.kernel.fs.inode import check_alive
from emukernel.kernel.fs.lookup import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_REMOVEDIR,
    AT_SYMLINK_FOLLOW,
    LAST_DOT,
    LAST_DOTDOT,
    LAST_NORM,
    LAST_ROOT,
    LOOKUP_FOLLOW,
    Walk,
    getname,
    parent_at,
    path_lookupat,
)
from emukernel.kernel.fs.mount import mnt_want_write
from emukernel.kernel.fs.permission import (
    MAY_EXEC,
    MAY_READ,
    MAY_WRITE,
    check_sticky,
    inode_permission,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.inode import Inode
    from emukernel.kernel.task import Task

RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
RENAME_WHITEOUT = 4

_S_IFMT = 0o170000
_S_IFSOCK, _S_IFBLK, _S_IFDIR = 0o140000, 0o060000, 0o040000
_S_IFCHR, _S_IFIFO = 0o020000, 0o010000
_LINK_MAX = 0xFFFFFFFF


def filename_create(task: Task, dfd: int, name: bytes, directory: bool) -> tuple[Path, bytes]:
    """The directory and the name of a file to make; `directory`: slashes may follow the name.

    Errno: EEXIST, ENOENT for trailing slashes, EROFS.
    """
    walk = parent_at(task, dfd, name)
    if walk.last_type != LAST_NORM:
        raise Errno(EEXIST)
    check_alive(walk.path.dentry.inode)
    if walk.lookup(walk.last) is not None:
        raise Errno(EEXIST)
    if walk.trailing and not directory:
        raise Errno(ENOENT)
    mnt_want_write(walk.path.mnt)
    return walk.path, walk.last


def may_create(task: Task, directory: Inode) -> None:
    """May the caller add a name to this directory?"""
    check_alive(directory)
    inode_permission(task.cred, directory, MAY_WRITE | MAY_EXEC)


def may_delete(task: Task, directory: Inode, victim: Dentry, is_dir: bool) -> None:
    """May the caller remove `victim` from this directory (as a directory, if `is_dir`)?"""
    inode_permission(task.cred, directory, MAY_WRITE | MAY_EXEC)
    inode = victim.inode
    check_sticky(task.cred, directory, inode)
    if is_dir:
        if not S_ISDIR(inode.mode):
            raise Errno(ENOTDIR)
    elif S_ISDIR(inode.mode):
        raise Errno(EISDIR)
    check_alive(directory)


# Making


def sys_mkdirat(task: Task, dfd: int, pathname: int, mode: int) -> int:
    """mkdirat(2)"""
    parent, name = filename_create(task, dfd, getname(task, pathname), True)
    directory = parent.dentry.inode
    mode &= ~(task.fs.umask & 0o777) & 0o1777
    may_create(task, directory)
    if directory.nlink >= _LINK_MAX:
        raise Errno(EMLINK)
    _created(directory, name, directory.mkdir(task, parent.dentry, name, mode))
    return 0


def _created(directory: Inode, name: bytes, dentry: Dentry) -> None:
    """A name was made."""
    if directory.marks:
        from emukernel.kernel.fs.fsnotify import IN_CREATE, fsnotify_name

        fsnotify_name(directory, IN_CREATE, name, dentry.inode)


def sys_mkdir(task: Task, pathname: int, mode: int) -> int:
    """mkdir(2)"""
    return sys_mkdirat(task, AT_FDCWD, pathname, mode)


def sys_mknodat(task: Task, dfd: int, filename: int, mode: int, dev: int) -> int:
    """mknodat(2)"""
    kind = mode & _S_IFMT
    if kind == _S_IFDIR:
        raise Errno(EPERM)
    if kind not in (0, S_IFREG, _S_IFCHR, _S_IFBLK, _S_IFIFO, _S_IFSOCK):
        raise Errno(EINVAL)
    parent, name = filename_create(task, dfd, getname(task, filename), False)
    mode &= ~(task.fs.umask & 0o777)
    directory = parent.dentry.inode
    may_create(task, directory)
    if kind in (_S_IFCHR, _S_IFBLK):
        whiteout = kind == _S_IFCHR and not dev
        if not whiteout and not task.cred.capable(CAP_MKNOD):
            raise Errno(EPERM)
    else:
        dev = 0
    if not kind:
        mode |= S_IFREG
    _created(directory, name, directory.mknod(task, parent.dentry, name, mode, dev))
    return 0


def sys_mknod(task: Task, filename: int, mode: int, dev: int) -> int:
    """mknod(2)"""
    return sys_mknodat(task, AT_FDCWD, filename, mode, dev)


def sys_symlinkat(task: Task, oldname: int, newdfd: int, newname: int) -> int:
    """symlinkat(2)"""
    target = getname(task, oldname)
    parent, name = filename_create(task, newdfd, getname(task, newname), False)
    may_create(task, parent.dentry.inode)
    directory = parent.dentry.inode
    _created(directory, name, directory.symlink(task, parent.dentry, name, target))
    return 0


def sys_symlink(task: Task, oldname: int, newname: int) -> int:
    """symlink(2)"""
    return sys_symlinkat(task, oldname, AT_FDCWD, newname)


def sys_linkat(
    task: Task, olddfd: int, oldname: int, newdfd: int, newname: int, flags: int
) -> int:
    """linkat(2)"""
    if flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH):
        raise Errno(EINVAL)
    empty = bool(flags & AT_EMPTY_PATH)
    name = getname(task, oldname, empty)
    if not name and olddfd != AT_FDCWD and not _may_name(task, olddfd):
        raise Errno(ENOENT)
    follow = LOOKUP_FOLLOW if flags & AT_SYMLINK_FOLLOW else 0
    old = path_lookupat(task, olddfd, name, follow)
    parent, new = filename_create(task, newdfd, getname(task, newname), False)
    if old.mnt is not parent.mnt:
        raise Errno(EXDEV)
    _may_linkat(task, old.dentry.inode)
    vfs_link(task, old.dentry, parent.dentry, new)
    return 0


def sys_link(task: Task, oldname: int, newname: int) -> int:
    """link(2)"""
    return sys_linkat(task, AT_FDCWD, oldname, AT_FDCWD, newname, 0)


def vfs_link(task: Task, old: Dentry, parent: Dentry, name: bytes) -> None:
    """Gives `old`'s inode a further name."""
    inode = old.inode
    may_create(task, parent.inode)
    if S_ISDIR(inode.mode):
        raise Errno(EPERM)
    if not inode.nlink and not inode.linkable:
        raise Errno(ENOENT)
    if inode.nlink >= _LINK_MAX:
        raise Errno(EMLINK)
    parent.inode.link_to(task, old, parent, name)
    if inode.marks:
        from emukernel.kernel.fs.fsnotify import IN_ATTRIB, fsnotify_inode

        fsnotify_inode(inode, IN_ATTRIB)
    _created(parent.inode, name, old)


def _may_name(task: Task, fd: int) -> bool:
    """May the file of a descriptor get a name? Not if someone else opened it."""
    return task.cred.capable(CAP_DAC_READ_SEARCH) or task.files.get_raw(fd).cred is task.cred


def _may_linkat(task: Task, inode: Inode) -> None:
    """fs.protected_hardlinks: only own files, and plain ones that could be opened anyway."""
    cred = task.cred
    if cred.fsuid == inode.uid or cred.capable(CAP_FOWNER):
        return
    mode = inode.mode
    if mode & _S_IFMT == S_IFREG and not mode & 0o4000 and mode & 0o2010 != 0o2010:
        try:
            inode_permission(cred, inode, MAY_READ | MAY_WRITE)
        except Errno:
            raise Errno(EPERM) from None
        return
    raise Errno(EPERM)


# Removing


def do_unlinkat(task: Task, dfd: int, name: bytes) -> None:
    """unlink(2) of a name."""
    walk = parent_at(task, dfd, name)
    if walk.last_type != LAST_NORM:
        raise Errno(EISDIR)
    mnt_want_write(walk.path.mnt)
    dentry = walk.lookup(walk.last)
    if dentry is None:
        raise Errno(ENOENT)
    if walk.trailing:
        raise Errno(EISDIR if S_ISDIR(dentry.inode.mode) else ENOTDIR)
    directory = walk.path.dentry.inode
    may_delete(task, directory, dentry, False)
    if dentry.mounted is not None:
        raise Errno(EBUSY)
    directory.unlink(task, dentry)
    _removed(directory, dentry)


def _removed(directory: Inode, dentry: Dentry) -> None:
    """A name was taken away."""
    if directory.marks or dentry.inode.marks:
        from emukernel.kernel.fs.fsnotify import fsnotify_unlink

        fsnotify_unlink(directory, dentry.name, dentry.inode)


def do_rmdir(task: Task, dfd: int, name: bytes) -> None:
    """rmdir(2) of a name."""
    walk = parent_at(task, dfd, name)
    if walk.last_type == LAST_DOTDOT:
        raise Errno(ENOTEMPTY)
    if walk.last_type == LAST_DOT:
        raise Errno(EINVAL)
    if walk.last_type == LAST_ROOT:
        raise Errno(EBUSY)
    mnt_want_write(walk.path.mnt)
    dentry = walk.lookup(walk.last)
    if dentry is None:
        raise Errno(ENOENT)
    directory = walk.path.dentry.inode
    may_delete(task, directory, dentry, True)
    if dentry.mounted is not None:
        raise Errno(EBUSY)
    directory.rmdir(task, dentry)
    _removed(directory, dentry)


def sys_unlinkat(task: Task, dfd: int, pathname: int, flag: int) -> int:
    """unlinkat(2)"""
    if flag & ~AT_REMOVEDIR:
        raise Errno(EINVAL)
    remove = do_rmdir if flag else do_unlinkat
    remove(task, dfd, getname(task, pathname))
    return 0


def sys_unlink(task: Task, pathname: int) -> int:
    """unlink(2)"""
    do_unlinkat(task, AT_FDCWD, getname(task, pathname))
    return 0


def sys_rmdir(task: Task, pathname: int) -> int:
    """rmdir(2)"""
    do_rmdir(task, AT_FDCWD, getname(task, pathname))
    return 0


# Renaming


def sys_renameat2(
    task: Task, olddfd: int, oldname: int, newdfd: int, newname: int, flags: int
) -> int:
    """renameat2(2)"""
    if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT) or (
        flags & RENAME_EXCHANGE and flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)
    ):
        raise Errno(EINVAL)
    old = parent_at(task, olddfd, getname(task, oldname))
    new = parent_at(task, newdfd, getname(task, newname))
    if old.path.mnt is not new.path.mnt:
        raise Errno(EXDEV)
    if old.last_type != LAST_NORM:
        raise Errno(EBUSY)
    if new.last_type != LAST_NORM:
        raise Errno(EEXIST if flags & RENAME_NOREPLACE else EBUSY)
    mnt_want_write(old.path.mnt)
    source, target = _rename_ends(old, new, flags)
    vfs_rename(task, old.path.dentry, source, new.path.dentry, new.last, target, flags)
    return 0


def _rename_ends(old: Walk, new: Walk, flags: int) -> tuple[Dentry, Dentry | None]:
    """What is renamed and what is in its way, with the checks on how they lie to each other."""
    source = old.lookup(old.last)
    if source is None:
        raise Errno(ENOENT)
    check_alive(new.path.dentry.inode)
    target = new.lookup(new.last)
    if target is None:
        if flags & RENAME_EXCHANGE:
            raise Errno(ENOENT)
    elif flags & RENAME_NOREPLACE:
        raise Errno(EEXIST)
    exchange = flags & RENAME_EXCHANGE
    if target is not None and exchange and new.trailing and not S_ISDIR(target.inode.mode):
        raise Errno(ENOTDIR)
    slashes = old.trailing or (not exchange and new.trailing)
    if slashes and not S_ISDIR(source.inode.mode):
        raise Errno(ENOTDIR)
    if is_subdir(new.path.dentry, source):
        raise Errno(EINVAL)
    if target is not None and is_subdir(old.path.dentry, target):
        raise Errno(EINVAL if flags & RENAME_EXCHANGE else ENOTEMPTY)
    return source, target


def vfs_rename(
    task: Task,
    old_parent: Dentry,
    source: Dentry,
    new_parent: Dentry,
    name: bytes,
    target: Dentry | None,
    flags: int,
) -> None:
    """Moves `source` to `new_parent`/`name`, in place of `target` if there is one."""
    if target is not None and source.inode is target.inode:
        return
    is_dir = S_ISDIR(source.inode.mode)
    old_dir, new_dir = old_parent.inode, new_parent.inode
    may_delete(task, old_dir, source, is_dir)
    if target is None:
        may_create(task, new_dir)
    elif flags & RENAME_EXCHANGE:
        may_delete(task, new_dir, target, S_ISDIR(target.inode.mode))
    else:
        may_delete(task, new_dir, target, is_dir)
    if new_dir is not old_dir:
        if is_dir:
            inode_permission(task.cred, source.inode, MAY_WRITE)
        if flags & RENAME_EXCHANGE and target is not None and S_ISDIR(target.inode.mode):
            inode_permission(task.cred, target.inode, MAY_WRITE)
    if source.mounted is not None or (target is not None and target.mounted is not None):
        raise Errno(EBUSY)
    if flags & RENAME_WHITEOUT and not task.cred.capable(CAP_MKNOD):
        raise Errno(EPERM)
    old_name = source.name
    old_dir.rename(task, source, new_parent, name, target, flags)
    gone = target.inode if target is not None else None
    if old_dir.marks or new_dir.marks or source.inode.marks or (gone and gone.marks):
        from emukernel.kernel.fs.fsnotify import fsnotify_move

        exchange = flags & RENAME_EXCHANGE
        lost = None if exchange else gone
        fsnotify_move(old_dir, old_name, new_dir, name, source.inode, lost)
        if exchange and gone is not None:
            fsnotify_move(new_dir, name, old_dir, old_name, gone, None)


def sys_renameat(task: Task, olddfd: int, oldname: int, newdfd: int, newname: int) -> int:
    """renameat(2)"""
    return sys_renameat2(task, olddfd, oldname, newdfd, newname, 0)


def sys_rename(task: Task, oldname: int, newname: int) -> int:
    """rename(2)"""
    return sys_renameat2(task, AT_FDCWD, oldname, AT_FDCWD, newname, 0)
