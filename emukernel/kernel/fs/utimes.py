"""Setting times of files (Linux: fs/utimes.c)."""

from __future__ import annotations

from struct import unpack

from emukernel.kernel.errno import EINVAL, EPERM, Errno
from emukernel.kernel.fs.dcache import watched
from emukernel.kernel.fs.lookup import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    LOOKUP_EMPTY,
    LOOKUP_FOLLOW,
    user_path_at,
)
from emukernel.kernel.fs.mount import mnt_want_write
from emukernel.kernel.fs.permission import MAY_WRITE, inode_permission, owner_or_capable
from emukernel.kernel.uaccess import copy_from_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.task import Task

    Times = tuple[tuple[int, int], tuple[int, int]]
    """(seconds, ns) of atime and mtime."""

NS = 10**9
UTIME_NOW = (1 << 30) - 1
UTIME_OMIT = (1 << 30) - 2


def vfs_utimes(task: Task, path: Path, times: Times | None) -> None:
    """Sets both times, or to now with None. Errno: EINVAL, EROFS, EPERM, EACCES."""
    inode = path.dentry.inode
    cred = task.cred
    if times is not None:
        for _, nsec in times:
            if nsec not in (UTIME_NOW, UTIME_OMIT) and not 0 <= nsec < NS:
                raise Errno(EINVAL)
        if times[0][1] == times[1][1] == UTIME_NOW:
            times = None
    mnt_want_write(path.mnt)
    now = task.kernel.clock.realtime()
    if times is None:
        if not owner_or_capable(cred, inode):
            inode_permission(cred, inode, MAY_WRITE)
        inode.setattr(task, atime=now, mtime=now)
        _notify(path, True, True)
        return
    if not owner_or_capable(cred, inode):
        raise Errno(EPERM)
    atime, mtime = (_resolve(value, now) for value in times)
    inode.setattr(task, atime=atime, mtime=mtime)
    _notify(path, atime is not None, mtime is not None)


def _notify(path: Path, atime: bool, mtime: bool) -> None:
    """One time that was set looks like what usually sets it; both are a change of attributes."""
    if watched(path.dentry):
        from emukernel.kernel.fs.fsnotify import IN_ACCESS, IN_ATTRIB, IN_MODIFY, fsnotify

        fsnotify(path.dentry, IN_ATTRIB if atime and mtime else IN_ACCESS if atime else IN_MODIFY)


def _resolve(value: tuple[int, int], now: int) -> int | None:
    seconds, nsec = value
    if nsec == UTIME_NOW:
        return now
    if nsec == UTIME_OMIT:
        return None
    return seconds * NS + nsec


def _do_utimes(task: Task, dfd: int, filename: int, times: Times | None, flags: int) -> int:
    if not filename and dfd != AT_FDCWD:
        if flags:
            raise Errno(EINVAL)
        path = task.files.get(dfd).path
    else:
        if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
            raise Errno(EINVAL)
        lookup = 0 if flags & AT_SYMLINK_NOFOLLOW else LOOKUP_FOLLOW
        if flags & AT_EMPTY_PATH:
            lookup |= LOOKUP_EMPTY
        path = user_path_at(task, dfd, filename, lookup)
    vfs_utimes(task, path, times)
    return 0


def sys_utimensat(task: Task, dfd: int, filename: int, utimes: int, flags: int) -> int:
    """utimensat(2)"""
    times: Times | None = None
    if utimes:
        s0, n0, s1, n1 = unpack("<4q", copy_from_user(task, utimes, 32))
        if n0 == n1 == UTIME_OMIT:
            return 0
        times = (s0, n0), (s1, n1)
    return _do_utimes(task, dfd, filename, times, flags)


def sys_futimesat(task: Task, dfd: int, filename: int, utimes: int) -> int:
    """futimesat(2)"""
    times: Times | None = None
    if utimes:
        s0, u0, s1, u1 = unpack("<4q", copy_from_user(task, utimes, 32))
        if not (0 <= u0 < 10**6 and 0 <= u1 < 10**6):
            raise Errno(EINVAL)
        times = (s0, u0 * 1000), (s1, u1 * 1000)
    return _do_utimes(task, dfd, filename, times, 0)


def sys_utimes(task: Task, filename: int, utimes: int) -> int:
    """utimes(2)"""
    return sys_futimesat(task, AT_FDCWD, filename, utimes)


def sys_utime(task: Task, filename: int, times: int) -> int:
    """utime(2)"""
    values: Times | None = None
    if times:
        atime, mtime = unpack("<2q", copy_from_user(task, times, 16))
        values = (atime, 0), (mtime, 0)
    return _do_utimes(task, AT_FDCWD, filename, values, 0)
