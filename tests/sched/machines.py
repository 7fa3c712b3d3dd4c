"""Machines that tests boot in this process, to look at what a guest leaves behind in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from emukernel.api import Result, Run
from emukernel.kernel.kernel import Kernel
from emukernel.kernel.options import Options
from emukernel.kernel.task import Task

#: Call numbers that a guest makes to say that it has come to a point of interest.
MARK = 1000


def run(
    program: Path,
    *args: str,
    at_mark: Callable[[Kernel, int], None] | None = None,
    timeout: float = 30,
    deterministic: bool = False,
    seed: int = 0,
) -> Result:
    """Runs a program; `at_mark(kernel, argument)` is called at each `syscall(1000, argument)`.

    That is a call of the kernel's own for the time, so that the others go their usual way: hooks
    would have them all go the long one.
    """
    options = Options(
        program=str(program), capture=True, stdin=b"", deterministic=deterministic, seed=seed
    )
    run = Run(options, timeout=timeout)
    try:
        if at_mark is not None:
            tell = at_mark

            def mark(task: Task, number: int, *_rest: int) -> int:
                tell(task.kernel, number)
                return 0

            run.machine.handlers[MARK] = mark
        run.load([str(program).encode(), *(arg.encode() for arg in args)], [])
        return run.go()
    finally:
        run.close()
