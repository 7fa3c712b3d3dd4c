"""ioctl(2): what every file knows (Linux: fs/ioctl.c)."""

from __future__ import annotations

from stat import S_ISDIR, S_ISREG

from emukernel.kernel.errno import ENOTTY, EOPNOTSUPP, Errno
from emukernel.kernel.fs.file import O_ASYNC, O_NONBLOCK, File
from emukernel.kernel.uaccess import get_user_s32, put_user_u32, put_user_u64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

FIGETBSZ = 2
FIONREAD = 0x541B
FIONBIO = 0x5421
FIONCLEX = 0x5450
FIOCLEX = 0x5451
FIOASYNC = 0x5452
FIOQSIZE = 0x5460
FICLONE = 0x40049409


def sys_ioctl(task: Task, fd: int, cmd: int, arg: int) -> int:
    """ioctl(2)"""
    files = task.files
    file = files.get(fd)
    if cmd == FIOCLEX:
        files.cloexec.add(fd)
    elif cmd == FIONCLEX:
        files.cloexec.discard(fd)
    elif cmd == FIONBIO:
        _set_flag(file, O_NONBLOCK, get_user_s32(task, arg))
    elif cmd == FIOASYNC:
        wanted = bool(get_user_s32(task, arg))
        if wanted != bool(file.flags & O_ASYNC):
            raise Errno(ENOTTY)
    elif cmd == FIOQSIZE:
        if not (S_ISREG(file.inode.mode) or S_ISDIR(file.inode.mode)):
            raise Errno(ENOTTY)
        put_user_u64(task, arg, file.inode.size)
    elif cmd == FIGETBSZ:
        put_user_u32(task, arg, file.inode.sb.block_size)
    elif cmd == FIONREAD and S_ISREG(file.inode.mode):
        file.inode.refresh(task)
        put_user_u32(task, arg, file.inode.size - file.pos)
    elif cmd == FICLONE and S_ISREG(file.inode.mode):
        raise Errno(EOPNOTSUPP)
    else:
        return file.ioctl(task, cmd, arg)
    return 0


def _set_flag(file: File, flag: int, on: int) -> None:
    if on:
        file.flags |= flag
    else:
        file.flags &= ~flag
