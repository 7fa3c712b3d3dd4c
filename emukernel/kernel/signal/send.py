"""Sending: from whoever sends to a queue, and to a thread that wakes (kernel/signal.c).

A signal goes to one thread or to a process (`group`), whose threads then share it. Whether the
sender may send is its own question (`kill.check_kill_permission`).
"""

from __future__ import annotations

from emukernel.kernel.errno import EAGAIN, Errno
from emukernel.kernel.signal.numbers import (
    KERNEL_COREDUMP_MASK,
    KERNEL_IGNORE_MASK,
    KERNEL_ONLY_MASK,
    KERNEL_STOP_MASK,
    SA_IMMUTABLE,
    SI_USER,
    SIG_DFL,
    SIG_IGN,
    SIGCONT,
    SIGINT,
    SIGKILL,
    SIGNAL_UNKILLABLE,
    SIGQUIT,
    SIGRTMIN,
    SIGSEGV,
)
from emukernel.kernel.signal.pending import charge
from emukernel.kernel.signal.siginfo import SigInfo, fault_info, kernel_info, user_info
from emukernel.kernel.task import DEAD, STOPPED, ZOMBIE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

# What a forced signal does about the action of the moment (enum sig_handler).
HANDLER_CURRENT, HANDLER_SIG_DFL, HANDLER_EXIT = range(3)


# -- waking --------------------------------------------------------------------------------------


def signal_wake_up(task: Task, fatal: bool = False) -> None:
    """Has the task look at its signals: wakes it from a sleep, if `fatal` from a stop too."""
    task.sigpending = True
    if task.state == STOPPED:
        if fatal:
            task.kernel.sched.enqueue(task)
    else:
        task.kernel.sched.signal_wake(task)


def _wants_signal(task: Task, sig: int) -> bool:
    """Whether the thread would take the signal at once."""
    if task.blocked >> (sig - 1) & 1 or task.state in (ZOMBIE, DEAD):
        return False
    if sig == SIGKILL:
        return True
    if task.state == STOPPED:
        return False
    return task is task.kernel.current or not task.sigpending


def _complete_signal(task: Task, sig: int, group: bool) -> None:
    """Finds a thread for a queued signal and wakes it; a fatal one takes the process down now."""
    signal = task.signal
    if _wants_signal(task, sig):
        chosen = task
    elif not group or len(task.thread_group) < 2:
        # The thread takes it without being woken, before it runs in user mode again.
        return
    else:
        threads = task.thread_group
        at = threads.index(signal.curr_target) if signal.curr_target in threads else 0
        for thread in threads[at:] + threads[:at]:
            if _wants_signal(thread, sig):
                chosen = signal.curr_target = thread
                break
        else:
            return
    if (
        _sig_fatal(task, sig)
        and not signal.group_exit
        and not chosen.real_blocked >> (sig - 1) & 1
        and not KERNEL_COREDUMP_MASK >> (sig - 1) & 1
    ):
        signal.group_exit = True
        signal.group_exit_code = sig
        signal.group_stop_count = 0
        signal.set_stop_flags(0)
        for thread in task.thread_group:
            thread.jobctl = 0
            thread.pending.signal |= 1 << (SIGKILL - 1)
            signal_wake_up(thread, True)
        return
    signal_wake_up(chosen, sig == SIGKILL)


# -- what becomes of a signal --------------------------------------------------------------------


def _sig_fatal(task: Task, sig: int) -> bool:
    """Whether the signal would end the process."""
    return (
        not (KERNEL_IGNORE_MASK | KERNEL_STOP_MASK) >> (sig - 1) & 1
        and task.sighand.actions[sig - 1][0] == SIG_DFL
        and not (task.signal.flags & SIGNAL_UNKILLABLE and sig != SIGKILL)
    )


def sig_handler_ignored(handler: int, sig: int) -> bool:
    """Whether an action drops the signal."""
    return handler == SIG_IGN or (
        handler == SIG_DFL and bool(KERNEL_IGNORE_MASK >> (sig - 1) & 1)
    )


def _sig_ignored(task: Task, sig: int, force: bool) -> bool:
    """Whether the signal needs not even be queued. A blocked one does: the action may change."""
    if (task.blocked | task.real_blocked) >> (sig - 1) & 1:
        return False
    handler = task.sighand.actions[sig - 1][0]
    if (
        task.signal.flags & SIGNAL_UNKILLABLE
        and handler == SIG_DFL
        and not (force and KERNEL_ONLY_MASK >> (sig - 1) & 1)
    ):
        return True
    return sig_handler_ignored(handler, sig)


def _prepare_signal(task: Task, sig: int, force: bool) -> bool:
    """What sending does at once, blocked or not; false if that was all of it."""
    if task.signal.group_exit:
        return False
    bit = 1 << (sig - 1)
    if bit & KERNEL_STOP_MASK:
        flush_sigqueues(task, 1 << (SIGCONT - 1))
    elif sig == SIGCONT:
        from emukernel.kernel.signal.stop import continue_group

        flush_sigqueues(task, KERNEL_STOP_MASK)
        continue_group(task)
    return not _sig_ignored(task, sig, force)


def flush_sigqueues(task: Task, mask: int) -> None:
    """Drops signals from every queue of the task's process."""
    kernel = task.kernel
    task.signal.shared_pending.flush(kernel, mask)
    for thread in task.thread_group:
        thread.pending.flush(kernel, mask)


# -- sending -------------------------------------------------------------------------------------


def send_signal(task: Task, info: SigInfo, group: bool, force: bool = False) -> None:
    """Queues a signal for a thread, or for its process, and wakes who will take it.

    `force` marks the kernel's own. EAGAIN: a real-time signal of sigqueue(3) beyond
    RLIMIT_SIGPENDING. A task that has ended takes nothing.
    """
    sig = info.signo
    if task.state == DEAD:
        return
    if not _prepare_signal(task, sig, force):
        if not task.signal.group_exit and task.state != ZOMBIE:
            for hook in task.kernel.ignored_signal_hooks:
                hook(task, info)
        return
    pending = task.signal.shared_pending if group else task.pending
    bit = 1 << (sig - 1)
    if sig < SIGRTMIN and pending.signal & bit:
        return
    if sig != SIGKILL:
        uid = charge(task, sig < SIGRTMIN and info.code >= 0)
        if uid is not None:
            pending.queue.append((info, uid))
        elif sig >= SIGRTMIN and info.code != SI_USER:
            raise Errno(EAGAIN)
    pending.signal |= bit
    task.sighand.signalfd_queue.wake_up()
    _complete_signal(task, sig, group)


def send_sigqueue(task: Task, info: SigInfo, group: bool) -> bool:
    """Queues an entry of a timer, which is counted elsewhere and does not mind another one of the
    same signal; false where the signal is ignored."""
    sig = info.signo
    if not _prepare_signal(task, sig, False):
        return False
    pending = task.signal.shared_pending if group else task.pending
    pending.queue.append((info, None))
    pending.signal |= 1 << (sig - 1)
    task.sighand.signalfd_queue.wake_up()
    _complete_signal(task, sig, group)
    return True


def send_sig(sig: int, task: Task, priv: bool = False) -> None:
    """Sends to a thread: from the kernel (SI_KERNEL) if `priv`, else as if by the current task."""
    if priv:
        send_signal(task, kernel_info(sig), False, True)
    else:
        send_signal(task, user_info(task.kernel.current, sig), False)


def kill_pgrp(kernel: Kernel, pgrp: int, sig: int) -> None:
    """Sends the kernel's signal to every process of a group: what a terminal does."""
    for task in process_group(kernel, pgrp):
        send_signal(task, kernel_info(sig), True, True)


def process_group(kernel: Kernel, pgrp: int) -> list[Task]:
    """The leaders of the processes in a group."""
    return [
        task
        for task in kernel.tasks.values()
        if task.pgrp == pgrp and task is task.group_leader
    ]


def send_signal_from_host(kernel: Kernel, sig: int) -> None:
    """Passes on a signal that emukernel got: the keyboard's to the foreground group, others to
    the first process."""
    first = next(iter(kernel.tasks.values()), None)
    if first is None:
        return
    if sig in (SIGINT, SIGQUIT):
        console = kernel.console
        kill_pgrp(kernel, first.pgrp if console is None else console.pgrp, sig)
    else:
        send_signal(first, kernel_info(sig), True, True)


# -- forcing -------------------------------------------------------------------------------------


def force_sig_info(task: Task, info: SigInfo, how: int = HANDLER_CURRENT) -> None:
    """Sends a signal that the thread can't ignore or put off: ignored or blocked, it has its
    default action instead. With HANDLER_EXIT that can't be changed any more."""
    sig = info.signo
    bit = 1 << (sig - 1)
    actions = task.sighand.actions
    handler, flags, restorer, mask = actions[sig - 1]
    blocked = task.blocked & bit
    if blocked or handler == SIG_IGN or how != HANDLER_CURRENT:
        handler = SIG_DFL
        if how == HANDLER_EXIT:
            flags |= SA_IMMUTABLE
        actions[sig - 1] = (handler, flags, restorer, mask)
        task.blocked &= ~bit
    if handler == SIG_DFL:
        task.signal.flags &= ~SIGNAL_UNKILLABLE
    send_signal(task, info, False, True)
    if not task.sigpending:
        # It was pending already, and blocked until now.
        signal_wake_up(task)


def force_sig(task: Task, sig: int) -> None:
    """Forces a signal without more to say (SI_KERNEL)."""
    force_sig_info(task, kernel_info(sig))


def force_sig_fault(task: Task, sig: int, code: int, addr: int) -> None:
    """Forces the signal of a fault at `addr`."""
    force_sig_info(task, fault_info(sig, code, addr))


def force_fatal_sig(task: Task, sig: int) -> None:
    """Forces a signal to its default action."""
    force_sig_info(task, kernel_info(sig), HANDLER_SIG_DFL)


def force_sigsegv(task: Task, sig: int) -> None:
    """The frame of `sig` could not be written: SIGSEGV, without a handler if it was that one's."""
    if sig == SIGSEGV:
        force_fatal_sig(task, SIGSEGV)
    else:
        force_sig(task, SIGSEGV)
