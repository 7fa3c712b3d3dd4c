"""Queues of pending signals (struct sigpending), and the order in which they are taken.

A standard signal is pending once, a real-time signal as often as it was sent. Each entry counts
against RLIMIT_SIGPENDING of the user whose process it waits for; a signal can also be pending
without an entry, when that limit or its own nature (SIGKILL) left it none.
"""

from __future__ import annotations

from emukernel.kernel.signal.numbers import (
    JOBCTL_STOP_PENDING,
    SI_USER,
    SIGALRM,
    SIGNAL_CLD_MASK,
    SYNCHRONOUS_MASK,
)
from emukernel.kernel.signal.siginfo import SigInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

RLIMIT_SIGPENDING = 11


class SigPending:
    """`signal` is the set of pending signals, `queue` what is known of them, oldest first.

    An entry is (info, uid): the user is the one it is counted against. A timer's is counted for as
    long as the timer lives; its uid here is None.
    """

    __slots__ = ("queue", "signal")

    def __init__(self) -> None:
        self.signal = 0
        self.queue: list[tuple[SigInfo, int | None]] = []

    def collect(self, kernel: Kernel, sig: int) -> SigInfo:
        """Takes the oldest entry of a pending signal."""
        found: SigInfo | None = None
        queue = self.queue
        at = 0
        while at < len(queue):
            info, uid = queue[at]
            if info.signo == sig:
                if found is not None:
                    return found  # another one: the signal stays pending
                found = info
                del queue[at]
                uncharge_entry(kernel, info, uid)
            else:
                at += 1
        self.signal &= ~(1 << (sig - 1))
        return found if found is not None else SigInfo(sig, SI_USER)

    def flush(self, kernel: Kernel, mask: int) -> None:
        """Drops the signals in `mask` (flush_sigqueue_mask)."""
        if not self.signal & mask:
            return
        self.signal &= ~mask
        kept = []
        dropped: list[Any] = []
        for entry in self.queue:
            info, uid = entry
            if mask >> (info.signo - 1) & 1:
                uncharge_entry(kernel, info, uid)
                if info.timer is not None:
                    dropped.append(info)
            else:
                kept.append(entry)
        self.queue = kept
        for info in dropped:
            info.ignored()


def charge(task: Task, override: bool) -> int | None:
    """Counts one more entry for the user of `task`; the uid, or None beyond the limit.

    With `override` the limit does not count.
    """
    uid = task.cred.uid
    counts = task.kernel.sigqueues
    count = counts.get(uid, 0) + 1
    if not override and count > task.rlimits[RLIMIT_SIGPENDING][0]:
        return None
    counts[uid] = count
    return uid


def uncharge(kernel: Kernel, uid: int) -> None:
    """One entry less for a user."""
    counts = kernel.sigqueues
    left = counts[uid] - 1
    if left:
        counts[uid] = left
    else:
        del counts[uid]


def uncharge_entry(kernel: Kernel, info: SigInfo, uid: int | None) -> None:
    """An entry was taken out of its queue."""
    if uid is not None:
        uncharge(kernel, uid)
    elif info.timer is not None:
        info.dequeued()  # type: ignore[attr-defined]


def next_signal(pending: SigPending, blocked: int) -> int:
    """The signal to be taken next, or 0: those of the instruction itself, then the lowest."""
    ready = pending.signal & ~blocked
    if not ready:
        return 0
    ready = ready & SYNCHRONOUS_MASK or ready
    return (ready & -ready).bit_length()


def dequeue_signal(task: Task, blocked: int) -> SigInfo | None:
    """Takes the next signal outside `blocked`: the thread's own first, then the process's."""
    while True:
        pending: SigPending = task.pending
        sig = next_signal(pending, blocked)
        if not sig:
            pending = task.signal.shared_pending
            sig = next_signal(pending, blocked)
            if not sig:
                recalc_sigpending(task)
                return None
            if sig == SIGALRM and task.signal.it_real is not None:
                task.signal.it_real.rearm(task.kernel)
        info = pending.collect(task.kernel, sig)
        recalc_sigpending(task)
        if info.timer is None:
            return info
        delivered: SigInfo | None = info.deliver()  # type: ignore[attr-defined]
        if delivered is not None:
            return delivered


def dequeue_synchronous_signal(task: Task) -> SigInfo | None:
    """Takes the first signal in the queue that an instruction of the thread itself caused.

    Its frame must be the first, so that the instruction pointer in it is that instruction's.
    """
    pending: SigPending = task.pending
    ready = pending.signal & ~task.blocked & SYNCHRONOUS_MASK
    if not ready:
        return None
    for info, _uid in pending.queue:
        if info.code > SI_USER and ready >> (info.signo - 1) & 1:
            collected = pending.collect(task.kernel, info.signo)
            recalc_sigpending(task)
            return collected
    return None


def recalc_sigpending(task: Task) -> None:
    """Works out `task.sigpending`: whether anything waits for the task on its way to user mode."""
    signal = task.signal
    ready = (task.pending.signal | signal.shared_pending.signal) & ~task.blocked
    task.sigpending = bool(
        ready
        or task.jobctl & JOBCTL_STOP_PENDING
        or signal.flags & SIGNAL_CLD_MASK
    )
