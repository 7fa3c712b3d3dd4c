"""Controlling terminals and job control (drivers/tty/tty_jobctrl.c)."""

from __future__ import annotations

from emukernel.kernel.errno import (
    EINVAL,
    EIO,
    ENOTTY,
    EPERM,
    ERESTARTSYS,
    ESRCH,
    Errno,
)
from emukernel.kernel.fs.file import FMODE_READ, O_NOCTTY
from emukernel.kernel.signal.numbers import SIG_IGN
from emukernel.kernel.signal.send import kill_pgrp, process_group, send_signal
from emukernel.kernel.signal.siginfo import kernel_info
from emukernel.kernel.tty.tty_io import CAP_SYS_ADMIN, SIGTTIN
from emukernel.kernel.uaccess import get_user_s32, put_user_u32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task
    from emukernel.kernel.tty.tty_io import Tty, TtyFile

SIGHUP, SIGCONT, SIGTTOU = 1, 18, 22
CAP_SYS_TTY_CONFIG = 26


def tty_check_change(task: Task, tty: Tty, sig: int = SIGTTOU) -> None:
    """Stops a background group that would change its terminal, or with SIGTTIN read from it.

    Errno(EIO) where nobody could continue it.
    """
    if task.signal.tty is not tty or not tty.pgrp or task.pgrp == tty.pgrp:
        return
    from emukernel.kernel.signal.stop import is_current_pgrp_orphaned

    if task.blocked >> (sig - 1) & 1 or task.sighand.actions[sig - 1][0] == SIG_IGN:
        if sig == SIGTTIN:
            raise Errno(EIO)
        return
    if is_current_pgrp_orphaned(task):
        raise Errno(EIO)
    kill_pgrp(task.kernel, task.pgrp, sig)
    task.sigpending = True
    raise Errno(ERESTARTSYS)


def is_session_leader(task: Task) -> bool:
    """Is the task's process the leader of its session?"""
    return task.session == task.tgid


def proc_set_tty(task: Task, tty: Tty) -> None:
    """`tty` becomes the controlling terminal of the task's session."""
    tty.session = task.session
    tty.pgrp = task.pgrp
    task.signal.tty = tty
    task.signal.tty_old_pgrp = 0


def open_set_tty(task: Task, file: TtyFile) -> None:
    """A terminal was opened: for a session leader without one it is the controlling one."""
    tty = file.tty
    if (
        not file.flags & O_NOCTTY
        and is_session_leader(task)
        and task.signal.tty is None
        and not tty.session
        and file.mode & FMODE_READ
    ):
        proc_set_tty(task, tty)


def session_clear_tty(tty: Tty, session: int) -> None:
    """The processes of a session have no controlling terminal any more."""
    for member in tty.kernel.tasks.values():
        if member.session == session:
            member.signal.tty = None


def disassociate_ctty(task: Task, on_exit: bool) -> None:
    """A session leader gives its terminal up: the foreground group is hung up on."""
    if not is_session_leader(task):
        return
    signal = task.signal
    tty = signal.tty
    old, signal.tty_old_pgrp = signal.tty_old_pgrp, 0
    if tty is None:
        if on_exit and old:
            kill_pgrp(task.kernel, old, SIGHUP)
            kill_pgrp(task.kernel, old, SIGCONT)
        return
    if tty.pgrp:
        kill_pgrp(task.kernel, tty.pgrp, SIGHUP)
        if not on_exit:
            kill_pgrp(task.kernel, tty.pgrp, SIGCONT)
    tty.session = tty.pgrp = 0
    session_clear_tty(tty, task.session)


def signal_session_leader(tty: Tty) -> None:
    """A hangup: the session loses its terminal, and its leader gets SIGHUP and SIGCONT."""
    if not tty.session:
        return
    for member in list(tty.kernel.tasks.values()):
        if member.session != tty.session or member is not member.group_leader:
            continue
        if member.signal.tty is tty:
            member.signal.tty = None
        if is_session_leader(member):
            send_signal(member, kernel_info(SIGHUP), True, True)
            send_signal(member, kernel_info(SIGCONT), True, True)
            member.signal.tty_old_pgrp = tty.pgrp


def sys_vhangup(task: Task) -> int:
    """vhangup(2): hangs up on the caller's controlling terminal."""
    if not task.cred.capable(CAP_SYS_TTY_CONFIG):
        raise Errno(EPERM)
    tty = task.signal.tty
    if tty is not None:
        tty.hangup()
    return 0


# -- ioctls ------------------------------------------------------------------------------------


def tiocnotty(task: Task, tty: Tty) -> int:
    """TIOCNOTTY: the process gives its controlling terminal up."""
    if task.signal.tty is not tty:
        raise Errno(ENOTTY)
    disassociate_ctty(task, False)
    task.signal.tty = None
    return 0


def tiocsctty(task: Task, tty: Tty, file: TtyFile, arg: int) -> int:
    """TIOCSCTTY; with 1 root takes it from another session."""
    leader = is_session_leader(task)
    if leader and task.session == tty.session:
        return 0
    if not leader or task.signal.tty is not None:
        raise Errno(EPERM)
    privileged = task.cred.capable(CAP_SYS_ADMIN)
    if tty.session:
        if arg != 1 or not privileged:
            raise Errno(EPERM)
        session_clear_tty(tty, tty.session)
    if not file.mode & FMODE_READ and not privileged:
        raise Errno(EPERM)
    proc_set_tty(task, tty)
    return 0


def _check_own(task: Task, tty: Tty, real_tty: Tty) -> None:
    """Only a pty's master may be asked by processes of other sessions."""
    if tty is real_tty and task.signal.tty is not real_tty:
        raise Errno(ENOTTY)


def tiocgpgrp(task: Task, tty: Tty, real_tty: Tty, arg: int) -> int:
    """TIOCGPGRP (tcgetpgrp)"""
    _check_own(task, tty, real_tty)
    put_user_u32(task, arg, real_tty.pgrp)
    return 0


def tiocspgrp(task: Task, real_tty: Tty, arg: int) -> int:
    """TIOCSPGRP (tcsetpgrp)"""
    try:
        tty_check_change(task, real_tty)
    except Errno as error:
        if error.errno == EIO:
            raise Errno(ENOTTY) from None
        raise
    group = get_user_s32(task, arg)
    if group < 0:
        raise Errno(EINVAL)
    if task.signal.tty is not real_tty or real_tty.session != task.session:
        raise Errno(ENOTTY)
    kernel = task.kernel
    if not kernel.pid_in_use(group):
        raise Errno(ESRCH)
    members = process_group(kernel, group)
    member = members[0] if members else kernel.tasks.get(group)
    if member is None or member.session != task.session:
        raise Errno(EPERM)
    real_tty.pgrp = group
    return 0


def tiocgsid(task: Task, tty: Tty, real_tty: Tty, arg: int) -> int:
    """TIOCGSID (tcgetsid)"""
    _check_own(task, tty, real_tty)
    if not real_tty.session:
        raise Errno(ENOTTY)
    put_user_u32(task, arg, real_tty.session)
    return 0
