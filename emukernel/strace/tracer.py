"""The trace of a running machine: what happens in the kernel goes to a sink, decoded."""

from __future__ import annotations

from emukernel.kernel.errno import Errno
from emukernel.machine.physmem import OutOfMemory
from emukernel.seccomp.mode import SECCOMP_MODE_STRICT
from emukernel.strace.line import enter, leave
from emukernel.strace.scalar import signal as signal_name
from emukernel.strace.signal import siginfo_text
from emukernel.strace.sinks import Pending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task
    from emukernel.seccomp.violation import Violation
    from emukernel.strace.sinks import Sink


def read_user(task: Task, address: int, size: int) -> bytes | None:
    """A task's memory as the task would see it, None where it would fault. Pages that it could
    touch come in, as they do when strace looks."""
    from emukernel.kernel.uaccess import copy_from_user

    try:
        return copy_from_user(task, address, size)
    except (Errno, OutOfMemory):
        return None


def verdict(task: Task, nr: int, *, compat: bool) -> str | None:
    """Why seccomp let a call pass: `allowed by sys_read: fd == 0`; None where it does not look."""
    state = task.seccomp
    if (state.calls32 if compat else state.calls) is None:
        return None
    if state.mode == SECCOMP_MODE_STRICT:
        return "allowed in strict mode"
    entry = state.filters.get(nr)
    if entry is None:
        return "allowed"
    return f"allowed by {entry.name}: {entry.text.decode('latin-1')}"


class Tracer:
    """Tells a sink of calls, signals and the ends of tasks.

    `attach` hangs it on a kernel's hooks; the on_ methods are for those who have events of their
    own. `reader(task, address, size)` looks at a task's memory; `clock()` gives the nanoseconds
    that records carry.
    """

    __slots__ = ("_clock", "_pending", "_reader", "_sink")

    def __init__(
        self,
        sink: Sink,
        *,
        reader: Callable[[Task, int, int], bytes | None] = read_user,
        clock: Callable[[], int] = lambda: 0,
    ) -> None:
        self._sink = sink
        self._reader = reader
        self._clock = clock
        self._pending: dict[int, Pending] = {}

    def attach(self, kernel: Kernel) -> Callable[[], None]:
        """Trace all that happens in this kernel; the answer ends it and writes out what is left."""
        self._clock = kernel.clock.realtime
        kernel.enter_hooks.append(self._entered)
        kernel.exit_hooks.append(self.on_exit)
        kernel.task_exit_hooks.append(self.on_exit_task)
        kernel.violation_hooks.append(self._refused)
        kernel.block_hooks.append(self.on_block)
        kernel.signal_hooks.append(lambda task, info: self.on_signal(task, info.pack()))
        kernel.entry_work = True
        return self.close

    def _entered(self, task: Task) -> None:
        nr = task.orig_rax
        self.on_enter(task, nr, task.args, compat=task.compat)
        allowed = verdict(task, nr, compat=task.compat)
        if allowed:
            self.on_verdict(task, allowed)

    def _refused(self, task: Task, violation: Violation | None) -> None:
        if task.mm is None:
            # The launcher's own execve: it has no memory in which its arguments could be.
            return
        if task.pid not in self._pending:
            self.on_enter(task, task.orig_rax, task.args, compat=task.compat)
        self.on_verdict(task, f"refused: {violation.reason}" if violation else "refused")

    def on_enter(self, task: Task, nr: int, args: tuple[int, ...], *, compat: bool = False) -> None:
        """A task makes a call; `args` are its six raw registers. `compat`: by int 0x80."""

        def read(address: int, size: int) -> bytes | None:
            return self._reader(task, address, size)

        pending = Pending(enter(nr, args, read, compat=compat), self._clock())
        self._pending[task.pid] = pending
        self._sink.enter(task.pid, pending)

    def on_verdict(self, task: Task, text: str) -> None:
        """What seccomp says of the call under way: `refused: no entry for sys_openat`."""
        pending = self._pending.get(task.pid)
        if pending is not None:
            pending.verdict = text

    def on_block(self, task: Task) -> None:
        """The task sleeps in its call: what is known of it can be shown."""
        pending = self._pending.get(task.pid)
        if pending is not None:
            self._sink.block(task.pid, pending)

    def on_exit(self, task: Task, ret: int) -> None:
        """The call under way is back with `ret`, -errno for an error."""
        pending = self._pending.pop(task.pid, None)
        if pending is not None:
            leave(pending.call, ret)
            self._sink.exit(task.pid, pending)

    def on_signal(self, task: Task, siginfo: bytes) -> None:
        """A signal is delivered: the 128 bytes of its siginfo_t."""
        name = signal_name(int.from_bytes(siginfo[:4], "little"))
        self._sink.signal(task.pid, self._clock(), name, siginfo_text(siginfo))

    def on_exit_task(self, task: Task, status: int) -> None:
        """A task is gone, with a status as wait(2) has it."""
        pending = self._pending.pop(task.pid, None)
        if pending is not None:
            self._sink.exit(task.pid, pending)
        self._sink.task_exit(task.pid, self._clock(), status)

    def close(self) -> None:
        """Nothing more comes: show what is still under way."""
        for pid, pending in self._pending.items():
            self._sink.abandon(pid, pending)
        self._pending.clear()
        self._sink.close()
