"""The end of threads and processes (kernel/exit.c). Codes are wait(2) status words."""

from __future__ import annotations

from emukernel.kernel.entry import TaskExit
from emukernel.kernel.errno import Errno
from emukernel.kernel.task import DEAD, SLEEPING, STOPPED, ZOMBIE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_SIGHUP, _SIGCHLD, _SIGCONT = 1, 17, 18
_ALL_SIGNALS = (1 << 64) - 1


def sys_exit(task: Task, error_code: int) -> int:
    """_exit(2) as the kernel has it: ends the calling thread."""
    do_exit(task, (error_code & 0xFF) << 8)
    raise TaskExit


def sys_exit_group(task: Task, error_code: int) -> int:
    """exit_group(2): ends all threads of the process."""
    do_group_exit(task, (error_code & 0xFF) << 8)
    raise TaskExit


def do_group_exit(task: Task, code: int) -> None:
    """Ends the whole process with one status."""
    signal = task.signal
    if not signal.group_exit or not signal.group_exit_code:
        signal.group_exit_code = code
    signal.group_exit = True
    zap_other_threads(task)
    do_exit(task, signal.group_exit_code)


def zap_other_threads(task: Task) -> None:
    """Ends every other thread of the task's process at once."""
    for other in list(task.thread_group):
        if other is not task:
            do_exit(other, task.signal.group_exit_code)


def do_exit(task: Task, code: int) -> None:
    """Ends one thread; with the last one the process ends."""
    from emukernel.kernel.signal.stop import exit_signals

    if task.state in (ZOMBIE, DEAD):
        return
    kernel = task.kernel
    leave_sleep(task)
    task.exit_code = code
    exit_signals(task)
    mm_release(task)
    task.state = ZOMBIE
    for hook in kernel.task_exit_hooks:
        hook(task, code)
    if task.sysvsem is not None:
        from emukernel.kernel.ipc.sem import exit_sem

        exit_sem(task)
    task.files.put_table()
    task.pending.flush(kernel, _ALL_SIGNALS)
    kernel.ended.add(task)
    exited = task.signal.exited
    if task.mm is not None:
        # Only a launcher that was not let go on to its execve has no memory.
        exited.maxrss = max(exited.maxrss, task.mm.rss, task.mm.hiwater_rss)
        task.mm.release()
    group = task.thread_group
    group.remove(task)
    leader = task.group_leader
    if task is not leader:
        exited.add(task)
        task.state = DEAD
        del kernel.tasks[task.pid]
    if group:
        for child in leader.children:
            if child.real_parent is task:
                # Another thread takes it.
                child.real_parent = group[0]
                send_pdeath_signal(task, child)
    else:
        process_end(leader)


def leave_sleep(task: Task) -> None:
    """Takes a task that ends out of whatever it waits in."""
    from emukernel.kernel.futex import exit_futex

    if task.state in (SLEEPING, STOPPED):
        if task.state == STOPPED:
            task.kernel.sched.enqueue(task)
        else:
            task.kernel.sched.wake(task)
    exit_futex(task)
    waiter = task.call.get("ipc")
    if waiter is not None:
        waiter.unlink()
    task.call = {}


def mm_release(task: Task) -> None:
    """Lets go of the memory: robust futexes, the joiner of a thread, the parent in vfork."""
    if task.robust_list[0]:
        from emukernel.kernel.futex import exit_robust_list

        exit_robust_list(task)
    if task.kernel.futex_pi:
        from emukernel.kernel.futex_pi import exit_pi_state_list

        exit_pi_state_list(task)
    address, task.clear_child_tid = task.clear_child_tid, 0
    if address and task.mm.users > 1:
        from emukernel.kernel.futex import futex_wake
        from emukernel.kernel.uaccess import put_user_u32

        try:
            put_user_u32(task, address, 0)
            futex_wake(task, address, 1)
        except Errno:
            pass
    vfork_done(task)


def vfork_done(task: Task) -> None:
    """The parent in vfork(2) may go on."""
    queue, task.vfork_done = task.vfork_done, None
    if queue is not None:
        queue.wake_up()


def process_end(leader: Task) -> None:
    """The last thread is gone: the children get a new parent, the parent is told."""
    from emukernel.kernel.signal.notify import do_notify_parent

    kernel = leader.kernel
    signal = leader.signal
    code = signal.group_exit_code if signal.group_exit else leader.exit_code
    leader.exit_code = code
    signal.shared_pending.flush(kernel, _ALL_SIGNALS)
    if signal.it_real is not None:
        signal.it_real.stop(kernel)
    if signal.posix_timers:
        from emukernel.kernel.time.posix_timers import exit_itimers

        exit_itimers(leader)
    if leader.session == leader.pid:
        _leave_terminal(leader)
    forget_original_parent(leader)
    kill_orphaned_pgrp(leader, None)
    autoreap = do_notify_parent(leader, leader.exit_signal)
    kernel.process_ended(leader, code)
    signal.pidfd_queue.wake_up()
    if autoreap:
        release_task(leader)


def _leave_terminal(leader: Task) -> None:
    """A session leader's end hangs up on the terminal's foreground group."""
    signal = leader.signal
    if signal.tty is not None or signal.tty_old_pgrp:
        from emukernel.kernel.tty.tty_jobctrl import disassociate_ctty

        disassociate_ctty(leader, True)


def kill_orphaned_pgrp(leader: Task, parent: Task | None) -> None:
    """Hangs up on a process group with stopped members that nobody can continue any more.

    Either `leader` ends and was the group's connection to a process outside (`parent` None), or
    `parent` ends, and `leader`, its child, had that connection by it.
    """
    from emukernel.kernel.signal.send import kill_pgrp, process_group
    from emukernel.kernel.signal.stop import is_current_pgrp_orphaned

    if not leader.kernel.sched.stopped:
        return
    ignored = leader if parent is None else None
    parent = parent or leader.parent
    if parent is None or parent.pgrp == leader.pgrp or parent.session != leader.session:
        return
    members = process_group(leader.kernel, leader.pgrp)
    stopped = any(thread.state == STOPPED for m in members for thread in m.thread_group)
    if stopped and is_current_pgrp_orphaned(leader, ignored):
        kill_pgrp(leader.kernel, leader.pgrp, _SIGHUP)
        kill_pgrp(leader.kernel, leader.pgrp, _SIGCONT)


def find_new_reaper(leader: Task) -> Task | None:
    """Who adopts the children: the nearest ancestor that asked for it, or init (None)."""
    from emukernel.kernel.prctl import SIGNAL_CHILD_SUBREAPER

    ancestor = leader.parent
    while ancestor is not None:
        if ancestor.signal.flags & SIGNAL_CHILD_SUBREAPER and ancestor.state not in (ZOMBIE, DEAD):
            return ancestor
        ancestor = ancestor.parent
    return None


def send_pdeath_signal(thread: Task, child: Task) -> None:
    """Sends what PR_SET_PDEATHSIG asked for: the thread that made `child` has ended."""
    from emukernel.kernel.signal.send import send_signal
    from emukernel.kernel.signal.siginfo import user_info

    for member in child.thread_group:
        if member.pdeath_signal:
            send_signal(member, user_info(thread, member.pdeath_signal), True)


def forget_original_parent(leader: Task) -> None:
    """Gives the children of a process that ends to their reaper; init reaps the dead at once."""
    from emukernel.kernel.signal.notify import do_notify_parent

    children, leader.children = leader.children, []
    if not children:
        return
    reaper = find_new_reaper(leader)
    for child in children:
        child.parent = child.real_parent = reaper
        child.exit_signal = _SIGCHLD
        if reaper is not None:
            reaper.children.append(child)
        send_pdeath_signal(leader, child)
        ended = child.state == ZOMBIE and not child.thread_group
        if ended and do_notify_parent(child, child.exit_signal):
            release_task(child)
        kill_orphaned_pgrp(child, leader)


def account_child(task: Task, child: Task) -> None:
    """Adds a child's use of the machine to what its parent's children used."""
    mine, its = task.signal, child.signal
    for used in (child, its.exited, its.children):
        mine.children.add(used)
    mine.children.maxrss = max(mine.children.maxrss, its.exited.maxrss, its.children.maxrss)


def release_task(leader: Task) -> None:
    """A process is gone for good: nobody can wait for it any more."""
    leader.state = DEAD
    leader.kernel.tasks.pop(leader.pid, None)
    parent = leader.parent
    if parent is not None and leader in parent.children:
        parent.children.remove(leader)
