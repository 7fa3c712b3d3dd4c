"""The way of a system call, in five steps (arch/x86/entry).

    trap     `syscall` in user mode: the CPU calls `syscall_entry`, inside Unicorn's hook
    entry    the registers become a number and six arguments
    check    `secure_computing`: is the task allowed to make the call?
    dispatch the handler from the table
    return   RAX gets the result; RCX and R11 what the instruction leaves in them

A call that neither sleeps nor ends the task is done without leaving the hook, in about a
microsecond; one that sleeps may hand the CPU to the next task there (`sched.switch`). Everything
else (signals, exec, exit, tracing) stops the CPU, and `Scheduler.run` goes on from there.
"""

from __future__ import annotations

from struct import Struct
from time import perf_counter_ns

from emukernel.kernel.errno import ENOMEM, Errno
from emukernel.kernel.sched.switch import make_switch
from emukernel.kernel.wait import Blocked
from emukernel.machine.physmem import OutOfMemory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

_MASK64 = 0xFFFF_FFFF_FFFF_FFFF

# Places in the register file: RAX, RCX, R11, RIP.
_RAX, _RCX, _R11, _RIP = 0, 1, 11, 16

#: RAX, RDX, RSI, RDI, R8, R9, R10 out of the register file in one go.
_ARGUMENTS = Struct("<Q8xQ24xQQQQQ").unpack_from


class NewImage(BaseException):
    """execve or rt_sigreturn replaced the registers: nothing of the old call is written back."""


class TaskExit(BaseException):
    """The current task has ended inside a call."""


class Slow(BaseException):
    """The call goes the long way round; nothing has been done yet."""


def make_entry(kernel: Kernel) -> Callable[[], None]:
    """The function that the CPU calls at every `syscall` instruction.

    One closure over everything it needs: this is the hottest code of the kernel.
    """
    cpu = kernel.cpu
    regs = cpu.regs
    read_flags, flags = cpu.flags_reader()
    handlers = kernel.handlers
    resolve = kernel.resolve_in_hook
    arguments = _ARGUMENTS
    stop = cpu.stop
    switch = make_switch(kernel)

    def syscall_entry() -> None:
        nr, a2, a1, a0, a4, a5, a3 = arguments(regs)
        task = kernel.current
        kernel.syscall_count += 1
        try:
            if kernel.entry_work:
                # Tracing, hooks, statistics or a limit: take the long way, outside the hook.
                raise Slow
            calls = task.seccomp.calls
            if calls is not None:
                match = calls.get(nr)
                if match is not True and (
                    match is None or not match(nr, a0, a1, a2, a3, a4, a5)
                ):
                    raise Slow
            handler = handlers.get(nr)
            if handler is None:
                handler = resolve(nr)
            result = handler(task, a0, a1, a2, a3, a4, a5)
        except Errno as error:
            result = -error.errno
            if result <= -512:
                _leave_hook(kernel, task, nr, (a0, a1, a2, a3, a4, a5), error)
                return
        except Blocked as error:
            if not switch(task, nr, (a0, a1, a2, a3, a4, a5)):
                _leave_hook(kernel, task, nr, (a0, a1, a2, a3, a4, a5), error)
            return
        except BaseException as error:
            _leave_hook(kernel, task, nr, (a0, a1, a2, a3, a4, a5), error)
            return
        if task.call:
            task.call = {}
        read_flags()
        regs[_RAX] = result & _MASK64
        regs[_RCX] = regs[_RIP] + 2
        regs[_R11] = flags[0]
        if task.sigpending or kernel.need_resched:
            task.orig_rax = nr
            stop()

    return syscall_entry


def _leave_hook(
    kernel: Kernel,
    task: Task,
    nr: int,
    args: tuple[int, int, int, int, int, int],
    event: BaseException,
) -> None:
    """Stops the CPU and leaves the call for `after_hook`."""
    cpu = kernel.cpu
    # Linux looks at the low half of RAX only (do_syscall_64 takes an int).
    task.orig_rax = nr & 0xFFFF_FFFF
    task.args = args
    kernel.hook_event = event
    task.compat = False
    cpu.stop()


def after_hook(kernel: Kernel) -> None:
    """Finishes, outside the hook, a call that could not be finished in it.

    RIP is behind the `syscall` instruction now.
    """
    event = kernel.hook_event
    kernel.hook_event = None
    assert event is not None
    task = kernel.current
    regs = kernel.cpu.regs
    if type(event) is NewImage:
        task.call = {}
        task.orig_rax = -1
        return
    regs[_RCX] = regs[_RIP]
    regs[_R11] = kernel.cpu.eflags
    if type(event) is Slow:
        slow_entry(kernel, task)
        return
    _settle(kernel, task, event)


def slow_entry(kernel: Kernel, task: Task) -> None:
    """Entry with all that may hang on it: limits, seccomp's verdict, tracing, hooks."""
    kernel.clock.tick()
    stats = kernel.stats
    if stats is None:
        allowed = secure_computing(kernel, task)
    else:
        stats.count(task)
        begin = perf_counter_ns()
        allowed = secure_computing(kernel, task)
        stats.filter_ns += perf_counter_ns() - begin
    if not allowed:
        return
    for hook in kernel.enter_hooks:
        hook(task)
    dispatch(kernel, task)


def secure_computing(kernel: Kernel, task: Task) -> bool:
    """Whether the task may make its call; if not, the verdict is carried out here."""
    calls = task.seccomp.calls32 if task.compat else task.seccomp.calls
    if calls is None:
        return True
    nr = task.orig_rax
    match = calls.get(nr)
    if match is True or (match is not None and match(nr, *task.args)):
        return True
    from emukernel.kernel.seccomp import seccomp_refused

    return seccomp_refused(kernel, task)


def dispatch(kernel: Kernel, task: Task) -> None:
    """Calls the handler; again for a call that slept and was woken."""
    try:
        if task.compat:
            handler = kernel.resolve32(task.orig_rax)
        else:
            handler = kernel.resolve(task.orig_rax)
        result = handler(task, *task.args)
    except BaseException as error:
        _settle(kernel, task, error)
        return
    syscall_return(kernel, task, result)


def _settle(kernel: Kernel, task: Task, event: BaseException) -> None:
    """What an exception out of a handler means."""
    kind = type(event)
    if kind is Errno:
        syscall_return(kernel, task, -event.errno)  # type: ignore[attr-defined]
    elif kind is Blocked:
        kernel.sched.block(task)
    elif kind is OutOfMemory:
        syscall_return(kernel, task, -ENOMEM)
    elif kind is NewImage:
        for hook in kernel.exit_hooks:
            hook(task, _new_image_result(kernel, task))
        task.call = {}
        task.orig_rax = -1
    elif kind is TaskExit:
        return
    else:
        raise event


def _new_image_result(kernel: Kernel, task: Task) -> int:
    """What those who watch see of execve, 0, and of rt_sigreturn, the RAX that comes back."""
    if task.orig_rax >= 0:
        return 0
    rax: int = kernel.cpu.regs[_RAX]
    return rax - (1 << 64) if rax >> 63 else rax


def syscall_return(kernel: Kernel, task: Task, result: int) -> None:
    """Puts the result where the program finds it. Restarts are resolved on the way back."""
    if task.call:
        task.call = {}
    kernel.cpu.regs[_RAX] = result & _MASK64
    for hook in kernel.exit_hooks:
        hook(task, result)
