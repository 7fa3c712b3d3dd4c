"""Job control: stopping and continuing a process, and what its parent hears."""

from __future__ import annotations

from signal_tasks import Kernel, taken

from emukernel.kernel.signal.deliver import do_signal
from emukernel.kernel.signal.notify import do_notify_parent
from emukernel.kernel.signal.numbers import (
    CLD_CONTINUED,
    CLD_EXITED,
    CLD_KILLED,
    CLD_STOPPED,
    SA_NOCLDSTOP,
    SA_NOCLDWAIT,
    SIG_IGN,
    SIGCHLD,
    SIGCONT,
    SIGKILL,
    SIGSTOP,
    SIGTSTP,
)
from emukernel.kernel.signal.pending import dequeue_signal
from emukernel.kernel.signal.send import send_signal
from emukernel.kernel.signal.siginfo import SigInfo
from emukernel.kernel.signal.stop import exit_signals, is_current_pgrp_orphaned
from emukernel.kernel.task import RUNNING, SLEEPING, STOPPED, Task


def send(task: Task, sig: int) -> None:
    send_signal(task, SigInfo(sig, 0), True)


def family(threads: int = 1) -> tuple[Kernel, Task, list[Task]]:
    """A parent that handles SIGCHLD, and a child."""
    kernel = Kernel()
    parent = kernel.process()
    parent.sighand.actions[SIGCHLD - 1] = (0x1000, 0, 0, 0)
    child = kernel.process(parent=parent)
    members = [child] + [kernel.thread(child) for _ in range(threads - 1)]
    return kernel, parent, members


def heard(parent: Task) -> list[tuple[int, int, int]]:
    """(pid, code, status) of each SIGCHLD that the parent got."""
    reports = []
    while (info := dequeue_signal(parent, 0)) is not None:
        reports.append((info.pid, info.code, info.status))
    return reports


def test_stop_and_continue() -> None:
    kernel, parent, (child,) = family()
    send(child, SIGSTOP)
    do_signal(child)
    assert child.state == STOPPED
    assert heard(parent) == [(child.pid, CLD_STOPPED, SIGSTOP)]
    send(child, SIGCONT)
    assert child.state == RUNNING
    assert kernel.sched.woken == [child]
    assert heard(parent) == []
    child.context, child.orig_rax = b"", -1
    do_signal(child)
    assert heard(parent) == [(child.pid, CLD_CONTINUED, SIGCONT)]
    assert not child.sigpending


def test_the_last_thread_to_stop_reports() -> None:
    kernel, parent, members = family(3)
    members[2].state = SLEEPING
    send(members[0], SIGSTOP)
    do_signal(members[0])
    assert kernel.sched.woken == [members[2]]
    assert heard(parent) == []
    do_signal(members[1])
    assert heard(parent) == []
    do_signal(members[2])
    assert {task.state for task in members} == {STOPPED}
    assert heard(parent) == [(members[0].pid, CLD_STOPPED, SIGSTOP)]


def test_a_thread_that_ends_completes_the_stop() -> None:
    _kernel, parent, members = family(2)
    send(members[0], SIGSTOP)
    do_signal(members[0])
    exit_signals(members[1])
    assert heard(parent) == [(members[0].pid, CLD_STOPPED, SIGSTOP)]


def test_continued_before_all_have_stopped() -> None:
    _kernel, parent, members = family(2)
    send(members[0], SIGSTOP)
    do_signal(members[0])
    send(members[0], SIGCONT)
    assert [task.state for task in members] == [RUNNING, RUNNING]
    do_signal(members[1])
    assert members[1].state == RUNNING
    assert heard(parent) == [(members[0].pid, CLD_STOPPED, 0)]


def test_a_stopped_process_can_be_killed() -> None:
    kernel, _parent, members = family(2)
    send(members[0], SIGSTOP)
    do_signal(members[0])
    do_signal(members[1])
    send(members[0], SIGKILL)
    assert sorted(task.pid for task in kernel.sched.woken) == [task.pid for task in members]
    assert members[0].signal.group_exit


def test_other_signals_wait_while_it_is_stopped() -> None:
    kernel, _parent, (child,) = family()
    child.sighand.actions[9] = (0x1000, 0, 0, 0)
    send(child, SIGSTOP)
    do_signal(child)
    send(child, 10)
    assert child.state == STOPPED
    assert kernel.sched.woken == []


def test_the_terminals_stop_does_nothing_to_an_orphaned_group() -> None:
    kernel, parent, (child,) = family()
    assert is_current_pgrp_orphaned(child)
    send(child, SIGTSTP)
    do_signal(child)
    assert child.state == RUNNING
    child.pgrp = child.pid
    assert not is_current_pgrp_orphaned(child)
    send(child, SIGTSTP)
    do_signal(child)
    assert child.state == STOPPED
    assert taken(parent) == [SIGCHLD]
    assert kernel.sched.woken == []


def test_parents_that_do_not_want_to_know() -> None:
    _kernel, parent, (child,) = family()
    parent.sighand.actions[SIGCHLD - 1] = (0x1000, SA_NOCLDSTOP, 0, 0)
    send(child, SIGSTOP)
    do_signal(child)
    assert heard(parent) == []
    child.exit_code = 3 << 8
    assert not do_notify_parent(child, SIGCHLD)
    assert heard(parent) == [(child.pid, CLD_EXITED, 3)]
    child.exit_code = 15
    parent.sighand.actions[SIGCHLD - 1] = (0x1000, SA_NOCLDWAIT, 0, 0)
    assert do_notify_parent(child, SIGCHLD)
    assert heard(parent) == [(child.pid, CLD_KILLED, 15)]
    parent.sighand.actions[SIGCHLD - 1] = (SIG_IGN, 0, 0, 0)
    assert do_notify_parent(child, SIGCHLD)
    assert heard(parent) == []
