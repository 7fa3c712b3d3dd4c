"""The kernel as a whole: what boot makes and every other module reaches through `task.kernel`."""

from __future__ import annotations

import os

from emukernel.kernel.entry import Slow, make_entry
from emukernel.kernel.errno import EEXIST, EINVAL, Errno
from emukernel.kernel.interrupts import Interrupts
from emukernel.kernel.mm.slab import Slab
from emukernel.kernel.options import Options
from emukernel.kernel.printk import KernelLog
from emukernel.kernel.random import RandomSource
from emukernel.kernel.sched.core import Scheduler
from emukernel.kernel.sched.loadavg import LoadAverages
from emukernel.kernel.sched.slices import VirtualSlices
from emukernel.kernel.signal.structs import Usage
from emukernel.kernel.syscalls import dispatch
from emukernel.kernel.time.timekeeping import Clock
from emukernel.kernel.traps import make_page_fault_handler
from emukernel.kernel.uts import Uts
from emukernel.machine.cpu import NO_TRAP, Cpu
from emukernel.machine.pagetable import PageTable
from emukernel.machine.physmem import PhysicalMemory
from emukernel.seccomp.abi import get_abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.mount import Vfs
    from emukernel.kernel.futex_pi import PiState
    from emukernel.kernel.ipc.util import IpcNamespace
    from emukernel.kernel.mm.mm import Mm
    from emukernel.kernel.signal.siginfo import SigInfo
    from emukernel.kernel.stats import Stats
    from emukernel.kernel.syscalls.dispatch import Handler
    from emukernel.kernel.task import Task
    from emukernel.kernel.tty.console import Console
    from emukernel.seccomp.violation import Violation

FIRST_PID = 100
PID_MAX = 32768


class Halt:
    """Why the machine stopped: `kind` is exit, timeout, instructions, deadlock or interrupt."""

    __slots__ = ("code", "kind", "text")

    def __init__(self, kind: str, code: int = 0, text: str = "") -> None:
        self.kind = kind
        self.code = code
        self.text = text


class Kernel:
    """One booted machine. `run` runs it until its first process has ended."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.memory = PhysicalMemory(options.memory)
        self.cpu = Cpu(self.memory)
        self.slab = Slab(self.memory)
        self.memory.on_stale_code = self.cpu.drop_code
        self.clock = Clock(virtual=options.deterministic)
        self.log = KernelLog(self.clock)
        self.random = RandomSource(options.seed if options.deterministic else None)
        self.uts = Uts(options.hostname)
        self.interrupts = Interrupts(self)
        self.sched = Scheduler(self)
        self.loadavg = LoadAverages()
        #: How long a task runs where no host clock may say so.
        self.virtual_slices = VirtualSlices(options.seed)
        self.seccomp_abi = get_abi(options.seccomp_abi, ptregs_events=options.ptregs_events)
        self.tasks: dict[int, Task] = {}
        self.vfs: Vfs
        self.root: Path
        self.program_fd = -1
        #: The host's terminal, if it is the guest's standard input.
        self.console: Console | None = None
        self.symbols: dict[tuple[int, int], Any] = {}
        self.last_fault = ""
        #: Queued signals by real user id, for RLIMIT_SIGPENDING.
        self.sigqueues: dict[int, int] = {}
        self.current: Task = None  # type: ignore[assignment]
        self.active_mm: Mm | None = None
        self.mm_ids = 0
        self.next_pid = FIRST_PID
        #: The highest number that was ever given to a task.
        self.highest_pid = 0
        #: As many tasks as an eighth of RAM has room for in kernel stacks (set_max_threads).
        self.max_threads = max(self.memory.size // (8 * 16384), 20)
        self.zero_pfn = self.memory.alloc_frame()
        self.boot_table = PageTable(self.memory, self.cpu.kernel_entry)

        # The dispatch tables fill as calls are first made.
        self.handlers: dict[int, Handler] = {}
        self._outside: dict[int, Handler] = {}
        self.unimplemented: set[int] = set()

        # Work at entry: a task's calls take the long way while any of these is set.
        self.entry_work = options.deterministic
        self.enter_hooks: list[Callable[[Task], None]] = []
        self.exit_hooks: list[Callable[[Task, int], None]] = []
        self.task_exit_hooks: list[Callable[[Task, int], None]] = []
        self.fork_hooks: list[Callable[[Task, Task], None]] = []
        self.block_hooks: list[Callable[[Task], None]] = []
        self.signal_hooks: list[Callable[[Task, SigInfo], None]] = []
        #: Of signals that are dropped as they are sent, since nothing would come of them.
        self.ignored_signal_hooks: list[Callable[[Task, SigInfo], None]] = []
        self.stop_hooks: list[Callable[[Task, int], None]] = []
        self.exec_hooks: list[Callable[[Task, bytes], None]] = []
        self.violation_hooks: list[Callable[[Task, Violation], None]] = []
        self.stats: Stats | None = None

        self.hook_event: BaseException | None = None
        #: A page fault that the CPU's hook could not settle, and its error code.
        self.fault: BaseException | None = None
        self.fault_code = 0
        self.need_resched = False
        self.preemptible = False
        self.halted: Halt | None = None
        #: Sleepers on futexes by key (kernel/futex).
        self.futex_queues: dict[Any, Any] = {}
        #: Locks for which somebody waits, by owner (kernel/futex_pi).
        self.futex_pi: dict[Task, list[PiState]] = {}
        #: System V IPC and POSIX message queues, once somebody uses them.
        self.ipc: IpcNamespace | None = None
        self.oom_killed = False
        self.oom_kills = 0
        #: Tasks made since boot, the number of the last one, and what ended ones had used.
        self.total_forks = 1
        self.last_pid = FIRST_PID
        self.ended = Usage()
        self.syscall_count = 0
        self.fault_count = 0
        self.instructions_left = options.max_instructions

        from emukernel.machine.fpu import fninit_state

        fninit_state(self.cpu)
        #: The CPU's state at a program's start.
        self.user_context = self.cpu.save()
        self.cpu.on_page_fault = make_page_fault_handler(self)
        self.cpu.hook_syscall(self.make_entry())
        if options.deterministic:
            self.cpu.hook_tsc(self.read_tsc)
            self.cpu.hide_random_instructions()
        if options.max_instructions is not None:
            self.cpu.count_instructions()
        self._boot_messages()

        from emukernel.kernel.init import mount_tree

        mount_tree(self)

    def _boot_messages(self) -> None:
        uts = self.uts
        self.log.printk(f"Linux version {uts.release} {uts.version}")
        self.log.printk(f"Memory: {self.memory.size >> 10}K available")
        self.log.printk(f"seccomp: interface {self.seccomp_abi.name}")

    # -- system calls ------------------------------------------------------------------------

    def make_entry(self) -> Callable[[], None]:
        """What the CPU calls at a `syscall` instruction; asked for once, at boot."""
        return make_entry(self)

    def resolve(self, nr: int) -> Handler:
        """The handler of a 64-bit call."""
        handler = self._outside.get(nr) or self.handlers.get(nr)
        if handler is None:
            handler = dispatch.resolve(nr)
            if nr in dispatch.OUTSIDE_HOOK:
                self._outside[nr] = handler
            elif nr in dispatch.ROWS:
                self.handlers[nr] = handler
        return handler

    def resolve_in_hook(self, nr: int) -> Handler:
        """The same for the hook of the CPU, which must be left first for some calls."""
        if nr in dispatch.OUTSIDE_HOOK or nr > 0xFFFF_FFFF:
            raise Slow
        return self.resolve(nr)

    def resolve32(self, nr: int) -> Handler:
        """The handler of an `int $0x80` call."""
        from emukernel.kernel.syscalls.i386 import resolve

        return resolve(nr)

    def note_violation(self, task: Task, violation: Any) -> None:
        """Tells whoever listens that seccomp refused a call."""
        for hook in self.violation_hooks:
            hook(task, violation)

    # -- tasks -------------------------------------------------------------------------------

    def alloc_pid(self, wanted: Sequence[int] = ()) -> int:
        """An unused pid, in turn; or the one asked for (Errno(EINVAL, EEXIST))."""
        if wanted:
            if not 1 < wanted[0] < PID_MAX:
                raise Errno(EINVAL)
            if self.pid_in_use(wanted[0]):
                raise Errno(EEXIST)
            self.highest_pid = max(self.highest_pid, wanted[0])
            self.last_pid = wanted[0]
            return wanted[0]
        while True:
            pid = self.next_pid
            self.next_pid = pid + 1 if pid + 1 < PID_MAX else FIRST_PID
            if not self.pid_in_use(pid):
                self.highest_pid = max(self.highest_pid, pid)
                self.last_pid = pid
                return pid

    def pid_in_use(self, pid: int) -> bool:
        """Whether a task, a group or a session has this number."""
        if pid > self.highest_pid:
            return False
        return pid in self.tasks or any(
            pid in (task.pgrp, task.session) for task in self.tasks.values()
        )

    def switch_to(self, task: Task) -> None:
        """Gives the CPU to `task`: its registers and its address space."""
        previous = self.current
        if previous is task:
            return
        if previous is not None and previous.state not in "ZX":
            previous.context = self.cpu.save()
        self.current = task
        if task.context:
            self.cpu.restore(task.context)
        if task.mm is not self.active_mm:
            self.activate_mm(task.mm)
        if previous is None or task.tsc_disabled != previous.tsc_disabled:
            self.cpu.set_tsc_disabled(task.tsc_disabled)

    def activate_mm(self, mm: Mm) -> None:
        """Makes `mm` the address space that the CPU runs in."""
        self.active_mm = mm
        self.cpu.load_page_table(mm.page_table)

    def enable_preemption(self) -> None:
        """Interrupts must leave a program as it was from now on: it will run on after them.

        Until a second task, a timer or a handler makes that so, an interrupt only ends programs.
        """
        if not self.preemptible:
            self.preemptible = True
            self.cpu.stop()

    def leave_mm(self) -> None:
        """The active address space goes away: run in none meanwhile."""
        self.active_mm = None
        self.cpu.load_page_table(self.boot_table)

    def program_loaded(self, task: Task, filename: bytes) -> None:
        """A task has a new image."""
        for hook in self.exec_hooks:
            hook(task, filename)

    def process_ended(self, leader: Task, code: int) -> None:
        """A process has ended with a wait status; the first one's end is the machine's."""
        if leader.pid == FIRST_PID:
            self.halt(Halt("exit", code))

    # -- running -----------------------------------------------------------------------------

    def halt(self, why: Halt) -> None:
        """Stops the machine at the next opportunity."""
        if self.halted is None:
            self.halted = why

    def run_cpu(self) -> int:
        """Runs user mode until something happens, a limit is reached say; returns the vector."""
        left = self.instructions_left
        if left is None:
            return self.cpu.run()
        if not left:
            self.halt(Halt("instructions"))
            return NO_TRAP
        vector = self.cpu.run(left)
        self.instructions_left = left - self.cpu.executed()
        return vector

    def read_tsc(self) -> int:
        """The time-stamp counter under a virtual clock: 1 GHz, and each look takes time."""
        self.clock.tick()
        return self.clock.monotonic()

    def poll_interrupts(self) -> bool:
        """Takes what the host has sent since the last time; whether there was anything.

        Where no host clock interrupts the CPU, each look counts as if there was.
        """
        if not self.cpu.acknowledge() and not self.interrupts.has_signals():
            return self.clock.virtual
        if self.interrupts.expired():
            self.halt(Halt("timeout"))
        console = self.console
        for number in self.interrupts.take_signals():
            if console is not None and console.host_signal(number):
                continue
            if number == 2 and self.interrupts.impatient():
                self.halt(Halt("interrupt", number))
            from emukernel.kernel.signal.send import send_signal_from_host

            send_signal_from_host(self, number)
        if console is not None:
            console.poll_host()
        return True

    def deadlock(self) -> None:
        """Every task sleeps and nothing can wake one: says who waits for what, and stops."""
        from emukernel.kernel.sched.deadlock import describe_sleepers

        text = describe_sleepers(self.tasks.values())
        self.log.printk(f"deadlock: nothing can wake {text}")
        self.halt(Halt("deadlock", text=text))

    def run(self, timeout: float | None = None, signals: bool = False) -> Halt:
        """Runs until the first process has ended, a limit is reached or nothing can happen."""
        from emukernel.kernel.fs.stdio import terminals

        self.interrupts.start(timeout, signals)
        console = self.console
        try:
            if console is not None:
                console.attach()
            self.sched.run()
        finally:
            if console is not None:
                console.detach()
            self.interrupts.close()
            for terminal in terminals(self):
                terminal.restore()
        assert self.halted is not None
        return self.halted

    def close(self) -> None:
        """Gives the host's resources back."""
        self.interrupts.close()
        for mounted in self.vfs.mounts:
            mounted.sb.close()
        for task in self.tasks.values():
            if task.state not in "ZX":
                task.files.put_table()
        self.cpu.close()
        self.memory.close()
        self.symbols.clear()
        if self.program_fd >= 0:
            os.close(self.program_fd)
            self.program_fd = -1
