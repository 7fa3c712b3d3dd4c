"""Processes made of plain objects, to send signals between without a machine."""

from __future__ import annotations

from emukernel.kernel.cred import Cred
from emukernel.kernel.signal.pending import SigPending, dequeue_signal
from emukernel.kernel.signal.structs import Sighand, SignalStruct
from emukernel.kernel.task import RUNNING, SLEEPING, STOPPED, Task

INFINITY = (1 << 64) - 1


class Clock:
    """Time that stands still but for `now`."""

    virtual = True

    def __init__(self) -> None:
        self.now = 0

    def monotonic(self) -> int:
        return self.now

    def charge(self, task: Task) -> None:
        return


class Sched:
    """Notes who was woken; keeps timers."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.woken: list[Task] = []
        self.stopped: dict[Task, None] = {}
        self.timers: list[tuple[int, object]] = []

    def signal_wake(self, task: Task) -> None:
        if task.state == SLEEPING:
            self.enqueue(task)

    wake = signal_wake

    def stop(self, task: Task) -> None:
        task.state = STOPPED
        self.stopped[task] = None

    def enqueue(self, task: Task) -> None:
        task.state = RUNNING
        self.stopped.pop(task, None)
        self.woken.append(task)

    def add_timer(self, deadline: int, target: object) -> tuple[int, object]:
        self.timers.append((deadline, target))
        return self.timers[-1]

    def cancel_timer(self, timer: tuple[int, object]) -> None:
        self.timers.remove(timer)

    def pass_time(self, ns: int) -> None:
        """Time goes by; what is due expires."""
        self.kernel.clock.now += ns
        while due := [timer for timer in self.timers if timer[0] <= self.kernel.clock.now]:
            self.timers.remove(due[0])
            due[0][1].expire(self.kernel)  # type: ignore[attr-defined]


class Interrupts:
    """The moments at which the CPU shall be interrupted."""

    def __init__(self) -> None:
        self.armed: list[int] = []

    def arm(self, deadline: int) -> None:
        self.armed.append(deadline)


class Kernel:
    """As much of a kernel as sending needs."""

    def __init__(self) -> None:
        self.tasks: dict[int, Task] = {}
        self.sigqueues: dict[int, int] = {}
        self.signal_hooks: list[object] = []
        self.ignored_signal_hooks: list[object] = []
        self.stop_hooks: list[object] = []
        self.clock = Clock()
        self.sched = Sched(self)
        self.interrupts = Interrupts()
        self.current: Task | None = None
        self.console = None

    def process(self, uid: int = 1000, parent: Task | None = None) -> Task:
        """A new process of one thread."""
        task = self._task(uid)
        task.signal = SignalStruct(task)
        task.sighand = Sighand()
        task.parent = parent
        if parent is not None:
            task.pgrp, task.session = parent.pgrp, parent.session
        return task

    def thread(self, leader: Task) -> Task:
        """A new thread of a process."""
        task = self._task(leader.cred.uid)
        task.signal, task.sighand = leader.signal, leader.sighand
        task.group_leader, task.tgid, task.parent = leader, leader.pid, leader.parent
        task.pgrp, task.session = leader.pgrp, leader.session
        task.thread_group = leader.thread_group
        task.thread_group.append(task)
        return task

    def _task(self, uid: int) -> Task:
        task = Task(self, 100 + len(self.tasks), Cred.for_user(uid, uid))  # type: ignore[arg-type]
        task.pending = SigPending()
        task.rlimits = [[INFINITY, INFINITY] for _ in range(16)]
        self.tasks[task.pid] = task
        self.current = self.current or task
        return task


def taken(task: Task) -> list[int]:
    """The signals that a task takes, in order, until none is left that it has not blocked."""
    numbers = []
    while (info := dequeue_signal(task, task.blocked)) is not None:
        numbers.append(info.signo)
    return numbers
