"""One input's run again, on a fresh machine: what a finding is shown by."""

from __future__ import annotations

from emukernel.fuzz.executor import Executor
from emukernel.fuzz.machine import FuzzMachine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.fuzz.executor import Outcome
    from emukernel.fuzz.target import Target
    from emukernel.kernel.options import Options


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
    executor.take_snapshot(timeout=3600.0)
    return executor


def replay(target: Target, data: bytes, *, counted: bool = False, sink: Any = None) -> Outcome:
    """A run on a machine of its own; with a `sink` of `emukernel.strace` it is traced."""
    if counted and sink is None:
        return run_counted(target, data)
    executor = Executor(target)
    try:
        if sink is not None:
            from emukernel.strace import Tracer

            Tracer(sink).attach(executor.machine)
            executor.machine.entry_work = True
            executor.to_the_end = True
            executor.take_snapshot()
        return executor.run(data, explain=True)
    finally:
        executor.close()
