"""The scheduler: which task runs, who sleeps, and what the machine does when all do.

`run` is the kernel's main loop. One task at a time has the CPU; it gives it up when it sleeps,
ends, yields, or has had its slice while another waits.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from time import perf_counter_ns

from emukernel.kernel.entry import after_hook, dispatch, slow_entry
from emukernel.kernel.task import DEAD, RUNNING, SLEEPING, ZOMBIE, Task
from emukernel.kernel.traps import handle_trap
from emukernel.kernel.wait import HostReadable, WaitQueue
from emukernel.machine.cpu import NO_TRAP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.kernel import Kernel


#: How long a task may run while another waits for the CPU.
SLICE_NS = 5_000_000


_RLIMIT_CPU, _RLIM_INFINITY = 0, (1 << 64) - 1


class Timer:
    """Something that happens at a moment of the monotonic clock: `expire(kernel)` is called."""

    __slots__ = ("active", "deadline", "target")

    def __init__(self, deadline: int, target: Any) -> None:
        self.deadline = deadline
        self.target = target
        self.active = True

    def __lt__(self, other: Timer) -> bool:
        return self.deadline < other.deadline


class Scheduler:
    """Run queue, sleepers and timers of one kernel."""

    __slots__ = ("kernel", "run_queue", "running", "timers")

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        #: Tasks that could run, the next one first; the current one is not among them.
        self.run_queue: deque[Task] = deque()
        self.timers: list[Timer] = []
        #: Whether a task has the CPU.
        self.running = False

    # -- tasks -------------------------------------------------------------------------------

    def enqueue(self, task: Task) -> None:
        """Makes a new task runnable."""
        task.state = RUNNING
        self._runnable(task)

    def _runnable(self, task: Task) -> None:
        self.run_queue.append(task)
        if self.running:
            # Whoever has the CPU now must not keep it.
            self.kernel.interrupts.arm_slice(SLICE_NS)

    def dequeue(self, task: Task) -> None:
        """A task has ended: it runs no more."""
        if task in self.run_queue:
            self.run_queue.remove(task)

    def block(self, task: Task) -> None:
        """Puts the current task to sleep on what it waits for (it raised Blocked)."""
        task.state = SLEEPING
        task.woken = False
        task.nvcsw += 1
        for queue in task.waiting:
            if type(queue) is WaitQueue:
                queue.tasks.append(task)
        if task.deadline is not None:
            self.add_timer(task.deadline, task)
        for hook in self.kernel.block_hooks:
            hook(task)

    def wake(self, task: Task) -> None:
        """Makes a sleeper runnable: its call is entered again."""
        if task.state != SLEEPING:
            return
        for queue in task.waiting:
            if type(queue) is WaitQueue:
                queue.tasks.remove(task)
        task.waiting = ()
        task.deadline = None
        task.woken = True
        task.state = RUNNING
        self._runnable(task)
        for timer in self.timers:
            if timer.target is task:
                self.timers.remove(timer)
                break

    def signal_wake(self, task: Task) -> None:
        """A signal has come for a task: an interruptible sleep ends."""
        self.wake(task)

    # -- timers ------------------------------------------------------------------------------

    def add_timer(self, deadline: int, target: Any) -> Timer:
        """Has `target` woken (a task) or told by `target.expire(kernel)` at `deadline`."""
        timer = Timer(deadline, target)
        insort(self.timers, timer)
        if not isinstance(target, Task):
            self.kernel.enable_preemption()
        self.kernel.interrupts.arm(self.timers[0].deadline)
        return timer

    def cancel_timer(self, timer: Timer) -> None:
        """Takes a timer back."""
        if timer in self.timers:
            self.timers.remove(timer)

    def run_timers(self) -> None:
        """Lets every timer whose moment has come expire."""
        timers = self.timers
        while timers and timers[0].deadline <= self.kernel.clock.monotonic():
            timer = timers.pop(0)
            if isinstance(timer.target, Task):
                self.wake(timer.target)
            else:
                timer.target.expire(self.kernel)
        if timers:
            self.kernel.interrupts.arm(timers[0].deadline)

    # -- the main loop -----------------------------------------------------------------------

    def run(self) -> None:
        """Runs until the first task's process has ended or `kernel.halt` was called."""
        kernel = self.kernel
        while not kernel.halted:
            kernel.poll_interrupts()
            if self.timers:
                self.run_timers()
            if kernel.halted:
                break
            if not self.run_queue:
                if not self.idle():
                    break
                continue
            queue = self.run_queue
            task = queue.popleft()
            if queue:
                kernel.interrupts.arm_slice(SLICE_NS)
            self.running = True
            self.run_task(task)
            self.running = kernel.need_resched = False
            if task.state == RUNNING:
                queue.append(task)
                task.preempted = True
                task.nivcsw += 1

    def run_task(self, task: Task) -> None:
        """Gives the CPU to one task until it sleeps, ends or another's turn has come."""
        kernel = self.kernel
        kernel.switch_to(task)
        clock = kernel.clock
        clock.start_slice()
        if task.woken:
            task.woken = False
            dispatch(kernel, task)
        elif task.rseq is not None and task.preempted:
            leave_rseq(kernel, task)
        task.preempted = False
        while task.state == RUNNING and not kernel.halted:
            if task.sigpending or task.orig_rax >= 0:
                exit_to_user_mode(kernel, task)
                if task.state != RUNNING or kernel.halted:
                    break
            if kernel.preemptible:
                kernel.cpu.enable_interrupts()
            cpu_timed = has_cpu_timers(task)
            if cpu_timed:
                kernel.enable_preemption()
                from emukernel.kernel.time.itimer import arm_cpu_timers

                arm_cpu_timers(task)
            stats = kernel.stats
            if stats is None:
                vector = kernel.run_cpu()
            else:
                begin = perf_counter_ns()
                vector = kernel.run_cpu()
                stats.guest_ns += perf_counter_ns() - begin
            clock.charge(task)
            if cpu_timed:
                from emukernel.kernel.time.itimer import run_cpu_timers

                run_cpu_timers(task)
            if kernel.hook_event is not None:
                after_hook(kernel)
            elif vector != NO_TRAP:
                handle_trap(kernel, task, vector)
            elif kernel.cpu.interrupted:
                break
            clock.charge(task, system=True)
            if kernel.need_resched:
                break
        clock.end_slice(task)

    # -- idle --------------------------------------------------------------------------------

    def idle(self) -> bool:
        """All tasks sleep: waits for the host or the next timer. False: nothing can ever come."""
        kernel = self.kernel
        readers: dict[int, list[Task]] = {}
        writers: dict[int, list[Task]] = {}
        sleepers = [task for task in kernel.tasks.values() if task.state == SLEEPING]
        for task in sleepers:
            for queue in task.waiting:
                if isinstance(queue, HostReadable):
                    (writers if queue.writing else readers).setdefault(queue.fd, []).append(task)
        deadline = self.timers[0].deadline if self.timers else None
        if deadline is None and not readers and not writers:
            kernel.deadlock(sleepers)
            return False
        if kernel.clock.virtual and deadline is not None and not readers and not writers:
            kernel.clock.advance_to(deadline)
            return True
        for fd in kernel.interrupts.wait(list(readers), list(writers), deadline):
            for task in readers.get(fd, []) + writers.get(fd, []):
                self.wake(task)
        return True


def has_cpu_timers(task: Task) -> bool:
    """Whether the CPU time that the task uses can make something happen."""
    signal = task.signal
    return (
        signal.it_virt is not None
        or signal.it_prof is not None
        or task.rlimits[_RLIMIT_CPU][0] != _RLIM_INFINITY
    )


def exit_to_user_mode(kernel: Kernel, task: Task) -> None:
    """The last stop before user mode: signals and the restart of calls."""
    if task.rseq is not None and task.sigpending:
        leave_rseq(kernel, task)
    if task.sigpending or kernel.cpu.regs[0] >= (1 << 64) - 516:
        from emukernel.kernel.signal.deliver import do_signal

        do_signal(task)
    if task.state == RUNNING:
        task.orig_rax = -1


def leave_rseq(kernel: Kernel, task: Task) -> None:
    """The task was interrupted: a restartable sequence it was in starts over."""
    from emukernel.kernel.errno import Errno
    from emukernel.kernel.rseq import rseq_handle_notify_resume

    regs = kernel.cpu.regs
    try:
        regs[16] = rseq_handle_notify_resume(task, regs[16])
    except Errno:
        from emukernel.kernel.signal.send import force_sig

        force_sig(task, 11)


__all__ = ["DEAD", "ZOMBIE", "Scheduler", "Timer", "slow_entry"]
