"""Telling the parent about the end, the stop or the continuing of a child (SIGCHLD, wait4)."""

from __future__ import annotations

from emukernel.kernel.signal.numbers import (
    CLD_CONTINUED,
    CLD_DUMPED,
    CLD_EXITED,
    CLD_KILLED,
    CLD_STOPPED,
    NSIG,
    SA_NOCLDSTOP,
    SA_NOCLDWAIT,
    SIG_IGN,
    SIGCHLD,
    SIGCONT,
)
from emukernel.kernel.signal.siginfo import SigInfo, child_info
from emukernel.kernel.time.timekeeping import thread_group_cputime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

#: Times in SIGCHLD's siginfo are in ticks of USER_HZ = 100.
_TICK_NS = 10_000_000


def do_notify_parent(leader: Task, sig: int) -> bool:
    """The last thread of a process is gone: sends `sig` (0: none) to the parent, wakes its wait4.

    `leader.exit_code` is the wait status. True: the parent does not want to wait for it, so the
    process is reaped at once.
    """
    parent = leader.parent
    if parent is None:
        return True
    code, status = CLD_EXITED, leader.exit_code >> 8
    if leader.exit_code & 0x80:
        code, status = CLD_DUMPED, leader.exit_code & 0x7F
    elif leader.exit_code & 0x7F:
        code, status = CLD_KILLED, leader.exit_code & 0x7F
    info = _child_info(leader, code, status)
    autoreap = False
    if sig == SIGCHLD:
        handler, flags, _restorer, _mask = parent.sighand.actions[SIGCHLD - 1]
        if handler == SIG_IGN:
            autoreap, sig = True, 0
        elif flags & SA_NOCLDWAIT:
            autoreap = True
    # clone(2) takes any number up to 255; one that is no signal is never sent.
    if 0 < sig <= NSIG:
        from emukernel.kernel.signal.send import send_signal

        send_signal(parent, SigInfo(sig, info.code, info.fields), True)
    parent.signal.wait_chldexit.wake_up()
    return autoreap


def do_notify_parent_cldstop(task: Task, why: int) -> None:
    """The process has stopped or goes on: SIGCHLD unless SA_NOCLDSTOP, and wakes wait4."""
    leader = task.group_leader
    parent = leader.parent
    if parent is None:
        return
    if why == CLD_CONTINUED:
        status = SIGCONT
    else:
        assert why == CLD_STOPPED
        status = task.signal.group_exit_code & 0x7F
    handler, flags, _restorer, _mask = parent.sighand.actions[SIGCHLD - 1]
    if handler != SIG_IGN and not flags & SA_NOCLDSTOP:
        from emukernel.kernel.signal.send import send_signal

        send_signal(parent, _child_info(leader, why, status), True)
    parent.signal.wait_chldexit.wake_up()


def _child_info(leader: Task, code: int, status: int) -> SigInfo:
    utime, stime = thread_group_cputime(leader)
    return child_info(
        leader.pid, leader.cred.uid, code, status, utime // _TICK_NS, stime // _TICK_NS
    )
