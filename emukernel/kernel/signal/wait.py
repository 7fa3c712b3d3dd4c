"""Waiting for signals: rt_sigsuspend, rt_sigtimedwait, pause; and restart_syscall."""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.errno import EAGAIN, EINTR, EINVAL, ERESTARTNOHAND, Errno
from emukernel.kernel.signal.mask import SIGSET_SIZE, set_current_blocked
from emukernel.kernel.signal.numbers import KERNEL_ONLY_MASK
from emukernel.kernel.signal.pending import dequeue_signal, recalc_sigpending
from emukernel.kernel.uaccess import copy_from_user, copy_to_user, get_user_u64
from emukernel.kernel.wait import wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.signal.siginfo import SigInfo
    from emukernel.kernel.task import Task

_TIMESPEC = Struct("<qq")
_NSEC_PER_SEC = 1_000_000_000
_ALL = (1 << 64) - 1
#: The longest time the kernel counts (KTIME_MAX).
_KTIME_MAX = (1 << 63) - 1


def sys_pause(task: Task) -> int:
    """pause(2): sleeps until a handler has run."""
    wait_on(task, None, None, ERESTARTNOHAND)
    raise AssertionError("pause has no deadline")


def sys_rt_sigsuspend(task: Task, unewset: int, sigsetsize: int) -> int:
    """sigsuspend(2): as pause, under another mask."""
    if task.saved_sigmask is None:
        if sigsetsize != SIGSET_SIZE:
            raise Errno(EINVAL)
        mask = get_user_u64(task, unewset)
        task.saved_sigmask = task.blocked
        set_current_blocked(task, mask)
    return sys_pause(task)


def sys_rt_sigtimedwait(task: Task, uthese: int, uinfo: int, uts: int, sigsetsize: int) -> int:
    """sigtimedwait(2), sigwaitinfo(2): takes one signal of a set without its handler.

    EAGAIN when the time is over, EINTR when another signal came.
    """
    call = task.call
    if "others" in call:
        others, deadline = call["others"], call["deadline"]
        info = _wait_over(task, others)
    else:
        if sigsetsize != SIGSET_SIZE:
            raise Errno(EINVAL)
        others = ~(get_user_u64(task, uthese) & ~KERNEL_ONLY_MASK) & _ALL
        deadline = None
        timeout = 1
        if uts:
            seconds, nanoseconds = _TIMESPEC.unpack(copy_from_user(task, uts, _TIMESPEC.size))
            if seconds < 0 or not 0 <= nanoseconds < _NSEC_PER_SEC:
                raise Errno(EINVAL)
            timeout = seconds * _NSEC_PER_SEC + nanoseconds
            deadline = min(task.kernel.clock.monotonic() + timeout, _KTIME_MAX)
        info = dequeue_signal(task, others)
        if info is None and timeout:
            call["others"], call["deadline"] = others, deadline
            # The signals waited for are unblocked meanwhile, so that they wake the task.
            task.real_blocked = task.blocked
            task.blocked &= others
            recalc_sigpending(task)
            try:
                wait_on(task, None, deadline, EINTR)
            except Errno:
                if (info := _wait_over(task, others)) is None:
                    raise
            else:
                info = _wait_over(task, others)
    if info is None:
        timed_out = deadline is not None and task.kernel.clock.monotonic() >= deadline
        raise Errno(EAGAIN if timed_out else EINTR)
    if uinfo:
        copy_to_user(task, uinfo, info.pack())
    return info.signo


def _wait_over(task: Task, others: int) -> SigInfo | None:
    """The sleep has ended: the mask is the old one again; what came, if anything did."""
    mask, task.real_blocked = task.real_blocked, 0
    set_current_blocked(task, mask)
    return dequeue_signal(task, others)


def sys_restart_syscall(task: Task) -> int:
    """restart_syscall(2): goes on with the call that a stop interrupted.

    `task.restart_block` is None or (function, arguments…): the function is called with the task and
    the arguments, again at each wake-up as a handler is. rt_sigreturn drops it.
    """
    block = task.restart_block
    if block is None:
        raise Errno(EINTR)
    function, *arguments = block
    result: int = function(task, *arguments)
    return result
