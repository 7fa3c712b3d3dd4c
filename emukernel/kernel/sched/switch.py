"""The short way from a task that goes to sleep to the next one: inside the CPU's hook.

Where nothing else is to be done, the hook of the sleeper's system call puts the next task's
registers and address space in place, enters that one's call again if it was woken, and returns to
the engine, which goes on as the other task. That saves stopping and starting the CPU and the
scheduler's loop: half of what a switch costs. `Scheduler.run_task` finds in `kernel.current` whom
it runs.
"""

from __future__ import annotations

from emukernel.kernel.errno import Errno
from emukernel.kernel.syscalls.dispatch import OUTSIDE_HOOK
from emukernel.kernel.task import RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

    Args = tuple[int, int, int, int, int, int]

_MASK64 = (1 << 64) - 1
_RAX, _RCX, _R11, _RIP = 0, 1, 11, 16
_RLIMIT_CPU, _RLIM_INFINITY = 0, (1 << 64) - 1
#: The engine goes on so many bytes behind RIP: behind the `syscall` that it believes to be in.
_SYSCALL_SIZE = 2
#: Results from here down are restarts, which `exit_to_user_mode` turns into something else.
_RESTARTS = -512


def make_switch(kernel: Kernel) -> Callable[[Task, int, Args], bool]:
    """A function that puts the current task to sleep and the next in its place, for its call.

    False: that can't be done here, and nothing has been done.
    """
    cpu = kernel.cpu
    regs = cpu.regs
    read_flags, flags = cpu.flags_reader()
    sched = kernel.sched
    in_place = cpu.in_place

    def switch(task: Task, nr: int, args: Args) -> bool:
        queue = sched.run_queue
        if not queue or not in_place or cpu.interrupted or has_cpu_timers(task):
            return False
        following = queue[0]
        if not simple(task, following):
            return False
        queue.popleft()
        read_flags()
        regs[_RIP] = regs[_RCX] = regs[_RIP] + _SYSCALL_SIZE
        regs[_R11] = flags[0]
        task.orig_rax = nr & 0xFFFF_FFFF
        task.args = args
        task.compat = False
        kernel.clock.charge(task)
        sched.block(task)
        kernel.switch_to(following)
        if queue:
            sched.arm_slice()
        following.preempted = False
        if following.woken:
            following.woken = False
            finish_call(following)
        regs[_RIP] -= _SYSCALL_SIZE
        return True

    def finish_call(task: Task) -> None:
        """The woken task's call, up to its return to user mode."""
        try:
            result = kernel.resolve(task.orig_rax)(task, *task.args)
        except Errno as error:
            result = -error.errno
            if result <= _RESTARTS:
                leave(error)
                return
        except BaseException as error:
            leave(error)
            return
        if task.call:
            task.call = {}
        regs[_RAX] = result & _MASK64
        if task.sigpending or kernel.need_resched:
            cpu.stop()
        else:
            task.orig_rax = -1

    def leave(event: BaseException) -> None:
        kernel.hook_event = event
        cpu.stop()

    return switch


def simple(task: Task, following: Task) -> bool:
    """Whether `following` needs no more than its registers, its memory and its call again."""
    if following.state != RUNNING or following.sigpending or following.compat:
        return False
    if following.woken:
        if following.orig_rax in OUTSIDE_HOOK:
            return False
    elif following.orig_rax >= 0 or (following.rseq is not None and following.preempted):
        return False
    return following.tsc_disabled == task.tsc_disabled and not has_cpu_timers(following)


def has_cpu_timers(task: Task) -> bool:
    """Whether the CPU time that the task uses can make something happen."""
    signal = task.signal
    return (
        signal.it_virt is not None
        or signal.it_prof is not None
        or bool(signal.cpu_timers)
        or task.rlimits[_RLIMIT_CPU][0] != _RLIM_INFINITY
    )
