"""Changing attributes: who may, and what follows (Linux: fs/attr.c, fs/open.c's *_common)."""

from __future__ import annotations

from stat import S_ISDIR, S_ISGID, S_ISLNK, S_ISREG, S_ISUID, S_IXGRP

from emukernel.kernel.cred import CAP_CHOWN, CAP_FSETID
from emukernel.kernel.errno import EFBIG, EINVAL, EISDIR, EOPNOTSUPP, EPERM, Errno
from emukernel.kernel.fs.dcache import watched
from emukernel.kernel.fs.filemap import check_file_size_limit, file_remove_privs
from emukernel.kernel.fs.mount import mnt_want_write
from emukernel.kernel.fs.permission import (
    MAY_WRITE,
    in_group,
    inode_permission,
    owner_or_capable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.inode import Inode
    from emukernel.kernel.task import Task

NO_CHANGE = 0xFFFFFFFF
"""chown(2)'s "leave it" id."""


def chmod_common(task: Task, path: Path, mode: int) -> None:
    """chmod(2) on a place. Errno: EROFS, EPERM, EOPNOTSUPP for a symbolic link."""
    inode = path.dentry.inode
    mnt_want_write(path.mnt)
    if S_ISLNK(inode.mode):
        raise Errno(EOPNOTSUPP)
    cred = task.cred
    if not owner_or_capable(cred, inode):
        raise Errno(EPERM)
    mode &= 0o7777
    if not in_group(cred, inode.gid) and not cred.capable(CAP_FSETID):
        mode &= ~S_ISGID
    inode.setattr(task, mode=mode)
    notify_attrib(path)


def chown_common(task: Task, path: Path, uid: int, gid: int) -> None:
    """chown(2) on a place; NO_CHANGE leaves an id. Errno: EROFS, EPERM."""
    inode = path.dentry.inode
    mnt_want_write(path.mnt)
    cred = task.cred
    new_uid = None if uid == NO_CHANGE else uid
    new_gid = None if gid == NO_CHANGE else gid
    if not cred.capable(CAP_CHOWN):
        owner = cred.fsuid == inode.uid
        if new_uid is not None and not (owner and new_uid == inode.uid):
            raise Errno(EPERM)
        if new_gid is not None and not (
            owner and (new_gid == inode.gid or in_group(cred, new_gid))
        ):
            raise Errno(EPERM)
    mode = None
    if not S_ISDIR(inode.mode) and inode.mode & (S_ISUID | S_ISGID):
        # Even root's chown takes S_ISUID away, and S_ISGID of a program.
        kept = inode.mode & ~S_ISUID
        if kept & S_IXGRP or not (in_group(cred, inode.gid) or cred.capable(CAP_FSETID)):
            kept &= ~S_ISGID
        if kept != inode.mode:
            if not owner_or_capable(cred, inode) and not cred.capable(CAP_CHOWN):
                raise Errno(EPERM)
            mode = kept
    inode.setattr(task, mode=mode, uid=new_uid, gid=new_gid)
    notify_attrib(path)


def notify_attrib(path: Path) -> None:
    """Attributes of a file were changed."""
    if watched(path.dentry):
        from emukernel.kernel.fs.fsnotify import IN_ATTRIB, fsnotify

        fsnotify(path.dentry, IN_ATTRIB)


def check_newsize(task: Task, inode: Inode, size: int) -> None:
    """May a regular file grow to `size`? RLIMIT_FSIZE and the file system's maximum: EFBIG."""
    if size > inode.size:
        check_file_size_limit(task, size)
        if size > inode.sb.max_bytes:
            raise Errno(EFBIG)


def vfs_truncate(task: Task, path: Path, length: int) -> None:
    """truncate(2) on a place. Errno: EISDIR, EINVAL, EROFS, EACCES, ETXTBSY, EFBIG."""
    from emukernel.kernel.fs.inode import get_write_access, put_write_access

    inode = path.dentry.inode
    if S_ISDIR(inode.mode):
        raise Errno(EISDIR)
    if not S_ISREG(inode.mode):
        raise Errno(EINVAL)
    mnt_want_write(path.mnt)
    inode_permission(task.cred, inode, MAY_WRITE)
    get_write_access(inode)
    try:
        do_truncate(task, inode, length)
    finally:
        put_write_access(inode)
    if watched(path.dentry):
        from emukernel.kernel.fs.fsnotify import IN_MODIFY, fsnotify

        fsnotify(path.dentry, IN_MODIFY)


def do_truncate(task: Task, inode: Inode, length: int) -> None:
    """Sets the size; set-id bits go as with a write."""
    check_newsize(task, inode, length)
    if inode.mode & (S_ISUID | S_ISGID):
        file_remove_privs(task, inode)
    inode.truncate(task, length)
