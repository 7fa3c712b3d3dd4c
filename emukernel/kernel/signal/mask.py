"""Actions and masks: rt_sigaction, rt_sigprocmask, rt_sigpending. A sigset_t is 8 bytes."""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.errno import EINVAL, Errno
from emukernel.kernel.signal.numbers import (
    KERNEL_ONLY_MASK,
    NSIG,
    SA_IMMUTABLE,
    SIG_BLOCK,
    SIG_SETMASK,
    SIG_UNBLOCK,
    SYNCHRONOUS_MASK,
    UAPI_SA_FLAGS,
)
from emukernel.kernel.signal.pending import recalc_sigpending
from emukernel.kernel.task import DEAD, ZOMBIE
from emukernel.kernel.uaccess import copy_from_user, copy_to_user, get_user_u64, put_user_u64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

SIGSET_SIZE = 8
_SIGACTION = Struct("<QQQQ")


# -- the mask ------------------------------------------------------------------------------------


def set_current_blocked(task: Task, mask: int) -> None:
    """Sets the mask; SIGKILL and SIGSTOP are left out of it."""
    mask &= ~KERNEL_ONLY_MASK
    if mask == task.blocked:
        return
    if task.sigpending and len(task.thread_group) > 1:
        retarget_shared_pending(task, mask & ~task.blocked)
    task.blocked = mask
    recalc_sigpending(task)


def retarget_shared_pending(task: Task, which: int) -> None:
    """The task won't take these signals of its process any more: wakes threads that will."""
    left = task.signal.shared_pending.signal & which
    for thread in task.thread_group:
        if not left:
            return
        if thread is task or thread.state in (ZOMBIE, DEAD) or not left & ~thread.blocked:
            continue
        left &= thread.blocked
        if not thread.sigpending:
            from emukernel.kernel.signal.send import signal_wake_up

            signal_wake_up(thread)


def set_user_sigmask(task: Task, umask: int, sigsetsize: int) -> None:
    """The mask for the time of one call (ppoll, pselect, epoll_pwait); 0 is none. EINVAL, EFAULT.

    The old one is in `saved_sigmask`: it is put back on the way to user mode, after a signal's
    frame took note of it; a call that was not interrupted calls `restore_saved_sigmask`.
    """
    if not umask:
        return
    if sigsetsize != SIGSET_SIZE:
        raise Errno(EINVAL)
    mask = get_user_u64(task, umask)
    if task.saved_sigmask is None:
        task.saved_sigmask = task.blocked
    set_current_blocked(task, mask)


def restore_saved_sigmask(task: Task) -> None:
    """Puts the mask back that a call has replaced."""
    saved = task.saved_sigmask
    if saved is not None:
        task.saved_sigmask = None
        set_current_blocked(task, saved)


# -- system calls --------------------------------------------------------------------------------


def sys_rt_sigaction(task: Task, sig: int, act: int, oact: int, sigsetsize: int) -> int:
    """sigaction(2). A bad `oact` is noticed when the action has been set."""
    if sigsetsize != SIGSET_SIZE:
        raise Errno(EINVAL)
    new = copy_from_user(task, act, _SIGACTION.size) if act else None
    if not 1 <= sig <= NSIG or (new is not None and KERNEL_ONLY_MASK >> (sig - 1) & 1):
        raise Errno(EINVAL)
    actions = task.sighand.actions
    handler, flags, restorer, mask = actions[sig - 1]
    if flags & SA_IMMUTABLE:
        raise Errno(EINVAL)
    old = _SIGACTION.pack(handler, flags, restorer, mask)
    if new is not None:
        handler, flags, restorer, mask = _SIGACTION.unpack(new)
        actions[sig - 1] = (
            handler, flags & UAPI_SA_FLAGS, restorer, mask & ~KERNEL_ONLY_MASK
        )
        if handler < 2:
            from emukernel.kernel.signal.send import flush_sigqueues, sig_handler_ignored

            if sig_handler_ignored(handler, sig):
                # What is pending goes, blocked or not (POSIX, 2.4.3).
                flush_sigqueues(task, 1 << (sig - 1))
                recalc_sigpending(task)
        elif not SYNCHRONOUS_MASK >> (sig - 1) & 1:
            # The handler may run between any two instructions.
            task.kernel.enable_preemption()
        if task.signal.posix_timers:
            from emukernel.kernel.signal.send import sig_handler_ignored
            from emukernel.kernel.time.posix_timers import sig_unignore

            if not sig_handler_ignored(handler, sig):
                sig_unignore(task, sig)
    if oact:
        copy_to_user(task, oact, old)
    return 0


def sys_rt_sigprocmask(task: Task, how: int, nset: int, oset: int, sigsetsize: int) -> int:
    """sigprocmask(2). Without a new set `how` does not matter."""
    if sigsetsize != SIGSET_SIZE:
        raise Errno(EINVAL)
    old = task.blocked
    if nset:
        mask = get_user_u64(task, nset)
        if how == SIG_BLOCK:
            mask = old | mask
        elif how == SIG_UNBLOCK:
            mask = old & ~mask
        elif how != SIG_SETMASK:
            raise Errno(EINVAL)
        set_current_blocked(task, mask)
    if oset:
        put_user_u64(task, oset, old)
    return 0


def sys_rt_sigpending(task: Task, uset: int, sigsetsize: int) -> int:
    """sigpending(2): what is pending and blocked. Fewer than 8 bytes may be asked for."""
    if sigsetsize > SIGSET_SIZE:
        raise Errno(EINVAL)
    pending = (task.pending.signal | task.signal.shared_pending.signal) & task.blocked
    copy_to_user(task, uset, pending.to_bytes(8, "little")[:sigsetsize])
    return 0
