"""stat(2), statx(2), readlink(2) and their kin (Linux: fs/stat.c)."""

from __future__ import annotations

from stat import S_ISLNK
from struct import Struct

from emukernel.kernel.errno import EINVAL, ENOENT, Errno
from emukernel.kernel.fs.inode import dev_major, dev_minor
from emukernel.kernel.fs.lookup import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_NO_AUTOMOUNT,
    AT_SYMLINK_NOFOLLOW,
    LOOKUP_FOLLOW,
    getname,
    path_lookupat,
)
from emukernel.kernel.uaccess import copy_to_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.task import Task

NS = 10**9

# struct stat of x86-64 (asm/stat.h): 144 bytes.
_STAT = Struct("<QQQIIIIQqqqqqqqqq24x")
# struct statx (linux/stat.h): 256 bytes.
_STATX = Struct("<IIQIIIHxxQQQQ" + "qIxxxx" * 4 + "IIIIQ104x")

AT_STATX_SYNC_TYPE = 0x6000
STATX_BASIC_STATS = 0x7FF
STATX_BTIME = 0x800
STATX_MNT_ID = 0x1000
STATX_MNT_ID_UNIQUE = 0x4000
_STATX_RESERVED = 0x80000000
STATX_ATTR_MOUNT_ROOT = 0x2000
_ATTRIBUTES_ALL_FS = 0x203000  # STATX_ATTR_AUTOMOUNT, MOUNT_ROOT and DAX
_FIRST_UNIQUE_MNT_ID = 1 << 31


def _fill(task: Task, path: Path) -> bytes:
    inode = path.dentry.inode
    inode.refresh(task)
    sb = inode.sb
    atime, mtime, ctime = inode.atime, inode.mtime, inode.ctime
    return _STAT.pack(
        sb.dev,
        inode.ino,
        inode.nlink,
        inode.mode,
        inode.uid,
        inode.gid,
        0,
        inode.rdev,
        inode.size,
        sb.block_size,
        inode.blocks,
        atime // NS,
        atime % NS,
        mtime // NS,
        mtime % NS,
        ctime // NS,
        ctime % NS,
    )


def path_at(task: Task, dfd: int, filename: int, flags: int) -> Path:
    """The place that fstatat(2) and statx(2) mean; with AT_EMPTY_PATH, "" or NULL is `dfd`."""
    if flags & AT_EMPTY_PATH:
        name = getname(task, filename, True) if filename else b""
        if not name:
            return task.fs.pwd if dfd == AT_FDCWD else task.files.get_raw(dfd).path
    else:
        name = getname(task, filename)
    return path_lookupat(task, dfd, name, 0 if flags & AT_SYMLINK_NOFOLLOW else LOOKUP_FOLLOW)


def sys_stat(task: Task, filename: int, statbuf: int) -> int:
    """stat(2)"""
    copy_to_user(task, statbuf, _fill(task, path_at(task, AT_FDCWD, filename, 0)))
    return 0


def sys_lstat(task: Task, filename: int, statbuf: int) -> int:
    """lstat(2)"""
    path = path_at(task, AT_FDCWD, filename, AT_SYMLINK_NOFOLLOW)
    copy_to_user(task, statbuf, _fill(task, path))
    return 0


def sys_fstat(task: Task, fd: int, statbuf: int) -> int:
    """fstat(2)"""
    copy_to_user(task, statbuf, _fill(task, task.files.get_raw(fd).path))
    return 0


def sys_newfstatat(task: Task, dfd: int, filename: int, statbuf: int, flag: int) -> int:
    """fstatat(2)"""
    if flag & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE):
        raise Errno(EINVAL)
    copy_to_user(task, statbuf, _fill(task, path_at(task, dfd, filename, flag)))
    return 0


def sys_statx(task: Task, dfd: int, filename: int, flags: int, mask: int, buffer: int) -> int:
    """statx(2)"""
    if mask & _STATX_RESERVED or flags & AT_STATX_SYNC_TYPE == AT_STATX_SYNC_TYPE:
        raise Errno(EINVAL)
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE):
        raise Errno(EINVAL)
    path = path_at(task, dfd, filename, flags)
    inode = path.dentry.inode
    inode.refresh(task)
    sb = inode.sb
    attributes = STATX_ATTR_MOUNT_ROOT if path.dentry is path.mnt.root else 0
    got = STATX_BASIC_STATS
    mnt_id = path.mnt.id
    if mask & STATX_MNT_ID_UNIQUE:
        got |= STATX_MNT_ID_UNIQUE
        mnt_id += _FIRST_UNIQUE_MNT_ID
    else:
        got |= STATX_MNT_ID
    btime = 0
    if sb.has_btime:
        got |= STATX_BTIME
        btime = inode.btime
    data = _STATX.pack(
        got,
        sb.block_size,
        attributes,
        inode.nlink,
        inode.uid,
        inode.gid,
        inode.mode,
        inode.ino,
        inode.size,
        inode.blocks,
        _ATTRIBUTES_ALL_FS | sb.attributes_mask,
        inode.atime // NS,
        inode.atime % NS,
        btime // NS,
        btime % NS,
        inode.ctime // NS,
        inode.ctime % NS,
        inode.mtime // NS,
        inode.mtime % NS,
        dev_major(inode.rdev),
        dev_minor(inode.rdev),
        dev_major(sb.dev),
        dev_minor(sb.dev),
        mnt_id,
    )
    copy_to_user(task, buffer, data)
    return 0


def sys_readlinkat(task: Task, dfd: int, pathname: int, buf: int, bufsiz: int) -> int:
    """readlinkat(2): "" means the O_PATH descriptor `dfd` of a link itself."""
    if bufsiz <= 0:
        raise Errno(EINVAL)
    name = getname(task, pathname, True)
    if name:
        path = path_lookupat(task, dfd, name, 0)
    elif dfd == AT_FDCWD:
        path = task.fs.pwd
    else:
        path = task.files.get_raw(dfd).path
    inode = path.dentry.inode
    if not S_ISLNK(inode.mode):
        raise Errno(EINVAL if name else ENOENT)
    inode.touch_atime()
    text = inode.readlink(task)[:bufsiz]
    copy_to_user(task, buf, text)
    return len(text)


def sys_readlink(task: Task, path: int, buf: int, bufsiz: int) -> int:
    """readlink(2)"""
    return sys_readlinkat(task, AT_FDCWD, path, buf, bufsiz)
