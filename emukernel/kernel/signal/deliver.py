"""On the way to user mode: what is done about pending signals (get_signal of kernel/signal.c).

`do_signal` takes signals until none is left that is not blocked. A default action ends or stops the
task; a handler gets a frame, several handlers one on top of the other. Then the call that was
interrupted is arranged to start again, or to have failed with EINTR.
"""

from __future__ import annotations

from emukernel.kernel.errno import (
    EINTR,
    ERESTART_RESTARTBLOCK,
    ERESTARTNOHAND,
    ERESTARTNOINTR,
    ERESTARTSYS,
    Errno,
)
from emukernel.kernel.signal.altstack import NO_ALTSTACK
from emukernel.kernel.signal.frame import setup_rt_frame
from emukernel.kernel.signal.mask import restore_saved_sigmask, set_current_blocked
from emukernel.kernel.signal.numbers import (
    JOBCTL_STOP_PENDING,
    JOBCTL_STOP_SIGMASK,
    KERNEL_COREDUMP_MASK,
    KERNEL_IGNORE_MASK,
    KERNEL_ONLY_MASK,
    KERNEL_STOP_MASK,
    SA_NODEFER,
    SA_RESETHAND,
    SA_RESTART,
    SIG_DFL,
    SIG_IGN,
    SIGKILL,
    SIGNAL_CLD_MASK,
    SIGNAL_UNKILLABLE,
    SIGSTOP,
    SS_AUTODISARM,
)
from emukernel.kernel.signal.pending import (
    dequeue_signal,
    dequeue_synchronous_signal,
    recalc_sigpending,
)
from emukernel.kernel.signal.send import force_sigsegv
from emukernel.kernel.task import RUNNING
from emukernel.machine.physmem import OutOfMemory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.signal.siginfo import SigInfo
    from emukernel.kernel.signal.structs import Action
    from emukernel.kernel.task import Task

_RAX, _RIP = 0, 16
_MASK64 = (1 << 64) - 1
_SYS_RESTART_SYSCALL = 219
_SYS_RESTART_SYSCALL_32 = 0
_SYSCALL_SIZE = 2  # `syscall` and `int $0x80` alike

_RLIMIT_CORE = 4
_CORE_MIN = 4096
_CORE_FLAG = 0x80


def do_signal(task: Task) -> None:
    """Settles everything that keeps the current task from going on in user mode.

    Afterwards its state is RUNNING, or it has ended or stopped. A stopped task comes here again
    when it goes on; `orig_rax` must be kept for that.
    """
    while task.sigpending:
        found = _get_signal(task)
        if found is None:
            break
        _handle_signal(task, *found)
        # The frame has the call's result: nothing is left to start again.
        task.orig_rax = -1
    if task.state != RUNNING:
        return
    if task.orig_rax >= 0:
        _restart_call(task)
    restore_saved_sigmask(task)


def _get_signal(task: Task) -> tuple[SigInfo, Action] | None:
    """The next signal that has a handler, and its action. None: nothing more, or the task's end."""
    signal = task.signal
    actions = task.sighand.actions
    while True:
        if signal.flags & SIGNAL_CLD_MASK:
            from emukernel.kernel.signal.stop import report_continued

            report_continued(task)
        if signal.group_exit:
            _end(task, signal.group_exit_code)
            return None
        if task.jobctl & JOBCTL_STOP_PENDING:
            from emukernel.kernel.signal.stop import do_signal_stop

            do_signal_stop(task, task.jobctl & JOBCTL_STOP_SIGMASK)
            return None
        info = dequeue_synchronous_signal(task) or dequeue_signal(task, task.blocked)
        if info is None:
            return None
        sig = info.signo
        for hook in task.kernel.signal_hooks:
            hook(task, info)
        action = actions[sig - 1]
        handler = action[0]
        if handler == SIG_IGN:
            continue
        if handler != SIG_DFL:
            if action[1] & SA_RESETHAND:
                actions[sig - 1] = (SIG_DFL, *action[1:])
            return info, action
        bit = 1 << (sig - 1)
        if bit & KERNEL_IGNORE_MASK:
            continue
        if signal.flags & SIGNAL_UNKILLABLE and not bit & KERNEL_ONLY_MASK:
            continue
        if bit & KERNEL_STOP_MASK:
            from emukernel.kernel.signal.stop import do_signal_stop, is_current_pgrp_orphaned

            if sig != SIGSTOP and is_current_pgrp_orphaned(task):
                continue
            do_signal_stop(task, sig)
            return None
        _end(task, sig | _core_dump(task, bit))
        return None


def _end(task: Task, code: int) -> None:
    """The process ends by a signal: `code` is its wait status."""
    from emukernel.kernel.exit import do_group_exit

    task.pending.signal &= ~(1 << (SIGKILL - 1))
    recalc_sigpending(task)
    do_group_exit(task, code)


def _core_dump(task: Task, bit: int) -> int:
    """The wait status's core flag, for a signal that dumps and a process that may be dumped."""
    if not bit & KERNEL_COREDUMP_MASK or task.dumpable != 1:
        return 0
    return _CORE_FLAG if task.rlimits[_RLIMIT_CORE][0] >= _CORE_MIN else 0


def _handle_signal(task: Task, info: SigInfo, action: Action) -> None:
    """Has the handler run: the interrupted call's fate, the frame, the mask meanwhile."""
    _handler, flags, _restorer, mask = action
    if task.orig_rax >= 0:
        _interrupted_call(task, flags)
    try:
        setup_rt_frame(task, info, action)
    except (Errno, OutOfMemory):
        force_sigsegv(task, info.signo)
        return
    task.saved_sigmask = None
    mask |= task.blocked
    if not flags & SA_NODEFER:
        mask |= 1 << (info.signo - 1)
    set_current_blocked(task, mask)
    if task.altstack[2] & SS_AUTODISARM:
        task.altstack = NO_ALTSTACK


def _error(task: Task) -> int:
    """The error number with which the call came back, 0 for none."""
    rax: int = task.kernel.cpu.regs[_RAX]
    if task.compat:
        rax = rax | 0xFFFF_FFFF_0000_0000 if rax & 0x8000_0000 else rax
    error = (1 << 64) - rax
    return error if error <= ERESTART_RESTARTBLOCK else 0


def _interrupted_call(task: Task, flags: int) -> None:
    """A handler will run: the call fails with EINTR or, as its kind and SA_RESTART say, is made
    again when the handler returns."""
    error = _error(task)
    if error in (ERESTART_RESTARTBLOCK, ERESTARTNOHAND) or (
        error == ERESTARTSYS and not flags & SA_RESTART
    ):
        task.kernel.cpu.regs[_RAX] = -EINTR & _MASK64
    elif error in (ERESTARTSYS, ERESTARTNOINTR):
        _again(task, task.orig_rax)


def _restart_call(task: Task) -> None:
    """No handler runs: the call is made again, if it asks for that."""
    error = _error(task)
    if error in (ERESTARTSYS, ERESTARTNOHAND, ERESTARTNOINTR):
        _again(task, task.orig_rax)
    elif error == ERESTART_RESTARTBLOCK:
        _again(task, _SYS_RESTART_SYSCALL_32 if task.compat else _SYS_RESTART_SYSCALL)


def _again(task: Task, nr: int) -> None:
    """Puts the task back at its system call instruction."""
    regs = task.kernel.cpu.regs
    regs[_RAX] = nr
    regs[_RIP] = (regs[_RIP] - _SYSCALL_SIZE) & _MASK64
