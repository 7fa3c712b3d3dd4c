"""Advice on file access (Linux: mm/fadvise.c, mm/readahead.c): checked, then of no effect."""

from __future__ import annotations

from stat import S_ISFIFO, S_ISREG

from emukernel.kernel.errno import EBADF, EINVAL, ESPIPE, Errno
from emukernel.kernel.fs.file import FMODE_READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_LAST_ADVICE = 5


def sys_fadvise64(task: Task, fd: int, offset: int, len: int, advice: int) -> int:
    """posix_fadvise(2)"""
    file = task.files.get(fd)
    if S_ISFIFO(file.inode.mode):
        raise Errno(ESPIPE)
    if len >> 63 or not 0 <= advice <= _LAST_ADVICE:
        raise Errno(EINVAL)
    return 0


def sys_readahead(task: Task, fd: int, offset: int, count: int) -> int:
    """readahead(2)"""
    file = task.files.get(fd)
    if not file.mode & FMODE_READ:
        raise Errno(EBADF)
    if not S_ISREG(file.inode.mode) or file.mapping is None:
        raise Errno(EINVAL)
    return 0
