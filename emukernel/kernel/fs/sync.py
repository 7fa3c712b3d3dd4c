"""Bringing files to storage (Linux: fs/sync.c). Only writable host directories have storage."""

from __future__ import annotations

from stat import S_ISBLK, S_ISDIR, S_ISLNK, S_ISREG

from emukernel.kernel.errno import EINVAL, ESPIPE, Errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_SYNC_FILE_RANGE_FLAGS = 7


def sys_sync(task: Task) -> int:
    """sync(2)"""
    return 0


def sys_syncfs(task: Task, fd: int) -> int:
    """syncfs(2)"""
    task.files.get(fd)
    return 0


def sys_fsync(task: Task, fd: int) -> int:
    """fsync(2)"""
    task.files.get(fd).fsync(task, False)
    return 0


def sys_fdatasync(task: Task, fd: int) -> int:
    """fdatasync(2)"""
    task.files.get(fd).fsync(task, True)
    return 0


def sys_sync_file_range(task: Task, fd: int, offset: int, nbytes: int, flags: int) -> int:
    """sync_file_range(2)"""
    file = task.files.get(fd)
    end = offset + nbytes
    if flags & ~_SYNC_FILE_RANGE_FLAGS or offset < 0 or end < offset or end >= 1 << 63:
        raise Errno(EINVAL)
    mode = file.inode.mode
    if not (S_ISREG(mode) or S_ISBLK(mode) or S_ISDIR(mode) or S_ISLNK(mode)):
        raise Errno(ESPIPE)
    return 0
