"""statfs(2) (Linux: fs/statfs.c)."""

from __future__ import annotations

from struct import pack

from emukernel.kernel.errno import EINVAL, Errno
from emukernel.kernel.fs.lookup import AT_FDCWD, LOOKUP_FOLLOW, user_path_at
from emukernel.kernel.fs.mount import ST_RDONLY
from emukernel.kernel.uaccess import copy_to_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.task import Task

_ST_VALID = 0x20
_BLOCK_SIZE = 4096
_NAME_MAX = 255


def _fill(path: Path) -> bytes:
    """struct statfs: 120 bytes."""
    sb = path.mnt.sb
    blocks, free, available, inodes, free_inodes = sb.statfs()
    flags = path.mnt.flags | (ST_RDONLY if sb.readonly else 0) | _ST_VALID
    return pack(
        "<7QIIQQQ32x",
        sb.magic,
        _BLOCK_SIZE,
        blocks,
        free,
        available,
        inodes,
        free_inodes,
        sb.dev & 0xFFFFFFFF,
        0,
        _NAME_MAX,
        _BLOCK_SIZE,
        flags,
    )


def sys_statfs(task: Task, pathname: int, buf: int) -> int:
    """statfs(2)"""
    copy_to_user(task, buf, _fill(user_path_at(task, AT_FDCWD, pathname, LOOKUP_FOLLOW)))
    return 0


def sys_fstatfs(task: Task, fd: int, buf: int) -> int:
    """fstatfs(2)"""
    copy_to_user(task, buf, _fill(task.files.get_raw(fd).path))
    return 0


def sys_ustat(task: Task, dev: int, ubuf: int) -> int:
    """ustat(2): by device number"""
    for mnt in task.kernel.vfs.mounts:
        if mnt.sb.dev == dev:
            _, free, _, _, free_inodes = mnt.sb.statfs()
            copy_to_user(task, ubuf, pack("<i4xQ16x", free & 0x7FFFFFFF, free_inodes))
            return 0
    raise Errno(EINVAL)
