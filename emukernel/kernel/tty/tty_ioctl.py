"""ioctl(2) of a terminal (drivers/tty/tty_io.c, tty_ioctl.c; ioctl_tty(2))."""

from __future__ import annotations

from emukernel.kernel.errno import EINVAL, EIO, ENOTTY, EPERM, Errno
from emukernel.kernel.tty.pty import PtyMaster
from emukernel.kernel.tty.termios import (
    TERMIO_SIZE,
    TERMIOS2_SIZE,
    TERMIOS_SIZE,
    VSTART,
    VSTOP,
)
from emukernel.kernel.tty.tty_io import CAP_SYS_ADMIN
from emukernel.kernel.uaccess import copy_from_user, copy_to_user, get_user_s32, put_user_u32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task
    from emukernel.kernel.tty.tty_io import Tty, TtyFile

TCGETA, TCSETA, TCSETAW, TCSETAF = 0x5405, 0x5406, 0x5407, 0x5408
TCSBRK, TCXONC, TCFLSH = 0x5409, 0x540A, 0x540B
TIOCEXCL, TIOCNXCL, TIOCSCTTY = 0x540C, 0x540D, 0x540E
TIOCGPGRP, TIOCSPGRP, TIOCOUTQ, TIOCSTI = 0x540F, 0x5410, 0x5411, 0x5412
TIOCGWINSZ, TIOCSWINSZ = 0x5413, 0x5414
TIOCGSOFTCAR, TIOCSSOFTCAR = 0x5419, 0x541A
FIONREAD, TIOCCONS, TIOCNOTTY = 0x541B, 0x541D, 0x5422
TIOCSETD, TIOCGETD, TCSBRKP = 0x5423, 0x5424, 0x5425
TIOCSBRK, TIOCCBRK, TIOCGSID = 0x5427, 0x5428, 0x5429
TIOCGDEV, TIOCVHANGUP, TIOCGEXCL = 0x80045432, 0x5437, 0x80045440

_GET = {0x5401: TERMIOS_SIZE, TCGETA: TERMIO_SIZE, 0x802C542A: TERMIOS2_SIZE}
_SET = {
    0x5402: TERMIOS_SIZE,
    0x5403: TERMIOS_SIZE,
    0x5404: TERMIOS_SIZE,
    TCSETA: TERMIO_SIZE,
    TCSETAW: TERMIO_SIZE,
    TCSETAF: TERMIO_SIZE,
    0x402C542B: TERMIOS2_SIZE,
    0x402C542C: TERMIOS2_SIZE,
    0x402C542D: TERMIOS2_SIZE,
}
_SET_AND_FLUSH = (0x5404, TCSETAF, 0x402C542D)
_CLOCAL = 0x800
_WINSIZE = 8
_N_TTY = 0
_TCIFLUSH, _TCOFLUSH, _TCIOFLUSH = range(3)
_TCOOFF, _TCOON, _TCIOFF, _TCION = range(4)
_CHECKED = (TIOCSETD, TIOCSBRK, TIOCCBRK, TCSBRK, TCSBRKP)


def tty_ioctl(task: Task, file: TtyFile, cmd: int, arg: int) -> int:
    """Carries out a terminal's ioctl. Errno(ENOTTY) for what it doesn't know."""
    from emukernel.kernel.tty import tty_jobctrl as job

    tty = file.tty
    # A pty has one set of settings, its slave's.
    real_tty = tty.link if isinstance(tty, PtyMaster) else tty
    assert real_tty is not None
    cmd &= 0xFFFF_FFFF
    if cmd in _GET:
        copy_to_user(task, arg, real_tty.termios.pack(_GET[cmd]))
    elif cmd in _SET:
        job.tty_check_change(task, real_tty)
        data = copy_from_user(task, arg, _SET[cmd])
        if cmd in _SET_AND_FLUSH:
            real_tty.ldisc.flush_buffer()
        real_tty.set_termios(real_tty.termios.updated(data))
    elif cmd == TIOCGWINSZ:
        copy_to_user(task, arg, real_tty.winsize)
    elif cmd == TIOCSWINSZ:
        real_tty.resize(copy_from_user(task, arg, _WINSIZE))
    elif cmd == FIONREAD:
        put_user_u32(task, arg, tty.ldisc.pending())
    elif cmd == TIOCOUTQ:
        put_user_u32(task, arg, 0)
    elif cmd == TIOCGPGRP:
        return job.tiocgpgrp(task, tty, real_tty, arg)
    elif cmd == TIOCSPGRP:
        return job.tiocspgrp(task, real_tty, arg)
    elif cmd == TIOCGSID:
        return job.tiocgsid(task, tty, real_tty, arg)
    elif cmd == TIOCSCTTY:
        return job.tiocsctty(task, real_tty, file, arg)
    elif cmd == TIOCNOTTY:
        return job.tiocnotty(task, tty)
    elif cmd == TCFLSH:
        return _flush(task, tty, arg)
    elif cmd == TCXONC:
        return _flow(task, tty, arg)
    else:
        return _seldom(task, file, real_tty, cmd, arg)
    return 0


def _seldom(task: Task, file: TtyFile, real_tty: Tty, cmd: int, arg: int) -> int:
    """The less common ones."""
    tty = file.tty
    if cmd in _CHECKED:
        from emukernel.kernel.tty.tty_jobctrl import tty_check_change

        tty_check_change(task, tty)
    if cmd in (TCSBRK, TCSBRKP, TIOCSBRK, TIOCCBRK):
        # Output is never behind, and a break is nothing to these lines.
        return 0
    if cmd == TIOCSTI:
        return _simulate_input(task, tty, arg)
    if cmd == TIOCGETD:
        put_user_u32(task, arg, _N_TTY)
    elif cmd == TIOCSETD:
        if get_user_s32(task, arg) != _N_TTY:
            raise Errno(EINVAL)
    elif cmd == TIOCEXCL:
        tty.exclusive = True
    elif cmd == TIOCNXCL:
        tty.exclusive = False
    elif cmd == TIOCGEXCL:
        put_user_u32(task, arg, int(tty.exclusive))
    elif cmd == TIOCGDEV:
        put_user_u32(task, arg, real_tty.rdev)
    elif cmd == TIOCVHANGUP:
        if not task.cred.capable(CAP_SYS_ADMIN):
            raise Errno(EPERM)
        tty.hangup()
    elif cmd == TIOCCONS:
        if real_tty is not tty:
            raise Errno(EINVAL)
        raise Errno(EPERM)
    elif cmd == TIOCGSOFTCAR:
        put_user_u32(task, arg, int(bool(real_tty.termios.cflag & _CLOCAL)))
    elif cmd == TIOCSSOFTCAR:
        new = real_tty.termios.copy()
        new.cflag = new.cflag & ~_CLOCAL | (_CLOCAL if get_user_s32(task, arg) else 0)
        real_tty.set_termios(new)
    elif isinstance(tty, PtyMaster):
        return tty.ioctl(task, file, cmd, arg)
    else:
        raise Errno(ENOTTY)
    return 0


def _flush(task: Task, tty: Tty, arg: int) -> int:
    """TCFLSH: drops input, output or both."""
    from emukernel.kernel.tty.tty_jobctrl import tty_check_change

    if arg in (_TCIFLUSH, _TCIOFLUSH):
        tty.port.clear()
    tty_check_change(task, tty)
    if arg > _TCIOFLUSH:
        raise Errno(EINVAL)
    if arg != _TCOFLUSH:
        tty.ldisc.flush_buffer()
        if tty.link is not None:
            tty.link.write_wait.wake_up()
    if arg != _TCIFLUSH:
        tty.flush_output()
    return 0


def _flow(task: Task, tty: Tty, arg: int) -> int:
    """TCXONC: stops or starts output, or sends the characters that do so at the other end."""
    from emukernel.kernel.tty.tty_jobctrl import tty_check_change

    tty_check_change(task, tty)
    if arg == _TCOOFF:
        tty.stop()
    elif arg == _TCOON:
        tty.start()
    elif arg in (_TCIOFF, _TCION):
        c = tty.termios.cc[VSTOP if arg == _TCIOFF else VSTART]
        if c:
            stopped, tty.stopped = tty.stopped, False
            tty.write(bytes((c,)))
            tty.stopped = stopped
    else:
        raise Errno(EINVAL)
    return 0


def _simulate_input(task: Task, tty: Tty, arg: int) -> int:
    """TIOCSTI: a character as if it were typed. For root alone (dev.tty.legacy_tiocsti is 0)."""
    if not task.cred.capable(CAP_SYS_ADMIN):
        raise Errno(EIO)
    tty.ldisc.receive_buf(copy_from_user(task, arg, 1))
    return 0
