"""Runs a campaign's corpus once more, looking on: who makes which call, and traces of findings.

The campaign itself notes no more of a call than guides it, as every look would cost at each of
millions of runs. What is recorded is written to the folder as `matrix.json` and `traces.json`.
"""

from __future__ import annotations

import io
import time

from emukernel.fuzz.corpus import CRASHES, DENIED, HANGS, QUEUE, Folder
from emukernel.fuzz.denied import functions
from emukernel.fuzz.executor import Executor
from emukernel.fuzz.machine import FuzzMachine
from emukernel.fuzz.report.matrix import ALLOWED, COMPAT, REFUSED, Matrix, call_name
from emukernel.fuzz.target import CALLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.fuzz.finding import Finding
    from emukernel.fuzz.target import Target
    from emukernel.kernel.options import Options
    from emukernel.kernel.task import Task
    from emukernel.seccomp.violation import Violation

MATRIX, TRACES = "matrix.json", "traces.json"

#: Characters of one finding's trace that are kept, and of all together.
TRACE_LIMIT, ALL_TRACES_LIMIT = 16_000, 1_500_000

#: Calls of one run whose callers are looked for; later ones of the same place count as the first.
_LOOKED_AT = 2_000
_MAX_CELLS = 20_000
#: Who makes calls that no program makes.
_CALLS = ("made-up calls", "")

#: What C libraries call the functions around the instruction itself.
_COVERS = ("_", "syscall", "sys_")


class RecordingMachine(FuzzMachine):
    """A machine that tells `on_call` of every call that is allowed, before the fork point too."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.entry_work = True
        self.on_call: Callable[[Task], None] | None = None
        self.before_input: list[tuple[tuple[int, ...], str, str]] = []
        self.enter_hooks.append(self._called)

    def _called(self, task: Task) -> None:
        if self.on_call is not None:
            self.on_call(task)
        elif task.mm is not None and len(self.before_input) < _LOOKED_AT:
            nr = task.orig_rax | (COMPAT if task.compat else 0)
            function, source = caller(task, self.cpu.regs[16] - 2, nr)
            self.before_input.append(((nr, *task.args), function, source))


class Recorder:
    """Runs inputs and counts their calls in `matrix`."""

    def __init__(self, target: Target) -> None:
        self.matrix = Matrix(target.policy)
        self._executor = Executor(target, RecordingMachine)
        machine = self._executor.machine
        assert isinstance(machine, RecordingMachine)
        self._machine = machine
        self._callers: dict[tuple[int, int, int], tuple[str, str]] = {}
        self._looked = 0
        machine.on_call = self._allowed
        machine.violation_hooks.append(self._refused)
        self._executor.take_snapshot()
        for call, function, source in machine.before_input:
            self.matrix.add(call, ALLOWED, function, source)  # type: ignore[arg-type]

    def run(self, data: bytes) -> None:
        """One more input."""
        self.matrix.begin_input()
        self._looked = 0
        run(self._executor, data)

    def close(self) -> None:
        """Gives the machine back."""
        self._executor.close()

    def _allowed(self, task: Task) -> None:
        self._note(task, task.orig_rax, task.args, task.compat, ALLOWED)

    def _refused(self, task: Task, violation: Violation) -> None:
        self._note(task, violation.nr, violation.args, violation.compat, REFUSED)

    def _note(
        self, task: Task, nr: int, args: tuple[int, ...], compat: bool, verdict: str
    ) -> None:
        if task.mm is None:
            return
        nr |= COMPAT if compat else 0
        regs = self._machine.cpu.regs
        ip = regs[16] - 2
        # The stack's height tells most ways to one place apart.
        self._looked += 1
        key = (ip, nr, regs[4] if self._looked <= _LOOKED_AT else 0)
        found = _CALLS if self._executor.target.mode == CALLS else self._callers.get(key)
        if found is None:
            if len(self._callers) > _MAX_CELLS:
                self._callers.clear()
            found = self._callers[key] = caller(task, ip, nr)
        if len(self.matrix.cells) > _MAX_CELLS:
            found = ("other functions", "")
        self.matrix.add((nr, *args), verdict, *found)  # type: ignore[arg-type]


def run(executor: Executor, data: bytes) -> None:
    """A run, wherever it gets to: of lists of calls some are kept for an exception that they
    raise."""
    try:
        executor.run(data)
    except Exception:
        if executor.target.mode != CALLS:
            raise


def caller(task: Task, ip: int, nr: int) -> tuple[str, str]:
    """The function that makes a call and its source line, "" for none.

    That is the innermost function with a source line; without any, the innermost that does not
    look like a C library's cover of the call.
    """
    from emukernel.fuzz.stack import backtrace, function_names, plausible, source_lines

    stack = plausible(task, backtrace(task, ip))
    names = function_names(task, stack)
    lines = source_lines(task, stack)
    for name, line in zip(names, lines, strict=True):
        if line:
            return name.partition("+")[0], line
    own = call_name(nr).removeprefix("sys_").removeprefix("new")
    called = functions(names)
    for name in called:
        if not name.startswith(_COVERS) and name.removesuffix("64") != own:
            return name, ""
    return called[0], ""


def record(folder: Folder, target: Target, seconds: float = 10.0) -> None:
    """Writes `matrix.json` and `traces.json`. It takes about so long: half of the time for each, at
    most, and then what was not run is left out. UsageError for a target that can't be started."""
    began = time.monotonic()
    findings = folder.findings()
    write_matrix(folder, target, findings, began + seconds / 2)
    write_traces(folder, target, findings, began + seconds)


def write_matrix(folder: Folder, target: Target, findings: list[Finding], end: float) -> None:
    """Runs the findings' inputs and the queue until `end`, a moment of `time.monotonic`."""
    inputs = [finding.input for finding in findings if finding.input is not None]
    recorder = Recorder(target)
    try:
        items = Folder(folder.path)
        for name in (QUEUE, DENIED, CRASHES):
            inputs += [data for _name, data in items.new_items(name)]
        hanging = {data for _name, data in items.new_items(HANGS)}
        # Each once, in an order that does not favour the early ones when time is short.
        unique = [data for data in dict.fromkeys(inputs) if data not in hanging]
        spread = [data for at in range(7) for data in unique[at::7]]
        recorder.matrix.total = len(spread)
        for data in spread:
            if time.monotonic() >= end:
                break
            recorder.run(data)
    finally:
        recorder.close()
    folder.write_json(MATRIX, recorder.matrix.to_json())


def write_traces(folder: Folder, target: Target, findings: list[Finding], end: float) -> None:
    """Traces the findings' runs until `end`."""
    traces: dict[str, str] = {}
    left = ALL_TRACES_LIMIT
    wanted = [f for f in findings if f.input is not None and f.kind != "hang"]
    if wanted:
        tracer = TracingRuns(target)
        try:
            for finding in wanted:
                if time.monotonic() >= end or left <= 0:
                    break
                text = tracer.run(finding.input or b"")[: min(TRACE_LIMIT, left)]
                traces[finding.id] = text
                left -= len(text)
        finally:
            tracer.close()
    folder.write_json(TRACES, traces)


class TracingRuns:
    """Runs inputs on one machine; each run's trace is as `--trace` would write it."""

    def __init__(self, target: Target) -> None:
        from emukernel.strace import TextSink, Tracer

        self._file = _Bounded()
        self._executor = executor = Executor(target)
        self._tracer = Tracer(TextSink(self._file))
        self._tracer.attach(executor.machine)
        executor.machine.entry_work = True
        executor.to_the_end = True
        executor.take_snapshot()

    def run(self, data: bytes) -> str:
        """The trace of a run."""
        self._file.restart()
        run(self._executor, data)
        return self._file.getvalue()

    def close(self) -> None:
        """Gives the machine back."""
        self._executor.close()


class _Bounded(io.StringIO):
    """A text file that takes no more than TRACE_LIMIT characters."""

    def restart(self) -> None:
        self.seek(0)
        self.truncate()

    def write(self, text: str, /) -> int:
        if self.tell() < TRACE_LIMIT:
            super().write(text)
        return len(text)
