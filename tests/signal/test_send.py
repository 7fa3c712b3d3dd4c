"""Sending: what is ignored, which thread wakes, what a fatal signal does, who may send."""

from __future__ import annotations

import pytest
from signal_tasks import Kernel, taken

from emukernel.kernel.cred import Cred
from emukernel.kernel.errno import EINVAL, EPERM, ESRCH, Errno
from emukernel.kernel.signal import (
    sys_kill,
    sys_rt_sigqueueinfo,
    sys_tgkill,
    sys_tkill,
)
from emukernel.kernel.signal.numbers import (
    NSIG,
    SI_KERNEL,
    SI_TKILL,
    SIG_DFL,
    SIG_IGN,
    SIGCHLD,
    SIGCONT,
    SIGKILL,
    SIGNAL_UNKILLABLE,
    SIGSEGV,
    SIGSTOP,
    SIGTERM,
    SIGTSTP,
    SIGUSR1,
)
from emukernel.kernel.signal.pending import dequeue_signal
from emukernel.kernel.signal.send import (
    force_sig,
    force_sig_fault,
    force_sigsegv,
    send_sig,
    send_signal,
    send_signal_from_host,
)
from emukernel.kernel.signal.siginfo import SigInfo
from emukernel.kernel.signal.structs import (
    copy_signal_state,
    flush_signal_handlers,
    share_signal_state,
)
from emukernel.kernel.task import SLEEPING, Task


def act(task: Task, sig: int, handler: int) -> None:
    task.sighand.actions[sig - 1] = (handler, 0, 0, 0)


def send(task: Task, sig: int, group: bool = True) -> None:
    send_signal(task, SigInfo(sig, 0), group)


# -- ignoring ------------------------------------------------------------------------------------


def test_ignored_signals_are_not_queued_unless_blocked() -> None:
    task = Kernel().process()
    act(task, SIGUSR1, SIG_IGN)
    send(task, SIGUSR1)
    send(task, SIGCHLD)
    assert task.signal.shared_pending.signal == 0
    task.blocked = 1 << (SIGUSR1 - 1) | 1 << (SIGCHLD - 1)
    send(task, SIGUSR1)
    send(task, SIGCHLD)
    assert task.signal.shared_pending.signal == task.blocked


def test_stop_and_continue_signals_drop_each_other() -> None:
    task = Kernel().process()
    task.blocked = (1 << NSIG) - 1
    send(task, SIGTSTP)
    send(task, SIGTSTP, group=False)
    send(task, SIGCONT)
    assert (task.pending.signal, task.signal.shared_pending.signal) == (0, 1 << (SIGCONT - 1))
    send(task, SIGSTOP)
    assert task.signal.shared_pending.signal == 1 << (SIGSTOP - 1)


def test_unkillable() -> None:
    task = Kernel().process()
    task.signal.flags |= SIGNAL_UNKILLABLE
    send(task, SIGTERM)
    send(task, SIGKILL)
    assert not task.signal.group_exit
    act(task, SIGTERM, 0x1000)
    send(task, SIGTERM)
    assert taken(task) == [SIGTERM]
    force_sig(task, SIGSEGV)
    assert not task.signal.flags & SIGNAL_UNKILLABLE


# -- who wakes -----------------------------------------------------------------------------------


def test_a_sleeper_that_has_not_blocked_it_wakes() -> None:
    kernel = Kernel()
    leader = kernel.process()
    threads = [leader, kernel.thread(leader), kernel.thread(leader)]
    for task in threads:
        task.state = SLEEPING
    act(leader, SIGUSR1, 0x1000)
    leader.blocked = threads[1].blocked = 1 << (SIGUSR1 - 1)
    send(leader, SIGUSR1)
    assert kernel.sched.woken == [threads[2]]
    assert [task.sigpending for task in threads] == [False, False, True]


def test_to_a_thread_wakes_no_other() -> None:
    kernel = Kernel()
    leader = kernel.process()
    thread = kernel.thread(leader)
    act(leader, SIGUSR1, 0x1000)
    thread.blocked = 1 << (SIGUSR1 - 1)
    send(thread, SIGUSR1, group=False)
    assert not leader.sigpending
    assert not thread.sigpending
    assert thread.pending.signal


def test_a_fatal_signal_reaches_every_thread_at_once() -> None:
    kernel = Kernel()
    leader = kernel.process()
    thread = kernel.thread(leader)
    thread.state = SLEEPING
    send(leader, SIGTERM)
    assert leader.signal.group_exit
    assert leader.signal.group_exit_code == SIGTERM
    assert kernel.sched.woken == [thread]
    assert all(task.pending.signal & 1 << (SIGKILL - 1) for task in (leader, thread))
    # Dying, it takes nothing more.
    send(leader, SIGUSR1)
    assert not leader.signal.shared_pending.signal & 1 << (SIGUSR1 - 1)


def test_a_fatal_signal_with_a_core_waits_for_the_thread() -> None:
    task = Kernel().process()
    send(task, SIGSEGV)
    assert not task.signal.group_exit
    assert task.sigpending


# -- forcing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["ignored", "blocked", "handled"])
def test_forced(how: str) -> None:
    task = Kernel().process()
    act(task, SIGSEGV, SIG_IGN if how == "ignored" else 0x1000)
    if how == "blocked":
        task.blocked = 1 << (SIGSEGV - 1)
    force_sig_fault(task, SIGSEGV, 1, 0xDEAD)
    expected = 0x1000 if how == "handled" else SIG_DFL
    assert task.sighand.actions[SIGSEGV - 1][0] == expected
    assert task.sigpending
    info = dequeue_signal(task, task.blocked)
    assert info is not None
    assert (info.signo, info.code, info.addr) == (SIGSEGV, 1, 0xDEAD)


def test_forced_while_it_is_pending_and_blocked() -> None:
    task = Kernel().process()
    task.blocked = 1 << (SIGSEGV - 1)
    send(task, SIGSEGV, group=False)
    assert not task.sigpending
    force_sig(task, SIGSEGV)
    assert task.sigpending


def test_no_frame_for_sigsegv_itself_is_the_end() -> None:
    task = Kernel().process()
    act(task, SIGSEGV, 0x1000)
    force_sigsegv(task, SIGUSR1)
    assert task.sighand.actions[SIGSEGV - 1][0] == 0x1000
    force_sigsegv(task, SIGSEGV)
    assert task.sighand.actions[SIGSEGV - 1][0] == SIG_DFL


def test_from_the_kernel_or_as_if_from_the_task() -> None:
    kernel = Kernel()
    task = kernel.process(uid=5)
    act(task, 13, 0x1000)
    for priv, expected in ((False, (0, task.pid, 5)), (True, (SI_KERNEL, 0, 0))):
        send_sig(13, task, priv)
        info = dequeue_signal(task, 0)
        assert info is not None
        assert (info.code, info.pid, info.uid) == expected


def test_the_keyboard_reaches_the_group() -> None:
    kernel = Kernel()
    first = kernel.process()
    child, outsider = kernel.process(parent=first), kernel.process()
    for task in (first, child, outsider):
        act(task, 2, 0x1000)
        act(task, SIGTERM, 0x1000)
    send_signal_from_host(kernel, 2)  # type: ignore[arg-type]
    send_signal_from_host(kernel, SIGTERM)  # type: ignore[arg-type]
    assert [taken(task) for task in (first, child, outsider)] == [[2, SIGTERM], [2], []]


# -- permissions ---------------------------------------------------------------------------------


def outcome(call: object, *args: object) -> int:
    try:
        return call(*args)  # type: ignore[operator, no-any-return]
    except Errno as error:
        return -error.errno


def test_who_may_kill_whom() -> None:
    kernel = Kernel()
    sender = kernel.process(uid=1)
    same, other, root = kernel.process(uid=1), kernel.process(uid=2), kernel.process(uid=0)
    root.cred = Cred.for_user(0, 0)
    assert outcome(sys_kill, sender, same.pid, 0) == 0
    assert outcome(sys_kill, sender, other.pid, 0) == -EPERM
    assert outcome(sys_kill, root, other.pid, 0) == 0
    assert outcome(sys_kill, sender, 9999, 0) == -ESRCH
    assert outcome(sys_kill, sender, sender.pid, 65) == -EINVAL
    assert outcome(sys_kill, sender, -(1 << 31), 0) == -ESRCH
    assert outcome(sys_kill, sender, other.pid, SIGCONT) == -EPERM
    other.session = sender.session
    assert outcome(sys_kill, sender, other.pid, SIGCONT) == 0


def test_groups_and_everybody() -> None:
    kernel = Kernel()
    sender = kernel.process(uid=1)
    mate = kernel.process(uid=1, parent=sender)
    stranger = kernel.process(uid=2, parent=sender)
    for task in (sender, mate, stranger):
        act(task, SIGUSR1, 0x1000)
    assert outcome(sys_kill, sender, 0, SIGUSR1) == 0
    assert [taken(task) for task in (sender, mate, stranger)] == [[SIGUSR1], [SIGUSR1], []]
    assert outcome(sys_kill, sender, -1, SIGUSR1) == 0
    assert [taken(task) for task in (sender, mate, stranger)] == [[], [SIGUSR1], []]
    stranger.pgrp = stranger.pid
    assert outcome(sys_kill, sender, -stranger.pid, SIGUSR1) == -EPERM
    assert outcome(sys_kill, sender, -9999, SIGUSR1) == -ESRCH
    assert outcome(sys_kill, Kernel().process(), -1, SIGUSR1) == -ESRCH


def test_threads() -> None:
    kernel = Kernel()
    leader = kernel.process()
    thread = kernel.thread(leader)
    act(leader, SIGUSR1, 0x1000)
    assert outcome(sys_tgkill, leader, leader.pid, thread.pid, SIGUSR1) == 0
    assert (leader.pending.signal, thread.pending.signal) == (0, 1 << (SIGUSR1 - 1))
    info = dequeue_signal(thread, 0)
    assert info is not None
    assert (info.code, info.pid) == (SI_TKILL, leader.tgid)
    assert outcome(sys_tkill, leader, thread.pid, 0) == 0
    assert outcome(sys_tgkill, leader, thread.pid, thread.pid, 0) == -ESRCH
    assert outcome(sys_tgkill, leader, 0, thread.pid, 0) == -EINVAL
    assert outcome(sys_tkill, leader, -1, 0) == -EINVAL
    # kill's number may be a thread's: its process gets the signal.
    assert outcome(sys_kill, leader, thread.pid, SIGUSR1) == 0
    assert leader.signal.shared_pending.signal == 1 << (SIGUSR1 - 1)


# -- fork and exec -------------------------------------------------------------------------------


def test_what_a_child_inherits() -> None:
    kernel = Kernel()
    parent, child, thread = kernel.process(), kernel.process(), kernel.process()
    act(parent, SIGUSR1, 0x1000)
    act(parent, SIGTERM, SIG_IGN)
    parent.blocked, parent.altstack = 0x10, (1, 2, 0)
    send(parent, SIGUSR1)
    copy_signal_state(child, parent)
    assert child.sighand.actions == parent.sighand.actions
    assert child.sighand is not parent.sighand
    assert (child.blocked, child.altstack, child.sigpending) == (0x10, (1, 2, 0), False)
    assert taken(child) == []
    share_signal_state(thread, parent)
    assert thread.sighand is parent.sighand
    assert thread.signal is parent.signal
    copy_signal_state(child, parent, clear_sighand=True)
    assert [child.sighand.actions[sig - 1][0] for sig in (SIGUSR1, SIGTERM)] == [SIG_DFL, SIG_IGN]


def test_exec_keeps_only_what_is_ignored() -> None:
    task = Kernel().process()
    task.sighand.actions[SIGUSR1 - 1] = (0x1000, 4, 5, 6)
    task.sighand.actions[SIGTERM - 1] = (SIG_IGN, 4, 5, 6)
    flush_signal_handlers(task)
    assert task.sighand.actions[SIGUSR1 - 1] == (SIG_DFL, 0, 0, 0)
    assert task.sighand.actions[SIGTERM - 1] == (SIG_IGN, 0, 0, 0)


def test_sigqueueinfo_is_not_for_impersonation(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    sender, other = kernel.process(), kernel.process()
    codes = iter([0, SI_TKILL, 5, -1])
    monkeypatch.setattr(
        "emukernel.kernel.signal.kill.copy_siginfo_from_user",
        lambda task, sig, address: SigInfo(sig, next(codes)),
    )
    results = [outcome(sys_rt_sigqueueinfo, sender, other.pid, 40, 0) for _ in range(4)]
    assert results == [-EPERM, -EPERM, -EPERM, 0]
