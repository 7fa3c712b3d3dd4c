"""One input's run again, on a fresh machine: what a finding is shown by."""

from __future__ import annotations

from emukernel.fuzz.executor import Executor
from emukernel.fuzz.machine import FuzzMachine
from emukernel.fuzz.target import CALLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.fuzz.executor import Outcome
    from emukernel.fuzz.finding import Finding
    from emukernel.fuzz.target import Target
    from emukernel.kernel.options import Options

#: A run whose instructions are counted may take so long by the clock.
_REPLAY_SECONDS = 3600.0


class CountingMachine(FuzzMachine):
    """A machine whose runs end after so many instructions, not after so much time."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.cpu.count_instructions()


def run_counted(target: Target, data: bytes) -> Outcome:
    """A run that hangs if it does not end within `target.max_instructions`, explained."""
    executor = counted_executor(target)
    try:
        return executor.run(data, explain=True)
    finally:
        executor.close()


def counted_executor(target: Target) -> Executor:
    """An executor whose runs hang when they do not end within `target.max_instructions`."""
    executor = Executor(target, CountingMachine)
    executor.machine.instructions_left = target.max_instructions
    executor.take_snapshot(timeout=_REPLAY_SECONDS)
    return executor


def replay(
    target: Target, data: bytes, *, counted: bool = False, sink: Any = None
) -> list[Finding]:
    """What a run on a machine of its own finds; with a `sink` of `emukernel.strace` it is traced,
    `counted` has it end by `target.max_instructions`."""
    from emukernel.fuzz.fuzzer import findings_of

    executor = Executor(target, CountingMachine if counted else FuzzMachine)
    try:
        if counted:
            executor.machine.instructions_left = target.max_instructions
        if sink is not None:
            from emukernel.strace import Tracer

            Tracer(sink).attach(executor.machine)
            executor.machine.entry_work = True
            executor.to_the_end = True
        if counted or sink is not None:
            executor.take_snapshot(timeout=_REPLAY_SECONDS if counted else None)
        try:
            outcome = executor.run(data, explain=True)
        except Exception as error:
            if target.mode != CALLS:
                raise
            from emukernel.fuzz.syscalls import engine_finding

            return [engine_finding(target, error, data)]
        found = findings_of(executor, outcome, data)
        # A list of calls is no program: how it ends is nothing to find.
        return [f for f in found if target.mode != CALLS or f.kind == "bypass"]
    finally:
        executor.close()
