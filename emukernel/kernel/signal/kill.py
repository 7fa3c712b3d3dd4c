"""Sending by system call: kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo."""

from __future__ import annotations

from emukernel.kernel.errno import EINVAL, EPERM, ESRCH, Errno
from emukernel.kernel.signal.numbers import SI_TKILL, SIGCONT, valid_signal
from emukernel.kernel.signal.send import process_group, send_signal
from emukernel.kernel.signal.siginfo import SigInfo, copy_siginfo_from_user, user_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

CAP_KILL = 5
_INT_MIN = -(1 << 31)


def check_kill_permission(sender: Task, target: Task, sig: int, info: SigInfo) -> None:
    """EINVAL for a number that is no signal's, EPERM for a target that is not the sender's.

    One's own process may be sent anything; of one's session every process SIGCONT.
    """
    if not valid_signal(sig):
        raise Errno(EINVAL)
    if not info.is_from_user() or sender.tgid == target.tgid:
        return
    cred, other = sender.cred, target.cred
    if cred.euid in (other.suid, other.uid) or cred.uid in (other.suid, other.uid):
        return
    from emukernel.kernel.cred import capable

    if capable(sender, CAP_KILL):
        return
    if sig == SIGCONT and sender.session == target.session:
        return
    raise Errno(EPERM)


def _send(sender: Task, target: Task, sig: int, info: SigInfo, group: bool) -> None:
    """Sends if allowed. Signal 0 only asks whether it would be."""
    check_kill_permission(sender, target, sig, info)
    if sig:
        send_signal(target, info, group)


def _send_to_pid(sender: Task, pid: int, sig: int, info: SigInfo) -> int:
    """To the process that a thread's number belongs to."""
    target = sender.kernel.tasks.get(pid)
    if target is None:
        raise Errno(ESRCH)
    _send(sender, target, sig, info, True)
    return 0


def _send_to_thread(sender: Task, tgid: int, pid: int, sig: int, info: SigInfo) -> int:
    """To one thread, of process `tgid` if that is not 0."""
    target = sender.kernel.tasks.get(pid)
    if target is None or (tgid and target.tgid != tgid):
        raise Errno(ESRCH)
    _send(sender, target, sig, info, False)
    return 0


def sys_kill(task: Task, pid: int, sig: int) -> int:
    """kill(2): to a process, a process group (0: one's own), or (-1) all that one may."""
    info = user_info(task, sig)
    if pid > 0:
        return _send_to_pid(task, pid, sig, info)
    if pid == _INT_MIN:
        raise Errno(ESRCH)
    if pid == -1:
        return _send_to_all(task, sig, info)
    error = ESRCH
    reached = False
    for target in process_group(task.kernel, -pid or task.pgrp):
        try:
            _send(task, target, sig, info, True)
            reached = True
        except Errno as failure:
            error = failure.errno
    if not reached:
        raise Errno(error)
    return 0


def _send_to_all(task: Task, sig: int, info: SigInfo) -> int:
    """To every process but init and the sender's own. That one may send to none is no error."""
    found = False
    error = 0
    for target in list(task.kernel.tasks.values()):
        if target.pid <= 1 or target is not target.group_leader or target.tgid == task.tgid:
            continue
        found = True
        try:
            _send(task, target, sig, info, True)
            error = 0
        except Errno as failure:
            if failure.errno != EPERM:
                error = failure.errno
    if not found:
        raise Errno(ESRCH)
    if error:
        raise Errno(error)
    return 0


def sys_tkill(task: Task, pid: int, sig: int) -> int:
    """tkill(2): to a thread."""
    if pid <= 0:
        raise Errno(EINVAL)
    return _send_to_thread(task, 0, pid, sig, user_info(task, sig, SI_TKILL))


def sys_tgkill(task: Task, tgid: int, pid: int, sig: int) -> int:
    """tgkill(2): to a thread, if it belongs to that process."""
    if pid <= 0 or tgid <= 0:
        raise Errno(EINVAL)
    return _send_to_thread(task, tgid, pid, sig, user_info(task, sig, SI_TKILL))


def _check_source(task: Task, pid: int, info: SigInfo) -> None:
    """Only to itself may a process send what the kernel or kill(2) would."""
    if (info.code >= 0 or info.code == SI_TKILL) and task.pid != pid:
        raise Errno(EPERM)


def sys_rt_sigqueueinfo(task: Task, pid: int, sig: int, uinfo: int) -> int:
    """rt_sigqueueinfo(2): sigqueue(3) with a siginfo of the caller's own making."""
    info = copy_siginfo_from_user(task, sig, uinfo)
    _check_source(task, pid, info)
    return _send_to_pid(task, pid, sig, info)


def sys_rt_tgsigqueueinfo(task: Task, tgid: int, pid: int, sig: int, uinfo: int) -> int:
    """rt_tgsigqueueinfo(2): the same, to a thread."""
    info = copy_siginfo_from_user(task, sig, uinfo)
    if pid <= 0 or tgid <= 0:
        raise Errno(EINVAL)
    _check_source(task, pid, info)
    return _send_to_thread(task, tgid, pid, sig, info)
