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
    """Runs a program; `at_mark(kernel, argument)` is called at each `syscall(1000, argument)`."""
    options = Options(
        program=str(program), capture=True, stdin=b"", deterministic=deterministic, seed=seed
    )
    run = Run(options, timeout=timeout)
    try:
        if at_mark is not None:
            kernel, tell = run.machine, at_mark

            def enter(task: Task, nr: int, args: tuple[int, ...]) -> None:
                if nr == MARK:
                    tell(kernel, args[0])

            run.add_hooks(enter, None)
        run.load([str(program).encode(), *(arg.encode() for arg in args)], [])
        return run.go()
    finally:
        run.close()
