"""Signals: sending, queueing, delivery, frames on the user stack (kernel/signal.c).

    numbers   signals, codes, flags, default actions
    siginfo   what a signal carries, and its layout for user space
    structs   what threads of a process share; fork and exec
    pending   the queues
    send      from a sender to a queue and a thread that wakes
    stop      job control: stopping and continuing a process
    notify    telling the parent (SIGCHLD)
    deliver   on the way to user mode: the default action or a handler, restart of calls
    frame     the handler's frame and rt_sigreturn (arch/x86/kernel/signal_64.c)
    altstack, mask, wait, kill   the system calls

The system calls are found here by name (`sys_kill`), and what other parts of the kernel send with;
each is imported when it is first asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MODULES = {
    "send_sig": "send",
    "force_sig": "send",
    "force_sig_fault": "send",
    "sys_rt_sigaction": "mask",
    "sys_rt_sigprocmask": "mask",
    "sys_rt_sigpending": "mask",
    "sys_rt_sigsuspend": "wait",
    "sys_rt_sigtimedwait": "wait",
    "sys_pause": "wait",
    "sys_restart_syscall": "wait",
    "sys_rt_sigreturn": "frame",
    "sys_sigaltstack": "altstack",
    "sys_kill": "kill",
    "sys_tkill": "kill",
    "sys_tgkill": "kill",
    "sys_rt_sigqueueinfo": "kill",
    "sys_rt_tgsigqueueinfo": "kill",
}


def __getattr__(name: str) -> Callable[..., Any]:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: Callable[..., Any] = getattr(
        __import__(f"{__name__}.{module}", fromlist=(name,)), name
    )
    return found
