"""Job control: stopping all threads of a process, and continuing them (kernel/signal.c).

A stopped task has the state STOPPED and is in no queue of the scheduler's. It goes on, out of
`do_signal` once more, when SIGCONT or SIGKILL comes.
"""

from __future__ import annotations

from emukernel.kernel.signal.notify import do_notify_parent_cldstop
from emukernel.kernel.signal.numbers import (
    CLD_CONTINUED,
    CLD_STOPPED,
    JOBCTL_STOP_CONSUME,
    JOBCTL_STOP_PENDING,
    JOBCTL_STOP_SIGMASK,
    SIGNAL_CLD_CONTINUED,
    SIGNAL_CLD_MASK,
    SIGNAL_CLD_STOPPED,
    SIGNAL_STOP_CONTINUED,
    SIGNAL_STOP_STOPPED,
)
from emukernel.kernel.signal.send import process_group, signal_wake_up
from emukernel.kernel.task import DEAD, STOPPED, ZOMBIE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_STOP_BITS = JOBCTL_STOP_SIGMASK | JOBCTL_STOP_PENDING | JOBCTL_STOP_CONSUME


def do_signal_stop(task: Task, sig: int) -> None:
    """Stops the current task, and has the other threads of its process do the same."""
    signal = task.signal
    if not task.jobctl & JOBCTL_STOP_PENDING:
        if not signal.flags & SIGNAL_STOP_STOPPED:
            signal.group_exit_code = sig
        signal.group_stop_count = 0
        for thread in task.thread_group:
            if thread.state in (STOPPED, ZOMBIE, DEAD):
                continue
            thread.jobctl |= sig | JOBCTL_STOP_PENDING | JOBCTL_STOP_CONSUME
            signal.group_stop_count += 1
            if thread is not task:
                signal_wake_up(thread)
    complete = participate_group_stop(task)
    task.kernel.sched.stop(task)
    for hook in task.kernel.stop_hooks:
        hook(task, sig)
    # So that it looks here again when it goes on.
    task.sigpending = True
    if complete:
        do_notify_parent_cldstop(task, CLD_STOPPED)


def participate_group_stop(task: Task) -> bool:
    """The thread stops, or ends, as part of a group stop; true if that completes the stop."""
    signal = task.signal
    consume = task.jobctl & JOBCTL_STOP_CONSUME
    task.jobctl &= ~_STOP_BITS
    if not consume:
        return False
    if signal.group_stop_count:
        signal.group_stop_count -= 1
    if signal.group_stop_count or signal.flags & SIGNAL_STOP_STOPPED:
        return False
    signal.set_stop_flags(SIGNAL_STOP_STOPPED)
    return True


def continue_group(task: Task) -> None:
    """SIGCONT was sent: the process goes on, whatever it does about the signal."""
    signal = task.signal
    stopped = []
    for thread in task.thread_group:
        thread.jobctl &= ~_STOP_BITS
        if thread.state == STOPPED:
            stopped.append(thread)
    why = 0
    if signal.flags & SIGNAL_STOP_STOPPED:
        why = SIGNAL_CLD_CONTINUED
    elif signal.group_stop_count:
        # The stop counts as finished, so that the parent hears of it at least.
        why = SIGNAL_CLD_STOPPED
    if why:
        # The first thread on its way to user mode tells the parent.
        signal.set_stop_flags(why | SIGNAL_STOP_CONTINUED)
        signal.group_stop_count = 0
        signal.group_exit_code = 0
        for thread in task.thread_group:
            thread.sigpending = True
    for thread in stopped:
        thread.kernel.sched.enqueue(thread)


def report_continued(task: Task) -> None:
    """Tells the parent what `continue_group` noted."""
    signal = task.signal
    why = CLD_CONTINUED if signal.flags & SIGNAL_CLD_CONTINUED else CLD_STOPPED
    signal.flags &= ~SIGNAL_CLD_MASK
    do_notify_parent_cldstop(task, why)


def exit_signals(task: Task) -> None:
    """A thread ends: what it was to do for its process, others do now. Call it at do_exit, before
    the task leaves `thread_group`."""
    from emukernel.kernel.signal.mask import retarget_shared_pending

    if len(task.thread_group) > 1 and not task.signal.group_exit:
        retarget_shared_pending(task, task.blocked ^ (1 << 64) - 1)
    if task.jobctl & JOBCTL_STOP_PENDING and participate_group_stop(task):
        do_notify_parent_cldstop(task, CLD_STOPPED)


def is_current_pgrp_orphaned(task: Task, ignored: Task | None = None) -> bool:
    """Whether no process in the group, `ignored` apart, has a parent in its session but outside
    the group.

    Nobody could continue such a group: the terminal's stop signals do nothing in it.
    """
    for member in process_group(task.kernel, task.pgrp):
        parent = member.group_leader.parent
        if member is ignored or member.state in (ZOMBIE, DEAD) or parent is None:
            continue
        if parent.pgrp != task.pgrp and parent.session == task.session:
            return False
    return True
