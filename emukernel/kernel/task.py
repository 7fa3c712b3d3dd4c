"""A task: what Linux calls struct task_struct, one per thread."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.cred import Cred
    from emukernel.kernel.fs.file import FilesStruct
    from emukernel.kernel.fs.fs_struct import FsStruct
    from emukernel.kernel.ipc.sem import UndoList
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.mm.mm import Mm
    from emukernel.kernel.sched.core import Timer
    from emukernel.kernel.signal.structs import Sighand, SignalStruct
    from emukernel.kernel.wait import WaitQueue
    from emukernel.seccomp.state import SeccompState

# States, as /proc/PID/stat prints them.
RUNNING, SLEEPING, STOPPED, ZOMBIE, DEAD = "R", "S", "T", "Z", "X"

TASK_COMM_LEN = 16


class Task:
    """One thread.

    `pid` is its own id, `tgid` its process's. `context` is the saved CPU state while another task
    runs. `call` belongs to the system call in progress; `waiting`, `deadline` and `timer` to its
    sleep. Times are in ns. `seccomp` decides on calls; `orig_rax` is the number of the call that
    is on its way back, or -1.
    """

    __slots__ = (
        "altstack",
        "args",
        "blocked",
        "call",
        "call_active",
        "children",
        "clear_child_tid",
        "comm",
        "compat",
        "context",
        "cr2",
        "cred",
        "deadline",
        "dumpable",
        "error_code",
        "exit_code",
        "exit_signal",
        "files",
        "flags",
        "fs",
        "group_leader",
        "in_execve",
        "ioprio",
        "jobctl",
        "kernel",
        "maj_flt",
        "mempolicy",
        "min_flt",
        "mm",
        "nivcsw",
        "no_new_privs",
        "nvcsw",
        "orig_rax",
        "parent",
        "pdeath_signal",
        "pending",
        "personality",
        "pgrp",
        "pid",
        "preempted",
        "real_blocked",
        "real_parent",
        "restart_block",
        "rlimits",
        "robust_list",
        "rseq",
        "saved_sigmask",
        "sched",
        "seccomp",
        "session",
        "sighand",
        "signal",
        "sigpending",
        "start_time_ns",
        "state",
        "stime_ns",
        "sysvsem",
        "tgid",
        "thread_group",
        "timer",
        "timerslack_default",
        "timerslack_ns",
        "traced",
        "trap_nr",
        "tsc_disabled",
        "utime_ns",
        "vfork_done",
        "waiting",
        "woken",
    )

    def __init__(self, kernel: Kernel, pid: int, cred: Cred) -> None:
        self.kernel = kernel
        self.pid = self.tgid = pid
        self.comm = b""
        self.cred = cred
        #: The leader of the process that waits for this one, and its thread that made this one.
        self.parent: Task | None = None
        self.real_parent: Task | None = None
        self.children: list[Task] = []
        self.group_leader: Task = self
        self.thread_group: list[Task] = [self]
        self.pgrp = self.session = pid
        self.state = RUNNING
        self.exit_code = 0
        self.exit_signal = 17

        # Set by whoever makes the task: an address space, files, signals.
        self.mm: Mm = None  # type: ignore[assignment]
        self.files: FilesStruct
        self.fs: FsStruct
        self.signal: SignalStruct
        self.sighand: Sighand
        self.pending: Any = None
        self.seccomp: SeccompState
        self.blocked = 0
        self.real_blocked = 0
        self.jobctl = 0
        self.saved_sigmask: int | None = None
        self.sigpending = False
        self.altstack = (0, 0, 0)
        self.restart_block: Any = None

        self.context = b""
        self.orig_rax = -1
        self.args: tuple[int, int, int, int, int, int] = (0, 0, 0, 0, 0, 0)
        self.compat = False
        self.call: dict[str, Any] = {}
        self.call_active = False
        self.waiting: tuple[Any, ...] = ()
        self.deadline: int | None = None
        self.timer: Timer | None = None
        self.woken = False
        #: It lost the CPU in user mode, not in a call.
        self.preempted = False
        self.in_execve = False
        # The last exception, as a signal frame shows it.
        self.trap_nr = self.error_code = self.cr2 = 0
        self.traced = False

        self.rlimits: list[list[int]] = []
        #: PF_* bits (linux/sched.h).
        self.flags = 0
        self.personality = 0
        self.no_new_privs = False
        self.dumpable = 1
        self.pdeath_signal = 0
        self.tsc_disabled = False
        self.timerslack_ns = self.timerslack_default = 50_000
        self.clear_child_tid = 0
        #: The parent in vfork(2) sleeps here until this task lets go of its memory.
        self.vfork_done: WaitQueue | None = None
        self.robust_list = (0, 0)
        self.rseq: Any = None
        self.sched: Any = None
        #: What ioprio_set(2) and set_mempolicy(2) have set: (mode, flags, nodes).
        self.ioprio = 0
        self.mempolicy: tuple[int, int, int] | None = None
        #: What it will undo of System V semaphores (kernel/ipc/sem: UndoList).
        self.sysvsem: UndoList | None = None
        self.start_time_ns = 0
        self.utime_ns = self.stime_ns = 0
        self.min_flt = self.maj_flt = 0
        self.nvcsw = self.nivcsw = 0

    def signal_pending(self) -> bool:
        """Whether an unblocked signal waits to be delivered."""
        return self.sigpending

    # What a seccomp surface asks of its caller.

    def read_cstring(self, address: int, limit: int) -> bytes:
        """The bytes before the first NUL, at most `limit`; EFAULT."""
        from emukernel.kernel.uaccess import read_string

        return read_string(self, address, limit)

    def disable_tsc(self) -> None:
        """rdtsc faults from now on (PR_TSC_SIGSEGV, strict mode)."""
        self.tsc_disabled = True
        if self.kernel.current is self:
            self.kernel.cpu.set_tsc_disabled(True)
