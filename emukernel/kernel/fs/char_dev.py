"""Character devices by number (Linux: fs/char_dev.c, Documentation/admin-guide/devices.txt)."""

from __future__ import annotations

from emukernel.kernel.errno import ENXIO, Errno
from emukernel.kernel.fs.inode import dev_major, dev_minor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.task import Task

MEM_MAJOR = 1
TTY_MAJOR = 4
TTYAUX_MAJOR = 5


def chrdev_open(task: Task, path: Path, flags: int) -> File:
    """Opens the device that a node stands for; Errno(ENXIO) where there is none."""
    rdev = path.dentry.inode.rdev
    major = dev_major(rdev)
    if major == MEM_MAJOR:
        from emukernel.kernel.fs.mem import open_mem

        return open_mem(task, path, flags, dev_minor(rdev))
    if major == TTYAUX_MAJOR:
        from emukernel.kernel.fs.stdio import open_tty

        return open_tty(task, path, flags, dev_minor(rdev))
    raise Errno(ENXIO)
