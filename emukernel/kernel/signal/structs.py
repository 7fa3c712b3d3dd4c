"""What the threads of a process have in common, and what fork and exec make of it.

An action is a tuple (handler, flags, restorer, mask), as struct k_sigaction; it is replaced, never
changed.
"""

from __future__ import annotations

from emukernel.kernel.signal.altstack import NO_ALTSTACK
from emukernel.kernel.signal.numbers import NSIG, SIG_DFL, SIG_IGN, SIGNAL_STOP_MASK
from emukernel.kernel.signal.pending import SigPending
from emukernel.kernel.wait import WaitQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task
    from emukernel.kernel.time.itimer import CpuTimer, RealTimer
    from emukernel.kernel.time.posix_timers import ClockTimer
    from emukernel.kernel.time.posix_timers import CpuTimer as CpuClockTimer
    from emukernel.kernel.tty.tty_io import Tty

    Action = tuple[int, int, int, int]

DEFAULT_ACTION: Action = (SIG_DFL, 0, 0, 0)
_IGNORE_ACTION: Action = (SIG_IGN, 0, 0, 0)


class Sighand:
    """The 64 actions (struct sighand_struct); shared with CLONE_SIGHAND."""

    __slots__ = ("actions", "signalfd_queue")

    def __init__(self, actions: list[Action] | None = None) -> None:
        self.actions = [DEFAULT_ACTION] * NSIG if actions is None else actions
        #: Who waits on a signalfd for a signal to these tasks.
        self.signalfd_queue = WaitQueue()

    def copy(self) -> Sighand:
        """A child's own."""
        return Sighand(self.actions.copy())


class Usage:
    """Resources used by tasks that are no more: times in ns, faults, context switches, and the
    greatest resident set in pages."""

    __slots__ = ("maj_flt", "maxrss", "min_flt", "nivcsw", "nvcsw", "stime_ns", "utime_ns")

    def __init__(self) -> None:
        self.utime_ns = self.stime_ns = 0
        self.min_flt = self.maj_flt = 0
        self.nvcsw = self.nivcsw = 0
        self.maxrss = 0

    def add(self, other: Task | Usage) -> None:
        """Adds what a thread or a process has used; `maxrss` is the caller's."""
        self.utime_ns += other.utime_ns
        self.stime_ns += other.stime_ns
        self.min_flt += other.min_flt
        self.maj_flt += other.maj_flt
        self.nvcsw += other.nvcsw
        self.nivcsw += other.nivcsw


class SignalStruct:
    """What the threads of a process share besides their actions (struct signal_struct).

    `group_exit` says that the process is ending with `group_exit_code`, which is otherwise the
    signal of a group stop. `group_stop_count` threads have yet to stop. `exited` is what threads
    that have ended had used, `children` what children had that were waited for.
    """

    __slots__ = (
        "children",
        "cpu_timers",
        "curr_target",
        "exited",
        "flags",
        "group_exit",
        "group_exit_code",
        "group_stop_count",
        "it_prof",
        "it_real",
        "it_virt",
        "next_posix_timer_id",
        "oom_score_adj",
        "oom_score_adj_min",
        "pidfd_queue",
        "posix_timers",
        "shared_pending",
        "tty",
        "tty_old_pgrp",
        "wait_chldexit",
    )

    def __init__(self, leader: Task) -> None:
        self.shared_pending = SigPending()
        self.curr_target = leader
        self.flags = 0
        self.group_exit = False
        self.group_exit_code = 0
        self.group_stop_count = 0
        self.it_real: RealTimer | None = None
        self.it_virt: CpuTimer | None = None
        self.it_prof: CpuTimer | None = None
        #: Those of timer_create(2) by id, and the armed ones on this process's CPU time.
        self.posix_timers: dict[int, ClockTimer | CpuClockTimer] = {}
        self.next_posix_timer_id = 0
        self.cpu_timers: list[CpuClockTimer] = []
        self.exited = Usage()
        self.children = Usage()
        #: wait4(2) of this process sleeps here.
        self.wait_chldexit = WaitQueue()
        #: Who waits for the end of the process by a pidfd.
        self.pidfd_queue = WaitQueue()
        #: -1000 to 1000, what the OOM killer adds to the process, in 1/1000 of the memory; and the
        #: least that may be set without CAP_SYS_RESOURCE.
        self.oom_score_adj = self.oom_score_adj_min = 0
        #: The controlling terminal of the session.
        self.tty: Tty | None = None
        #: The foreground group of a controlling terminal that was hung up on.
        self.tty_old_pgrp = 0

    def set_stop_flags(self, flags: int) -> None:
        """Replaces the flags of stopping and continuing."""
        self.flags = self.flags & ~SIGNAL_STOP_MASK | flags


def copy_signal_state(
    child: Task, parent: Task, *, share_sighand: bool = False, clear_sighand: bool = False
) -> None:
    """The signal state of a new process: nothing pending, no timers, the parent's actions.

    The flags are CLONE_SIGHAND and CLONE_CLEAR_SIGHAND. For a thread call `share_signal_state`.
    """
    child.signal = SignalStruct(child)
    child.signal.tty = parent.signal.tty
    child.signal.oom_score_adj = parent.signal.oom_score_adj
    child.signal.oom_score_adj_min = parent.signal.oom_score_adj_min
    child.pending = SigPending()
    child.sighand = parent.sighand if share_sighand else parent.sighand.copy()
    if clear_sighand:
        flush_signal_handlers(child)
    _copy_thread_state(child, parent)


def share_signal_state(child: Task, parent: Task) -> None:
    """The signal state of a new thread of the parent's process (CLONE_THREAD)."""
    child.signal = parent.signal
    child.sighand = parent.sighand
    child.pending = SigPending()
    _copy_thread_state(child, parent)


def reset_altstack(child: Task) -> None:
    """A child that runs in its parent's memory (CLONE_VM without CLONE_VFORK) has none."""
    child.altstack = NO_ALTSTACK


def _copy_thread_state(child: Task, parent: Task) -> None:
    child.blocked = parent.blocked
    child.saved_sigmask = None
    child.real_blocked = 0
    child.altstack = parent.altstack
    child.restart_block = None
    child.jobctl = 0
    child.sigpending = False


def flush_signal_handlers(task: Task) -> None:
    """At exec: handlers give way to the default, what was ignored stays so."""
    task.sighand.actions[:] = [
        _IGNORE_ACTION if action[0] == SIG_IGN else DEFAULT_ACTION
        for action in task.sighand.actions
    ]
