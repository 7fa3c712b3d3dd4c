"""After the last process has ended the machine is where it began: nothing leaks.

guest/stress/mill.c: processes x threads x pipes, futexes and signals, here small. A long run is

    emukernel run guest/stress/mill 100 10 300
"""

from __future__ import annotations

import gc
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emukernel.api import Run
from emukernel.kernel.fs.file import File
from emukernel.kernel.mm.mm import Mm
from emukernel.kernel.mm.vma import Vma
from emukernel.kernel.options import Options
from emukernel.kernel.sched.core import Timer
from emukernel.kernel.signal.structs import SignalStruct
from emukernel.kernel.task import Task

SECONDS = 60
COUNTED = (File, Mm, Vma, Timer, SignalStruct, Task)


def objects() -> Counter[str]:
    """How many of the kernel's objects there are."""
    gc.collect()
    return Counter(
        kind.__name__ for thing in gc.get_objects() for kind in COUNTED if isinstance(thing, kind)
    )


def mill(program: Path, *args: str, check: Callable[[Any], None]) -> str:
    """What the guest printed; `check` looks at the machine after its end."""
    run = Run(Options(program=str(program), stdin=b"", capture=True), timeout=SECONDS)
    try:
        run.load([b"mill", *(arg.encode() for arg in args)], [])
        result = run.go()
        assert (result.status, result.limit) == (0, ""), result.stderr
        check(run.machine)
        assert result.stdout is not None
        return result.stdout.decode()
    finally:
        run.close()


def idle(machine: Any) -> None:
    """Only the first process is left, ended, and nobody waits for anything."""
    assert [task.pid for task in machine.tasks.values() if task.state != "Z"] == []
    assert not machine.sched.run_queue
    assert not machine.sched.timers
    assert not machine.futex_queues
    assert not any(machine.sigqueues.values())


def test_every_round_leaves_what_it_found(guest: Callable[..., Path]) -> None:
    out = mill(guest("stress/mill", "glibc"), "6", "4", "1", "3", check=idle)
    rounds = re.findall(r"^bad: (\d+), free: (\d+) kB, files: (\d+), tasks: (\d+)$", out, re.M)
    assert [bad for bad, *_ in rounds] == ["0"] * 3
    # The first round brings in what the program itself needs.
    assert rounds[1] == rounds[2]
    assert rounds[2][3] == "1"


def test_no_object_outlives_its_machine(guest: Callable[..., Path]) -> None:
    program = guest("stress/mill", "musl")
    mill(program, "2", "2", "0", check=idle)
    before = objects()
    mill(program, "8", "6", "0", "3", check=idle)
    assert not objects() - before


def test_frames_are_all_accounted_for(guest: Callable[..., Path]) -> None:
    left = []

    def look(machine: Any) -> None:
        idle(machine)
        left.append((machine.memory.free_frames, machine.slab.used))

    program = guest("stress/mill", "musl")
    mill(program, "2", "3", "0", check=look)
    mill(program, "12", "3", "0", "2", check=look)
    assert left[0] == left[1]
