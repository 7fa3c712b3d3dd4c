"""The Python API: boot a machine, run a program in it, look at what happened."""

from __future__ import annotations

import os

from emukernel.kernel.errno import Errno
from emukernel.kernel.options import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from emukernel.ftrace.filter import EventFilter
    from emukernel.kernel.kernel import Halt
    from emukernel.kernel.kernel import Kernel as Machine
    from emukernel.kernel.snapshot import Snapshot
    from emukernel.kernel.stats import Stats
    from emukernel.kernel.task import Task
    from emukernel.policy.policy import Policy
    from emukernel.seccomp.violation import Violation

#: Exit statuses of `run` beside the guest's own.
EXIT_USAGE, EXIT_LIMIT, EXIT_DEADLOCK = 2, 124, 125

#: The RAM that a machine can have, in bytes.
MIN_MEMORY, MAX_MEMORY = 8 << 20, 64 << 30


#: How many refused calls a Result keeps, the last ones of more.
MAX_VIOLATIONS = 10_000


class UsageError(Exception):
    """What was asked for can't be done: a missing file, a program that is none, a bad option."""


class Result:
    """What became of a run.

    `status` is the program's exit status or None, `signal` the number of the signal that ended it
    or 0. `exit_status` is what a shell would say: the status, 128 + signal, or 124 when a limit
    ended the run (`limit` says which, `detail` more about it), 125 for a deadlock. `stdout` and
    `stderr` are None unless captured. `violations` are the calls that seccomp refused, in any
    thread of any process, in their order: the last 10,000 at most.
    """

    __slots__ = (
        "core_dumped",
        "detail",
        "dmesg",
        "limit",
        "signal",
        "stats",
        "status",
        "stderr",
        "stdout",
        "trace",
        "violations",
    )

    def __init__(self) -> None:
        self.status: int | None = None
        self.signal = 0
        self.core_dumped = False
        self.limit = ""
        self.detail = ""
        self.stdout: bytes | None = None
        self.stderr: bytes | None = None
        self.violations: list[Refusal] = []
        self.trace: list[str] = []
        self.dmesg: list[str] = []
        self.stats: dict[str, Any] = {}

    @property
    def exit_status(self) -> int:
        """The status as a shell reports it."""
        if self.limit:
            return EXIT_DEADLOCK if self.limit == "deadlock" else EXIT_LIMIT
        if self.signal:
            return 128 + self.signal
        return self.status or 0


class Refusal:
    """A call that seccomp refused: the kernel's `violation`, and the call as a person reads it.

    `call` is `sys_openat(dfd=0xffffff9c, filename=0x4a2010 "/etc/passwd", …)`, `where` the address
    of the instruction with symbol and offset if the program has symbols; empty for the launcher's
    own execve.
    """

    __slots__ = ("call", "violation", "where")

    def __init__(self, violation: Violation, call: str, where: str) -> None:
        self.violation = violation
        self.call = call
        self.where = where

    def __str__(self) -> str:
        where = f" at {self.where}" if self.where else ""
        return f"{self.call}{where}: {self.violation.reason}"


class Kernel:
    """A machine to run programs in; every `run` boots it anew.

    Keyword arguments are the options of `emukernel run`: `filter` is a Policy or its text, `before`
    and `after` are called around every system call, `before(task, nr, args)` and
    `after(task, nr, args, result)`. With `stdin` None the guest reads the host's, with `capture`
    its output is in the Result and not on the host's. Sizes are in bytes, `timeout` in seconds.

    Raises ValueError and TypeError for an argument that can never do, PolicyError for a policy
    text; `run` raises UsageError.
    """

    def __init__(
        self,
        *,
        filter: Policy | str | None = None,
        memory: int = 1 << 30,
        root: str | None = None,
        binds: Iterable[tuple[str, str, bool]] = (),
        cwd: str = "/",
        uid: int = 0,
        gid: int = 0,
        hostname: str = "emukernel",
        deterministic: bool = False,
        seed: int = 0,
        seccomp_abi: str = "v1",
        ptregs_events: bool = True,
        timeout: float | None = None,
        max_instructions: int | None = None,
        stdin: bytes | None = None,
        capture: bool = True,
        trace: bool = False,
        stats: bool = False,
        before: Callable[[Task, int, tuple[int, ...]], None] | None = None,
        after: Callable[[Task, int, tuple[int, ...], int], None] | None = None,
    ) -> None:
        if isinstance(filter, str):
            from emukernel.policy.policy import Policy

            filter = Policy.from_text(filter, ptregs_events=ptregs_events)
        elif filter is not None and not hasattr(filter, "to_text"):
            raise TypeError("filter: a Policy or its text expected")
        binds = tuple(binds)
        _check_numbers(memory, uid, gid, seed, timeout, max_instructions)
        if len(os.fsencode(hostname)) > 64:
            raise ValueError("hostname: at most 64 bytes expected")
        for _host, guest, _writable in binds:
            if not guest.startswith("/"):
                raise ValueError(f"binds: {guest!r} is not an absolute path")
        self.policy = filter
        self.timeout = timeout
        self.trace = trace
        self.stats = stats
        self.before = before
        self.after = after
        self._options: dict[str, Any] = {
            "memory": memory,
            "root": root,
            "binds": binds,
            "cwd": cwd,
            "uid": uid,
            "gid": gid,
            "hostname": hostname,
            "deterministic": deterministic,
            "seed": seed,
            "seccomp_abi": seccomp_abi,
            "ptregs_events": ptregs_events,
            "max_instructions": max_instructions,
            "stdin": stdin,
            "capture": capture,
        }

    def run(
        self,
        path: str,
        argv: Sequence[str | bytes] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Runs the program at the host's `path` (or, with a root, the guest's) to its end.

        `argv` is its arguments with its own name first, `env` all of its environment. UsageError
        says why it can't be started; ValueError is raised for a NUL byte or a name with `=`.
        """
        words = [_encode(word) for word in (argv or [path])]
        variables = environment(env or {})
        run = Run(Options(program=path, **self._options), self.policy, self.timeout)
        try:
            if self.stats:
                run.count()
            if self.trace:
                from emukernel.strace import ListSink

                run.add_tracer(ListSink(run.result.trace))
            run.add_hooks(self.before, self.after)
            run.load(words, variables)
            return run.go()
        finally:
            run.close()


def event_filter(event: str, text: str) -> EventFilter:
    """A filter of one event, which is named as on the command line: write or sys_enter_write.

    UsageError for an event that does not exist; FilterError, whose `message` is the kernel's, for
    a text that is no filter of it.
    """
    from emukernel.ftrace.events import table
    from emukernel.ftrace.filter import create

    found = table().find(event)
    if found is None:
        raise UsageError(f"no event {event!r}")
    return create(found, text)


def _check_numbers(
    memory: int,
    uid: int,
    gid: int,
    seed: int,
    timeout: float | None,
    max_instructions: int | None,
) -> None:
    if memory % 4096 or not MIN_MEMORY <= memory <= MAX_MEMORY:
        raise ValueError(f"memory: {memory} is not a multiple of 4096 from 8 MiB to 64 GiB")
    for name, number in (("uid", uid), ("gid", gid)):
        if not 0 <= number < 0xFFFF_FFFF:
            raise ValueError(f"{name}: {number} is not from 0 to 4294967294")
    if seed < 0:
        raise ValueError(f"seed: {seed} is negative")
    # A NaN is neither below nor above the limits.
    if timeout is not None and not 0 <= timeout <= 1e9:
        raise ValueError(f"timeout: {timeout} is not from 0 to 1e9 seconds")
    if max_instructions is not None and not 1 <= max_instructions < 1 << 63:
        raise ValueError(f"max_instructions: {max_instructions} is not from 1 to 2**63 - 1")


def _encode(text: str | bytes) -> bytes:
    data = text if isinstance(text, bytes) else os.fsencode(text)
    if b"\0" in data:
        raise ValueError(f"{text!r} has a NUL byte")
    return data


def environment(variables: Mapping[str, str]) -> list[bytes]:
    """KEY=VALUE strings for a program; ValueError for a name that can't be one."""
    for key in variables:
        if not key or "=" in key:
            raise ValueError(f"{key!r} is not the name of an environment variable")
    return [_encode(f"{key}={value}") for key, value in variables.items()]


class Run:
    """One run of one program, in steps: boot (the constructor), `load`, `go`, `close`."""

    def __init__(
        self,
        options: Options,
        policy: Policy | None = None,
        timeout: float | None = None,
        machine: type[Machine] | None = None,
    ) -> None:
        from emukernel.kernel.init import BootError, first_task

        if machine is None:
            from emukernel.kernel.kernel import Kernel as Machine

            machine = Machine

        self.policy = policy
        self.timeout = timeout
        self.result = Result()
        #: Whether the program has replaced the launcher.
        self.loaded = False
        self._finished = False
        try:
            self.machine: Machine = machine(options)
            self.task = first_task(self.machine)
        except BootError as error:
            raise UsageError(str(error)) from None
        self.machine.violation_hooks.append(self._refused)
        self._closers: list[Callable[[], None]] = []
        self._stats: Stats | None = None

    # -- what hangs on the system calls ------------------------------------------------------

    def count(self) -> None:
        """Counts system calls and measures where the time goes."""
        from emukernel.kernel.stats import Stats

        self._stats = Stats(self.machine)

    def add_tracer(self, sink: Any) -> None:
        """Has every call written to a sink of `emukernel.strace`."""
        from emukernel.strace import Tracer

        self._closers.append(Tracer(sink).attach(self.machine))

    def add_hooks(
        self,
        before: Callable[[Task, int, tuple[int, ...]], None] | None,
        after: Callable[[Task, int, tuple[int, ...], int], None] | None,
    ) -> None:
        """Has functions called around every system call."""
        machine = self.machine
        if before is not None:
            call = before
            machine.enter_hooks.append(lambda task: call(task, task.orig_rax, task.args))
        if after is not None:
            done = after
            machine.exit_hooks.append(
                lambda task, result: done(task, task.orig_rax, task.args, result)
            )
        machine.entry_work = machine.entry_work or before is not None or after is not None

    # -- the steps ---------------------------------------------------------------------------

    def load(self, argv: list[bytes], env: list[bytes]) -> None:
        """Installs the policy, as a launcher would, and execs the program.

        Raises UsageError where Linux's execve would fail.
        """
        from emukernel.kernel.exec import exec_program
        from emukernel.kernel.init import BootError, find_program

        machine, task = self.machine, self.task
        policy = self.policy
        if policy is not None:
            machine.seccomp_abi.set_text(task.seccomp, policy.to_text())
        try:
            name = find_program(machine, task)
        except BootError as error:
            raise UsageError(str(error)) from None
        if not self._launcher_may_exec():
            return
        machine.seccomp_abi.execve(task.seccomp)
        try:
            exec_program(task, -100, name, argv, env)
        except Errno as error:
            from emukernel.describe import describe_exec_failure

            shown = os.fsdecode(machine.options.program or name)
            raise UsageError(describe_exec_failure(task, name, shown, error)) from None
        self.loaded = True
        machine.sched.enqueue(task)

    def _launcher_may_exec(self) -> bool:
        """With `on_next_syscall: 1` the launcher's own execve is held to the policy."""
        task = self.task
        if task.seccomp.calls is None:
            return True
        from emukernel.kernel.entry import secure_computing

        task.orig_rax = 59
        allowed = secure_computing(self.machine, task)
        task.orig_rax = -1
        return allowed

    def snapshot(self) -> Snapshot:
        """The machine as it is now. After its `restore` the program can be let `go` again from
        here; a writable bind and streams of the host's are not taken back. SnapshotError."""
        from emukernel.kernel.snapshot import Snapshot

        return Snapshot(self.machine)

    def go(self) -> Result:
        """Runs the machine until it halts. The next time, after a restore, with a new Result."""
        import threading

        machine = self.machine
        if self._finished:
            self.result = Result()
        signals = threading.current_thread() is threading.main_thread()
        halt = machine.run(self.timeout, signals)
        self._finish(halt)
        return self.result

    def _finish(self, halt: Halt) -> None:
        from emukernel.kernel.fs.init import captured_output

        result, machine = self.result, self.machine
        self._finished = True
        for close in self._closers:
            close()
        self._closers.clear()
        if halt.kind == "exit":
            if halt.code & 0x7F:
                result.signal = halt.code & 0x7F
                result.core_dumped = bool(halt.code & 0x80)
            else:
                result.status = halt.code >> 8
        elif halt.kind == "interrupt":
            result.signal = halt.code
        else:
            result.limit = halt.kind
            result.detail = halt.text
        captured = captured_output(machine)
        if captured is not None:
            result.stdout, result.stderr = captured
        result.dmesg = list(machine.log.lines())
        if self._stats is not None:
            result.stats = self._stats.as_dict()

    def close(self) -> None:
        """Gives everything back."""
        self.machine.close()

    def _refused(self, task: Task, violation: Violation) -> None:
        if self.loaded:
            from emukernel.describe import describe_violation

            call, where = describe_violation(task, violation)
        else:
            call, where = "the launcher's execve", ""
        violations = self.result.violations
        violations.append(Refusal(violation, call, where))
        if len(violations) > MAX_VIOLATIONS:
            # The first process's own is its last: it stays.
            del violations[0]


__all__ = [
    "EXIT_DEADLOCK",
    "EXIT_LIMIT",
    "EXIT_USAGE",
    "Kernel",
    "Refusal",
    "Result",
    "Run",
    "UsageError",
    "event_filter",
]
