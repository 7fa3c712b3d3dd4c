"""ioctl(2) of a terminal that is the host's (Linux: drivers/tty/tty_ioctl.c, ioctl_tty(2)).

Only what is named here reaches the host's terminal, with buffers of fixed size.
"""

from __future__ import annotations

import fcntl

from emukernel.kernel.errno import EINVAL, EIO, ENOTTY, EPERM, Errno
from emukernel.kernel.uaccess import (
    copy_from_user,
    copy_to_user,
    get_user_u32,
    put_user_u32,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.stdio import HostStream, StreamFile
    from emukernel.kernel.task import Task

TCGETS = 0x5401
TCSETS = 0x5402
TCSETSW = 0x5403
TCSETSF = 0x5404
TCSBRK = 0x5409
TCXONC = 0x540A
TCFLSH = 0x540B
TIOCEXCL = 0x540C
TIOCNXCL = 0x540D
TIOCSCTTY = 0x540E
TIOCGPGRP = 0x540F
TIOCSPGRP = 0x5410
TIOCOUTQ = 0x5411
TIOCGWINSZ = 0x5413
TIOCSWINSZ = 0x5414
FIONREAD = 0x541B
TIOCNOTTY = 0x5422
TCSBRKP = 0x5425
TIOCGSID = 0x5429

KERNEL_TERMIOS_SIZE = 36
_WINSIZE_SIZE = 8


def _host_ioctl(stream: HostStream, cmd: int, argument: bytes | int) -> bytes:
    try:
        answer = fcntl.ioctl(stream.fd, cmd, argument)
    except OSError as error:
        raise Errno(error.errno or EIO) from None
    return answer if isinstance(answer, bytes) else b""


def tty_ioctl(task: Task, file: StreamFile, cmd: int, arg: int) -> int:
    """Carries out a terminal's ioctl. Errno(ENOTTY) for what it doesn't know."""
    from emukernel.kernel.fs.stdio import HostStream

    stream = file.stream
    assert isinstance(stream, HostStream)
    if cmd == TCGETS:
        copy_to_user(task, arg, _host_ioctl(stream, cmd, bytes(KERNEL_TERMIOS_SIZE)))
    elif cmd in (TCSETS, TCSETSW, TCSETSF):
        settings = copy_from_user(task, arg, KERNEL_TERMIOS_SIZE)
        _save(task, stream)
        _host_ioctl(stream, cmd, settings)
    elif cmd == TIOCGWINSZ:
        copy_to_user(task, arg, _host_ioctl(stream, cmd, bytes(_WINSIZE_SIZE)))
    elif cmd == TIOCSWINSZ:
        _host_ioctl(stream, cmd, copy_from_user(task, arg, _WINSIZE_SIZE))
    elif cmd in (FIONREAD, TIOCOUTQ):
        copy_to_user(task, arg, _host_ioctl(stream, cmd, bytes(4)))
    elif cmd in (TCSBRK, TCSBRKP, TCXONC, TCFLSH):
        if arg > 3 and cmd in (TCXONC, TCFLSH):
            raise Errno(EINVAL)
        _host_ioctl(stream, cmd, arg & 0x7FFFFFFF)
    elif cmd in (TIOCGPGRP, TIOCSPGRP, TIOCGSID, TIOCSCTTY, TIOCNOTTY):
        return _job_control(task, cmd, arg)
    elif cmd in (TIOCEXCL, TIOCNXCL):
        return 0
    else:
        raise Errno(ENOTTY)
    return 0


def _save(task: Task, stream: HostStream) -> None:
    """Remembers the settings from before the first change, by whichever descriptor it is made."""
    from emukernel.kernel.fs.stdio import terminals

    same = [other for other in terminals(task.kernel) if other.rdev == stream.rdev]
    if all(other.saved is None for other in same):
        import termios

        try:
            stream.saved = termios.tcgetattr(stream.fd)
        except termios.error:
            raise Errno(EIO) from None


def _job_control(task: Task, cmd: int, arg: int) -> int:
    """The foreground group and the session of the one terminal that there is."""
    vfs = task.kernel.vfs
    if cmd == TIOCGPGRP:
        put_user_u32(task, arg, vfs.foreground or task.pgrp)
    elif cmd == TIOCGSID:
        put_user_u32(task, arg, task.session)
    elif cmd == TIOCSPGRP:
        group = get_user_u32(task, arg)
        if group >= 1 << 31:
            raise Errno(EINVAL)
        members = [t for t in task.kernel.tasks.values() if t.pgrp == group]
        if not members:
            from emukernel.kernel.errno import ESRCH

            raise Errno(ESRCH)
        if all(t.session != task.session for t in members):
            raise Errno(EPERM)
        vfs.foreground = group
    elif cmd == TIOCSCTTY and task.session != task.pid:
        raise Errno(EPERM)
    return 0
