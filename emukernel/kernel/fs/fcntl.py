"""fcntl(2) (Linux: fs/fcntl.c)."""

from __future__ import annotations

from struct import pack, unpack

from emukernel.kernel.errno import EBADF, EINVAL, EPERM, ESRCH, Errno
from emukernel.kernel.fs.file import (
    FMODE_PATH,
    O_APPEND,
    O_ASYNC,
    O_DIRECT,
    O_NOATIME,
    O_NONBLOCK,
    RLIMIT_NOFILE,
    File,
)
from emukernel.kernel.fs.permission import owner_or_capable
from emukernel.kernel.uaccess import copy_from_user, copy_to_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

F_DUPFD = 0
F_GETFD = 1
F_SETFD = 2
F_GETFL = 3
F_SETFL = 4
F_GETLK = 5
F_SETLK = 6
F_SETLKW = 7
F_SETOWN = 8
F_GETOWN = 9
F_SETSIG = 10
F_GETSIG = 11
F_SETOWN_EX = 15
F_GETOWN_EX = 16
F_OFD_GETLK = 36
F_OFD_SETLK = 37
F_OFD_SETLKW = 38
F_GETLEASE = 1025
F_DUPFD_QUERY = 1027
F_DUPFD_CLOEXEC = 1030

FD_CLOEXEC = 1

_SETFL = O_APPEND | O_NONBLOCK | O_NOATIME | O_ASYNC | O_DIRECT
_O_PATH_COMMANDS = (F_DUPFD, F_DUPFD_CLOEXEC, F_DUPFD_QUERY, F_GETFD, F_SETFD, F_GETFL)
_F_UNLCK = 2
_NSIG = 64
_F_OWNER_TID, _F_OWNER_PID, _F_OWNER_PGRP = 0, 1, 2


def sys_fcntl(task: Task, fd: int, cmd: int, arg: int) -> int:
    """fcntl(2)"""
    files = task.files
    file = files.get_raw(fd)
    if file.mode & FMODE_PATH and cmd not in _O_PATH_COMMANDS:
        raise Errno(EBADF)
    if cmd == F_GETFL:
        return file.flags
    if cmd == F_GETFD:
        return FD_CLOEXEC if fd in files.cloexec else 0
    if cmd == F_SETFD:
        if arg & FD_CLOEXEC:
            files.cloexec.add(fd)
        else:
            files.cloexec.discard(fd)
        return 0
    if cmd in (F_DUPFD, F_DUPFD_CLOEXEC):
        arg &= 0xFFFFFFFF
        if arg >= task.rlimits[RLIMIT_NOFILE][0]:
            raise Errno(EINVAL)
        new = files.unused(task, arg)
        files.install(new, file.get(), cmd == F_DUPFD_CLOEXEC)
        return new
    if cmd == F_SETFL:
        return _setfl(task, file, arg)
    if cmd == F_DUPFD_QUERY:
        return int(files.get_raw(arg & 0xFFFFFFFF) is file)
    if cmd in (F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW):
        from emukernel.kernel.fs.locks import fcntl_lock

        return fcntl_lock(task, file, cmd, arg)
    if cmd == F_GETLEASE:
        return _F_UNLCK
    return _owner(task, file, cmd, arg) if cmd in _OWNER_COMMANDS else file.fcntl(task, cmd, arg)


def _setfl(task: Task, file: File, flags: int) -> int:
    flags &= 0xFFFFFFFF
    noatime = flags & ~file.flags & O_NOATIME
    if noatime and not owner_or_capable(task.cred, file.inode):
        raise Errno(EPERM)
    if flags & O_DIRECT and not file.direct:
        raise Errno(EINVAL)
    file.flags = file.flags & ~_SETFL | flags & _SETFL
    return 0


# Whom SIGIO goes to

_OWNER_COMMANDS = (F_SETOWN, F_GETOWN, F_SETSIG, F_GETSIG, F_SETOWN_EX, F_GETOWN_EX)


def _set_owner(task: Task, file: File, kind: int, number: int) -> None:
    tasks = task.kernel.tasks
    if number and kind == _F_OWNER_PGRP:
        if all(t.pgrp != number for t in tasks.values()):
            raise Errno(ESRCH)
    elif number and number not in tasks:
        raise Errno(ESRCH)
    file.owner = kind, number


def _owner(task: Task, file: File, cmd: int, arg: int) -> int:
    if cmd == F_SETOWN:
        number = (arg & 0xFFFFFFFF ^ 1 << 31) - (1 << 31)
        if number == -(1 << 31):
            raise Errno(EINVAL)
        _set_owner(task, file, _F_OWNER_PGRP if number < 0 else _F_OWNER_PID, abs(number))
    elif cmd == F_GETOWN:
        kind, number = file.owner
        return -number if kind == _F_OWNER_PGRP else number
    elif cmd == F_SETSIG:
        if arg > _NSIG:
            raise Errno(EINVAL)
        file.signum = arg
    elif cmd == F_GETSIG:
        return file.signum
    elif cmd == F_SETOWN_EX:
        kind, number = unpack("<ii", copy_from_user(task, arg, 8))
        if not _F_OWNER_TID <= kind <= _F_OWNER_PGRP:
            raise Errno(EINVAL)
        _set_owner(task, file, kind, number)
    else:
        copy_to_user(task, arg, pack("<ii", *file.owner))
    return 0
