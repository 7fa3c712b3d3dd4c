"""The trace of a running machine: what happens in the kernel goes to a sink, decoded."""

from __future__ import annotations

from emukernel.kernel.errno import Errno
from emukernel.kernel.syscalls.signature import Parameter
from emukernel.machine.physmem import OutOfMemory
from emukernel.seccomp.mode import SECCOMP_MODE_STRICT
from emukernel.strace.line import RESTARTS, enter, leave
from emukernel.strace.scalar import signal as signal_name
from emukernel.strace.signal import mask, siginfo_text
from emukernel.strace.sinks import Pending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.signal.siginfo import SigInfo
    from emukernel.kernel.task import Task
    from emukernel.seccomp.violation import Violation
    from emukernel.strace.sinks import Sink


_RT_SIGRETURN, _RESTART_SYSCALL = 15, 219
_RSP = 4
_SIGMASK_IN_UCONTEXT = 296
_SIGKILL = 9
_KILL = 1 << (_SIGKILL - 1)
_ERESTART_RESTARTBLOCK = 516


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

    __slots__ = ("_clock", "_ignored", "_pending", "_reader", "_restarting", "_sink")

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
        # Signals that nobody waits for, to be told of when their task is next on its way to user
        # mode, and the calls that restart_syscall(2) would go on with; by pid.
        self._ignored: dict[int, list[bytes]] = {}
        self._restarting: dict[int, str] = {}

    def attach(self, kernel: Kernel) -> Callable[[], None]:
        """Trace all that happens in this kernel; the answer ends it and writes out what is left."""
        self._clock = kernel.clock.realtime
        kernel.enter_hooks.append(self._entered)
        kernel.exit_hooks.append(self._returned)
        kernel.task_exit_hooks.append(self._ended)
        kernel.fork_hooks.append(lambda task, child: self._sink.fork(child.pid))
        kernel.stop_hooks.append(self._stopped)
        kernel.ignored_signal_hooks.append(self._signal_ignored)
        kernel.violation_hooks.append(self._refused)
        kernel.block_hooks.append(self.on_block)
        kernel.signal_hooks.append(self._signalled)
        kernel.entry_work = True
        return self.close

    def _entered(self, task: Task) -> None:
        nr = task.orig_rax
        if self._ignored:
            self._tell_ignored(task)
        self.on_enter(task, nr, task.args, compat=task.compat)
        if not task.compat and nr in (_RT_SIGRETURN, _RESTART_SYSCALL):
            self._show_what_no_register_has(task, nr)
        allowed = verdict(task, nr, compat=task.compat)
        if allowed:
            self.on_verdict(task, allowed)

    def _show_what_no_register_has(self, task: Task, nr: int) -> None:
        """The argument of rt_sigreturn, which lies on the stack, and of restart_syscall, which is
        the call that it goes on with."""
        if nr == _RT_SIGRETURN:
            stack = task.kernel.cpu.regs[_RSP]
            data = self._reader(task, stack + _SIGMASK_IN_UCONTEXT, 8)
            shown = "NULL" if data is None else mask(int.from_bytes(data, "little"))
            text = f"{{mask={shown}}}"
        else:
            name = self._restarting.pop(task.pid, "system call")
            text = f"<... resuming interrupted {name} ...>"
        pending = self._pending[task.pid]
        pending.late = 1
        call = pending.call
        call.parameters = (Parameter("void *", "context", ""),)
        call.texts.append(text)

    def _returned(self, task: Task, ret: int) -> None:
        pending = self._pending.get(task.pid)
        if pending is None:
            pending = self._exec_by_thread(task)
        if pending is not None and -ret in RESTARTS:
            if -ret == _ERESTART_RESTARTBLOCK:
                self._restarting[task.pid] = pending.call.name
            if task.signal.group_exit or task.pending.signal & _KILL:
                # It ends before it is back.
                return
        self.on_exit(task, ret)
        if self._ignored:
            self._tell_ignored(task)

    def _exec_by_thread(self, task: Task) -> Pending | None:
        """The execve that `task` made under another pid, before it became its process's only
        thread."""
        for old, pending in self._pending.items():
            if pending.task is task:
                self._sink.superseded(task.pid, self._clock(), old)
                self._pending[task.pid] = self._pending.pop(old)
                return pending
        return None

    def _ended(self, task: Task, status: int) -> None:
        self._ignored.pop(task.pid, None)
        self._restarting.pop(task.pid, None)
        current = task.kernel.current
        if current is not task and current.tgid == task.pid and not task.signal.group_exit:
            # A thread execs: it will go on under the pid of this one.
            self._give_up(task)
            return
        self.on_exit_task(task, status)

    def _stopped(self, task: Task, signal: int) -> None:
        self._sink.stopped(task.pid, self._clock(), signal_name(signal))

    def _signalled(self, task: Task, info: SigInfo) -> None:
        if info.signo != _SIGKILL:
            self.on_signal(task, info.pack())

    def _signal_ignored(self, task: Task, info: SigInfo) -> None:
        self._ignored.setdefault(task.pid, []).append(info.pack())

    def _tell_ignored(self, task: Task) -> None:
        for siginfo in self._ignored.pop(task.pid, ()):
            self.on_signal(task, siginfo)

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

        pending = Pending(enter(nr, args, read, compat=compat), self._clock(), task)
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
        self._give_up(task)
        self._sink.task_exit(task.pid, self._clock(), status)

    def _give_up(self, task: Task) -> None:
        """The call under way, if any, will never be back."""
        pending = self._pending.pop(task.pid, None)
        if pending is not None:
            self._sink.exit(task.pid, pending)

    def close(self) -> None:
        """Nothing more comes: show what is still under way."""
        for pid, pending in self._pending.items():
            self._sink.abandon(pid, pending)
        self._pending.clear()
        self._sink.close()
