"""Runs a target again and again from one snapshot, each time with another input."""

from __future__ import annotations

import os

from emukernel.api import Run, UsageError
from emukernel.fuzz.bypass import Doors
from emukernel.fuzz.machine import FuzzMachine
from emukernel.fuzz.target import ARGV, CALLS, CALLS_PROGRAM, FILE, INPUT_PATH, STDIN
from emukernel.kernel.entry import TaskExit
from emukernel.kernel.kernel import FIRST_PID, Halt
from emukernel.kernel.options import Options
from emukernel.kernel.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.fuzz.machine import Call
    from emukernel.fuzz.target import Target
    from emukernel.kernel.task import Task
    from emukernel.seccomp.violation import Violation

# How a run ended.
OK, DENIED, CRASH, ABORT, HANG, OOM = "ok", "denied", "crash", "abort", "hang", "oom"

SIGILL, SIGABRT = 4, 6
#: Signals that a fault of the program raises: ILL, TRAP, BUS, FPE, SEGV, SYS.
FAULTS = frozenset((4, 5, 7, 8, 11, 31))

#: Calls by which input is taken, or asked about, by the descriptor that is their first argument.
_READS = frozenset((0, 16, 17, 19, 45, 47, 295, 327, 40, 275, 276, 326, 9))
#: Calls that wait for descriptors: a look at the input as well.
_POLLS = frozenset((7, 23, 232, 233, 270, 271, 281, 441))
_MMAP, _SENDFILE, _COPY_RANGE = 9, 40, 326

#: What a run may write to its standard output and error, in bytes, before ENOSPC.
OUTPUT_LIMIT = 1 << 24

#: Limit of everything up to the fork point, in seconds.
_BOOT_SECONDS = 60.0


class Outcome:
    """What became of one run.

    `verdict` is OK, DENIED, CRASH, ABORT, HANG or OOM; `status` the wait status of the first
    process (None when it did not end), `signal` the signal that ended a task abnormally or 0.
    `calls` are the system calls since the fork point. For DENIED, CRASH and ABORT `stack` holds
    code addresses, innermost first, `violations` the refused calls; `limit` says what ended a hang.
    Of a run with `explain` there are also `frames`, the stack with symbols, `lines` with source
    lines where there are any, and `refused`, the first refused call as a person reads it.
    """

    __slots__ = (
        "calls",
        "fault",

        "frames",
        "limit",
        "lines",
        "refused",
        "signal",
        "stack",
        "status",
        "verdict",
        "violations",
    )

    def __init__(self) -> None:
        self.verdict = OK
        self.status: int | None = None
        self.signal = 0
        self.limit = ""
        self.calls: list[Call] = []
        self.stack: list[int] = []
        self.frames: list[str] = []
        self.lines: list[str] = []
        self.fault = ""
        self.violations: list[Violation] = []
        self.refused = ""


class Executor:
    """One machine, booted and run to its fork point, where every run begins.

    Raises UsageError for a target that can't be started. `executions` counts the runs,
    `fork_point` says in words where they begin.
    """

    def __init__(self, target: Target, machine: type[FuzzMachine] = FuzzMachine) -> None:
        self.target = target
        self.executions = 0
        self.fork_point = ""
        self._machine_class = machine
        #: The program's calls before the fork point.
        self.boot_calls: list[Call] = []
        self._address = 0
        self._explain = False
        #: Whether runs end as those of a machine that nobody restores: for those who look on.
        self.to_the_end = False
        self._outcome = Outcome()
        self._boot()

    # -- to the fork point -------------------------------------------------------------------

    def _boot(self) -> None:
        target = self.target
        self._start()
        if target.fork_at:
            reached = self._run_to(target.fork_at)
            if not reached:
                self.close()
                raise UsageError(f"the program never came to the fork point {target.fork_at}")
            self.fork_point = target.fork_at
        elif target.mode in (ARGV, CALLS):
            self.fork_point = "the start of the program"
        elif self._run_to_input():
            self.fork_point = "the first use of the input"
        else:
            # It ended, or sleeps, before it looked at its input by a call that we know.
            self.close()
            self._start()
            self.fork_point = "the start of the program"
        self.boot_calls = self.machine.calls.copy()
        self.take_snapshot()

    def _start(self) -> None:
        target = self.target
        options = Options(
            program=CALLS_PROGRAM.decode() if target.mode == CALLS else target.program,
            memory=target.memory,
            root=target.root,
            binds=target.binds,
            cwd=target.cwd,
            seed=target.seed,
            seccomp_abi=target.seccomp_abi,
            ptregs_events=target.ptregs_events,
            deterministic=True,
            stdin=b"",
            capture=True,
        )
        run = self._run = Run(options, target.policy, machine=self._machine_class)
        machine = run.machine
        assert isinstance(machine, FuzzMachine)
        self.machine = machine
        machine.violation_hooks.clear()
        machine.violation_hooks.append(self._refused)
        machine.task_exit_hooks.append(self._task_exit)
        output: list[Any] = machine.vfs.streams[1:3]
        for stream in output:
            stream.limit = OUTPUT_LIMIT
        self._input: Any = None
        try:
            if target.mode == FILE:
                self._make_input()
            elif target.mode == CALLS:
                self._make_program()
            run.load(target.words(), list(target.env))
        except BaseException:
            self.close()
            raise
        if not run.loaded:
            self.close()
            raise UsageError("the policy refuses the launcher's own execve")
        if target.mode == ARGV:
            self._find_argument()
        machine.watchdog.start(None, False)

    def _make_input(self) -> None:
        from emukernel.kernel.fs.init import make_place

        place = make_place(self.machine, INPUT_PATH, False)
        self._input = place.dentry.inode

    def _make_program(self) -> None:
        from emukernel.fuzz.sequence import COUNT, program
        from emukernel.kernel.fs.init import make_place

        inode = make_place(self.machine, CALLS_PROGRAM, False).dentry.inode
        image = program()
        assert inode.mapping is not None
        inode.mapping.write_bytes(image, 0)
        inode.size = len(image)
        inode.mode |= 0o111
        self._address = COUNT

    def _find_argument(self) -> None:
        """Where the input's word lies in the new program's memory."""
        from emukernel.fuzz.target import PLACEHOLDER
        from emukernel.kernel.uaccess import copy_from_user

        task = self._run.task
        words = self.target.words()
        at = self.target.argv.index(PLACEHOLDER)
        self._address = task.mm.arg_start + sum(len(word) + 1 for word in words[:at])
        assert copy_from_user(task, self._address, len(words[at])) == words[at]

    def _run_to(self, place: str) -> bool:
        machine = self.machine
        if place.startswith("syscall:"):
            from emukernel.ftrace.events import table

            event = table().find(place.removeprefix("syscall:"))
            if event is None or event.nr is None:
                raise UsageError(f"--fork-at: no system call {place.removeprefix('syscall:')!r}")
            wanted = event.nr
            machine.at_call = lambda _task, nr, _args: nr == wanted
            return self._run_boot()
        return self._run_to_address(self._symbol(place))

    def _symbol(self, place: str) -> int:
        if place[:1].isdigit():
            try:
                return int(place, 0)
            except ValueError:
                raise UsageError(f"--fork-at: {place!r} is no address") from None
        from emukernel.symbols import program_symbols

        address = program_symbols(self._run.task).get(place)
        if address is None:
            raise UsageError(f"--fork-at: the program has no symbol {place!r}")
        return address

    def _run_to_address(self, address: int) -> bool:
        machine = self.machine
        cpu = machine.cpu

        def arrived() -> None:
            machine.halt(Halt("fork"))
            cpu.stop()

        hook = cpu.hook_address(address, arrived)
        reached = self._run_boot(rewind=0)
        cpu.remove_hook(hook)
        cpu.drop_code()
        return reached

    def _run_to_input(self) -> bool:
        machine = self.machine
        stream = machine.vfs.streams[0]
        by_name = self.target.mode == FILE
        path = INPUT_PATH + b"\0"

        def uses_input(task: Task, nr: int, args: tuple[int, ...]) -> bool:
            if by_name:
                from emukernel.fuzz.stack import read_memory

                return any(read_memory(task.mm, a, len(path)) == path for a in args[:2])
            if nr in _POLLS:
                return True
            if nr not in _READS:
                return False
            fd = args[{_MMAP: 4, _SENDFILE: 1}.get(nr, 0)] & 0xFFFF_FFFF
            file = task.files.table.get(fd)
            return getattr(file, "stream", None) is stream

        machine.at_call = uses_input
        return self._run_boot()

    def _run_boot(self, rewind: int = 2) -> bool:
        """Runs until the fork point: was it reached? RIP is then at the instruction."""
        machine = self.machine
        machine.watchdog.begin(_BOOT_SECONDS)
        self._go()
        machine.at_call = None
        halted, machine.halted = machine.halted, None
        if halted is None or halted.kind != "fork":
            return False
        machine.cpu.regs[16] -= rewind
        return True

    def take_snapshot(self, timeout: float | None = None) -> None:
        """Has every run begin with the machine as it is now, and end after `timeout` seconds
        (None: the target's)."""
        import gc

        machine = self.machine
        machine.watchdog.end()
        machine.calls.clear()
        self._outcome = Outcome()
        gc.collect()
        self._snapshot = Snapshot(machine)
        self.doors = Doors(self.target, machine.current)
        self._stream: Any = machine.vfs.streams[0]
        self._wall = self.target.exec_timeout if timeout is None else timeout

    # -- runs --------------------------------------------------------------------------------

    def run(self, data: bytes, *, explain: bool = False) -> Outcome:
        """One run with `data` as the input, which is cut to the target's `max_len`."""
        machine = self.machine
        self._explain = explain
        self._snapshot.restore()
        machine.calls.clear()
        outcome = self._outcome = Outcome()
        self._inject(data)
        self.executions += 1
        watchdog = machine.watchdog
        watchdog.begin(self._wall)
        self._go()
        watchdog.end()
        outcome.calls = machine.calls.copy()
        halted = machine.halted
        if halted is None or halted.kind != "exit":
            outcome.verdict = HANG
            outcome.limit = "deadlock" if halted is None else halted.kind
            if machine.current.mm is not None:
                self._note_stack(machine.current, machine.cpu.regs[16])
        elif outcome.status is None:
            outcome.status = halted.code
        if machine.oom_killed:
            outcome.verdict = OOM
        return outcome

    def _go(self) -> None:
        machine = self.machine
        try:
            machine.sched.run()
        except TaskExit:
            # `_task_exit` cut the end of the last task short.
            return

    def _inject(self, data: bytes) -> None:
        target = self.target
        data = data[: target.max_len]
        if target.mode == STDIN:
            self._stream.data[:] = data
        elif target.mode == FILE:
            inode = self._input
            if data:
                inode.mapping.write_bytes(data, 0)
            inode.size = len(data)
        else:
            from emukernel.kernel.uaccess import copy_to_user

            if target.mode == ARGV:
                data = data.partition(b"\0")[0] + b"\0"
            copy_to_user(self._run.task, self._address, data)

    def output(self) -> tuple[bytes, bytes]:
        """What the last run wrote to its standard output and error."""
        out, error = self.machine.vfs.streams[1:3]
        return out.getvalue(), error.getvalue()  # type: ignore[union-attr]

    def differences(self) -> list[str]:
        """Restores the snapshot; what is not as it was when it was taken (nothing, that is)."""
        self._snapshot.restore()
        self.machine.calls.clear()
        return self._snapshot.differences()

    def close(self) -> None:
        """Gives the machine back."""
        self.machine.watchdog.close()
        self._run.close()

    # -- what happens in a run ---------------------------------------------------------------

    def _refused(self, task: Task, violation: Violation) -> None:
        outcome = self._outcome
        outcome.violations.append(violation)
        if len(outcome.violations) > 1:
            return
        outcome.verdict = DENIED
        self._note_stack(task, violation.ip - 2)
        if self._explain:
            from emukernel.describe import describe_violation

            outcome.refused = describe_violation(task, violation)[0]

    def _task_exit(self, task: Task, code: int) -> None:
        """A task ends: notes why. With the first process the run is over, before the clearing up
        that nobody would see: that would only have to be undone."""
        outcome = self._outcome
        number = code & 0x7F
        if number == SIGILL and self.target.mode == CALLS:
            from emukernel.fuzz.sequence import END

            if task.kernel.cpu.regs[16] == END:
                number = 0
        if number and outcome.verdict == OK:
            if number == SIGABRT or number in FAULTS:
                outcome.verdict = ABORT if number == SIGABRT else CRASH
                outcome.signal = number
                outcome.fault = task.kernel.last_fault
                if task.kernel.current is task and task.mm is not None:
                    self._note_stack(task, task.kernel.cpu.regs[16])
            elif not outcome.signal:
                outcome.signal = number
                if self.machine.oom_killed and task.mm is not None:
                    self._note_stack(task, task.kernel.cpu.regs[16])
        if not self.to_the_end and task.tgid == FIRST_PID and task.thread_group == [task]:
            signal = task.signal
            leader = task.group_leader
            code = signal.group_exit_code if signal.group_exit else leader.exit_code
            outcome.status = code
            self.machine.halt(Halt("exit", code))
            raise TaskExit

    def _note_stack(self, task: Task, ip: int) -> None:
        from emukernel.fuzz.stack import backtrace, function_names, plausible, source_lines

        outcome = self._outcome
        outcome.stack = backtrace(task, ip)
        if self._explain:
            outcome.stack = plausible(task, outcome.stack)
            outcome.frames = function_names(task, outcome.stack)
            outcome.lines = source_lines(task, outcome.stack)


def find_program(name: str) -> str:
    """The host's path of a program, made absolute: runs may begin in another directory."""
    return os.path.abspath(name) if os.path.isfile(name) else name
