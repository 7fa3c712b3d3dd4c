"""Character devices by number (Linux: fs/char_dev.c, Documentation/admin-guide/devices.txt)."""

from __future__ import annotations

from emukernel.kernel.errno import EIO, ENXIO, Errno
from emukernel.kernel.fs.inode import dev_major, dev_minor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.task import Task

MEM_MAJOR = 1
TTY_MAJOR = 4
TTYAUX_MAJOR = 5
UNIX98_PTY_SLAVE_MAJOR = 136

_CURRENT, _CONSOLE, _PTMX = 0, 1, 2


def chrdev_open(task: Task, path: Path, flags: int) -> File:
    """Opens the device that a node stands for; Errno(ENXIO) where there is none."""
    rdev = path.dentry.inode.rdev
    major = dev_major(rdev)
    if major == MEM_MAJOR:
        from emukernel.kernel.fs.mem import open_mem

        return open_mem(task, path, flags, dev_minor(rdev))
    if major == TTYAUX_MAJOR:
        return _open_ttyaux(task, path, flags, dev_minor(rdev))
    if UNIX98_PTY_SLAVE_MAJOR <= major < UNIX98_PTY_SLAVE_MAJOR + 8:
        # A slave is opened through its node in devpts alone.
        raise Errno(EIO)
    raise Errno(ENXIO)


def _open_ttyaux(task: Task, path: Path, flags: int, minor: int) -> File:
    """/dev/tty, /dev/console and /dev/ptmx."""
    if minor == _PTMX:
        from emukernel.kernel.tty.pty import ptmx_open

        return ptmx_open(task, path, flags)
    kernel = task.kernel
    if minor == _CURRENT and task.signal.tty is not None:
        from emukernel.kernel.tty.tty_io import open_current

        return open_current(task, path, flags)
    if minor == _CONSOLE and kernel.console is not None:
        from emukernel.kernel.tty.tty_io import tty_open

        return tty_open(task, path, flags, kernel.console)
    from emukernel.kernel.fs.stdio import open_tty

    return open_tty(task, path, flags, minor)
