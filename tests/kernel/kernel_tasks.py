"""Tasks with real memory, clocks and log, but without a CPU: handlers are called directly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emukernel.kernel.cred import Cred
from emukernel.kernel.errno import Errno
from emukernel.kernel.mm.mm import Mm
from emukernel.kernel.mm.slab import Slab
from emukernel.kernel.printk import KernelLog
from emukernel.kernel.random import RandomSource
from emukernel.kernel.resource import default_rlimits
from emukernel.kernel.signal.pending import SigPending
from emukernel.kernel.signal.structs import Sighand, SignalStruct
from emukernel.kernel.task import RUNNING, Task
from emukernel.kernel.time.timekeeping import Clock
from emukernel.kernel.uts import Uts
from emukernel.kernel.wait import Blocked
from emukernel.machine.physmem import PhysicalMemory

BUFFER = 0x20_0000
SIZE = 0x10_0000
MAP_PRIVATE_FIXED_ANONYMOUS = 0x32


class Cpu:
    """The registers that handlers look at."""

    kernel_entry = 0

    def __init__(self) -> None:
        self.fs_base = self.gs_base = 0
        self.tsc_disabled = False

    def flush_tlb(self) -> None:
        return

    def set_tsc_disabled(self, disabled: bool) -> None:
        self.tsc_disabled = disabled


class Sched:
    """Wakes by taking a task off its queues."""

    def wake(self, task: Task) -> None:
        for queue in task.waiting:
            del queue.tasks[task]
        task.waiting = ()
        task.state = RUNNING


class Machine:
    """As much of a kernel as the handlers of this folder need."""

    def __init__(self) -> None:
        self.memory = PhysicalMemory(8 << 20)
        self.slab = Slab(self.memory)
        self.zero_pfn = self.memory.alloc_frame()
        self.cpu = Cpu()
        self.clock = Clock(virtual=True)
        self.log = KernelLog(self.clock)
        self.random = RandomSource(1)
        self.uts = Uts()
        self.sched = Sched()
        self.tasks: dict[int, Task] = {}
        self.futex_queues: dict[Any, Any] = {}
        self.futex_pi: dict[Any, Any] = {}
        self.current: Task | None = None
        self.active_mm: Mm | None = None
        self.mm_ids = 0
        self.need_resched = False

    def process(self, uid: int = 0, parent: Task | None = None) -> Task:
        """A process of one thread with SIZE bytes of memory at BUFFER."""
        from emukernel.kernel.mm.mmap import sys_mmap

        task = Task(self, 100 + len(self.tasks), Cred.for_user(uid, uid))  # type: ignore[arg-type]
        task.signal = SignalStruct(task)
        task.sighand = Sighand()
        task.pending = SigPending()
        task.rlimits = default_rlimits()
        task.mm = Mm(self)  # type: ignore[arg-type]
        task.parent = parent
        if parent is not None:
            task.pgrp, task.session = parent.pgrp, parent.session
        self.tasks[task.pid] = task
        self.current = self.current or task
        sys_mmap(task, BUFFER, SIZE, 3, MAP_PRIVATE_FIXED_ANONYMOUS, 0xFFFF_FFFF, 0)
        return task

    def thread(self, leader: Task) -> Task:
        """One more thread of a process."""
        task = Task(self, 100 + len(self.tasks), leader.cred)  # type: ignore[arg-type]
        task.signal, task.sighand, task.mm = leader.signal, leader.sighand, leader.mm
        task.pending, task.rlimits = SigPending(), leader.rlimits
        task.group_leader, task.tgid, task.parent = leader, leader.pid, leader.parent
        task.pgrp, task.session = leader.pgrp, leader.session
        task.thread_group = leader.thread_group
        task.thread_group.append(task)
        self.tasks[task.pid] = task
        return task


def errno_of(function: Callable[..., object], *args: object) -> int:
    """The error that a call fails with, 0 if it doesn't."""
    try:
        function(*args)
    except Errno as error:
        return error.errno
    return 0


def sleeps(function: Callable[..., int], task: Task, *args: int) -> bool:
    """Makes a call; true if the task sleeps in it now, on its queues."""
    try:
        function(task, *args)
    except Blocked:
        task.state = "S"
        for queue in task.waiting:
            queue.tasks[task] = None
        return True
    return False


def wake_all(task: Task) -> None:
    """What the scheduler does at the deadline: the call will be entered again."""
    task.kernel.sched.wake(task)
