"""The scheduler: which task runs, who sleeps, and what the machine does when all do.

`run` is the kernel's main loop. One task at a time has the CPU; it gives it up when it sleeps,
ends, yields, or has had its slice while another waits.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from time import perf_counter_ns

from emukernel.kernel.entry import after_hook, dispatch, slow_entry
from emukernel.kernel.sched.switch import has_cpu_timers
from emukernel.kernel.task import DEAD, RUNNING, SLEEPING, STOPPED, ZOMBIE, Task
from emukernel.kernel.traps import handle_trap
from emukernel.kernel.wait import HostReadable, WaitQueue
from emukernel.machine.cpu import NO_TRAP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.tty.console import Console


#: How long a task may run while another waits for the CPU.
SLICE_NS = 5_000_000


class Timer:
    """Something that happens at a moment of the monotonic clock.

    `target` is a task to wake, or is told by `target.expire(kernel)`. Timers of one moment expire
    in the order they were set. A cancelled one is not `active`, and stays until its turn comes.
    """

    __slots__ = ("active", "deadline", "number", "target")

    def __init__(self, deadline: int, number: int, target: Any) -> None:
        self.deadline = deadline
        self.number = number
        self.target = target
        self.active = True

    def __lt__(self, other: Timer) -> bool:
        if self.deadline != other.deadline:
            return self.deadline < other.deadline
        return self.number < other.number


class Scheduler:
    """Run queue, sleepers and timers of one kernel. Nothing here looks at all tasks per event."""

    __slots__ = (
        "_cancelled",
        "_timers_set",
        "host_waiters",
        "kernel",
        "run_queue",
        "running",
        "stopped",
        "timers",
    )

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        #: Tasks that could run, the next one first; the current one is not among them. One that
        #: has ended meanwhile is passed over.
        self.run_queue: deque[Task] = deque()
        #: A heap; `_cancelled` of them are not active.
        self.timers: list[Timer] = []
        self._timers_set = self._cancelled = 0
        #: The sleepers that wait for the host, among other things perhaps.
        self.host_waiters: dict[Task, None] = {}
        #: The tasks that a signal has stopped: they are in no queue.
        self.stopped: dict[Task, None] = {}
        #: Whether a task has the CPU.
        self.running = False

    # -- tasks -------------------------------------------------------------------------------

    def enqueue(self, task: Task) -> None:
        """Makes a new task runnable, or one that was stopped."""
        task.state = RUNNING
        self.stopped.pop(task, None)
        self._runnable(task)

    def _runnable(self, task: Task) -> None:
        self.run_queue.append(task)
        if self.running:
            # Whoever has the CPU now must not keep it.
            self.arm_slice()

    def arm_slice(self) -> None:
        """Others wait for the CPU: the current task has it for a slice at most."""
        self.kernel.interrupts.arm_slice(SLICE_NS)

    def block(self, task: Task) -> None:
        """Puts the current task to sleep on what it waits for (it raised Blocked)."""
        task.state = SLEEPING
        task.woken = False
        task.nvcsw += 1
        for queue in task.waiting:
            if type(queue) is WaitQueue:
                queue.tasks[task] = None
            else:
                self.host_waiters[task] = None
        if task.deadline is not None:
            task.timer = self.add_timer(task.deadline, task)
        for hook in self.kernel.block_hooks:
            hook(task)

    def stop(self, task: Task) -> None:
        """The current task runs no more until `enqueue`."""
        task.state = STOPPED
        self.stopped[task] = None

    def wake(self, task: Task) -> None:
        """Makes a sleeper runnable: its call is entered again."""
        if task.state != SLEEPING:
            return
        for queue in task.waiting:
            if type(queue) is WaitQueue:
                # It may be there only once where it waits for the same thing twice.
                queue.tasks.pop(task, None)
            else:
                self.host_waiters.pop(task, None)
        task.waiting = ()
        task.deadline = None
        if task.timer is not None:
            self.cancel_timer(task.timer)
            task.timer = None
        task.woken = True
        task.state = RUNNING
        self._runnable(task)

    def signal_wake(self, task: Task) -> None:
        """A signal has come for a task: an interruptible sleep ends."""
        self.wake(task)

    # -- timers ------------------------------------------------------------------------------

    def add_timer(self, deadline: int, target: Any) -> Timer:
        """Has `target` woken (a task) or told by `target.expire(kernel)` at `deadline`."""
        self._timers_set += 1
        timer = Timer(deadline, self._timers_set, target)
        heappush(self.timers, timer)
        if not isinstance(target, Task):
            self.kernel.enable_preemption()
        self.kernel.interrupts.arm(self.timers[0].deadline)
        return timer

    def cancel_timer(self, timer: Timer) -> None:
        """Takes a timer back."""
        if not timer.active:
            return
        timer.active = False
        self._cancelled += 1
        if self._cancelled > len(self.timers) >> 1:
            self.timers = [each for each in self.timers if each.active]
            heapify(self.timers)
            self._cancelled = 0

    def next_deadline(self) -> int | None:
        """When the next timer expires; None: there is none."""
        timers = self.timers
        while timers and not timers[0].active:
            heappop(timers)
            self._cancelled -= 1
        return timers[0].deadline if timers else None

    def run_timers(self) -> None:
        """Lets every timer whose moment has come expire."""
        deadline = self.next_deadline()
        while deadline is not None and deadline <= self.kernel.clock.monotonic():
            timer = heappop(self.timers)
            timer.active = False
            if isinstance(timer.target, Task):
                self.wake(timer.target)
            else:
                timer.target.expire(self.kernel)
            deadline = self.next_deadline()
        if deadline is not None:
            self.kernel.interrupts.arm(deadline)

    # -- the main loop -----------------------------------------------------------------------

    def run(self) -> None:
        """Runs until the first task's process has ended or `kernel.halt` was called."""
        kernel = self.kernel
        queue = self.run_queue
        while not kernel.halted:
            if kernel.poll_interrupts():
                if queue:
                    kernel.loadavg.sample(kernel.clock.monotonic(), len(queue))
                if self.host_waiters:
                    self.poll_host()
            if self.timers:
                self.run_timers()
            if kernel.halted:
                break
            if not queue:
                if not self.idle():
                    break
                continue
            task = queue.popleft()
            if task.state != RUNNING:
                continue
            if queue or self.host_waiters:
                self.arm_slice()
            self.running = True
            self.run_task(task)
            task = kernel.current
            self.running = kernel.need_resched = False
            if task.state == RUNNING:
                queue.append(task)
                task.preempted = True
                task.nivcsw += 1

    def run_task(self, task: Task) -> None:
        """Gives the CPU to one task until it sleeps, ends or another's turn has come.

        It may hand it to the next one inside the CPU's hook (`sched.switch`): then the same goes
        for that one.
        """
        kernel = self.kernel
        kernel.switch_to(task)
        clock = kernel.clock
        clock.start_slice()
        slices = None
        if kernel.preemptible and clock.virtual:
            slices = kernel.virtual_slices
            slices.start(kernel)
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
            task = kernel.current
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
            if slices is not None:
                slices.check(kernel)
            elif clock.virtual and kernel.preemptible:
                break
            if kernel.need_resched:
                break
        clock.end_slice(task)

    # -- idle --------------------------------------------------------------------------------

    def host_queues(self) -> tuple[dict[int, list[Task]], dict[int, list[Task]]]:
        """Who waits for which of the host's descriptors, to read and to write."""
        readers: dict[int, list[Task]] = {}
        writers: dict[int, list[Task]] = {}
        for task in self.host_waiters:
            for queue in task.waiting:
                if isinstance(queue, HostReadable):
                    (writers if queue.writing else readers).setdefault(queue.fd, []).append(task)
        return readers, writers

    def poll_host(self) -> None:
        """Wakes those whose descriptors are ready, without waiting: others run meanwhile."""
        self.wait_for_host(*self.host_queues(), self.kernel.clock.monotonic())

    def wait_for_host(
        self,
        readers: dict[int, list[Task]],
        writers: dict[int, list[Task]],
        deadline: int | None,
    ) -> bool:
        """Sleeps on the host until a descriptor is ready, or something else; wakes who waits."""
        ready = self.kernel.interrupts.wait(list(readers), list(writers), deadline)
        for fd in ready:
            for task in readers.get(fd, []) + writers.get(fd, []):
                self.wake(task)
        if self.kernel.console is not None:
            self.kernel.console.poll_host()
        return bool(ready)

    def idle(self) -> bool:
        """All tasks sleep: waits for the host or the next timer. False: nothing can ever come."""
        kernel = self.kernel
        kernel.loadavg.sample(kernel.clock.monotonic(), 1)
        if not self._idle():
            return False
        kernel.loadavg.sample(kernel.clock.monotonic(), 0)
        return True

    def _idle(self) -> bool:
        kernel = self.kernel
        readers, writers = self.host_queues()
        deadline = self.next_deadline()
        if deadline is None or not kernel.clock.virtual:
            _add_console(kernel.console, readers, writers)
        if deadline is None and not readers and not writers:
            kernel.deadlock()
            return False
        virtual = kernel.clock.virtual
        if virtual and deadline is not None and not readers and not writers:
            kernel.clock.advance_to(deadline)
            return True
        ready = self.wait_for_host(readers, writers, deadline)
        if virtual and not ready and deadline is not None and not kernel.interrupts.pending():
            # The host had as long as the guest was ready to wait.
            kernel.clock.advance_to(deadline)
        return True


def _add_console(
    console: Console | None, readers: dict[int, list[Task]], writers: dict[int, list[Task]]
) -> None:
    """What is typed, or the host's taking output again, can always wake somebody."""
    if console is not None:
        if console.watching:
            readers.setdefault(console.fd, [])
        if console.blocked:
            writers.setdefault(console.out_fd, [])


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
