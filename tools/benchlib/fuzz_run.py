"""What the benchmark `fuzz` measures, in a process of its own: `fuzz_run.py WHAT GUEST N`.

Prints lines `NAME SECONDS VALUE`, as the guests of the other benchmarks do.
"""

from __future__ import annotations

import sys
import tempfile
from time import perf_counter

INPUT = b"PK\x01\x02" + b"\x01\x02ab" * 5 + bytes(40)


def snapshot(program: str, count: int) -> None:
    """Runs from a snapshot."""
    from emukernel.fuzz.executor import Executor
    from emukernel.fuzz.target import Target

    executor = Executor(Target(program, ("parser",)))
    for _ in range(200):
        outcome = executor.run(INPUT)
    begin = perf_counter()
    for _ in range(count):
        executor.run(INPUT)
    print("snapshot", perf_counter() - begin, outcome.status)
    executor.close()


def anew(program: str, count: int) -> None:
    """Runs that boot a machine each."""
    from emukernel import Kernel

    begin = perf_counter()
    for _ in range(count):
        kernel = Kernel(stdin=INPUT, deterministic=True, memory=256 << 20)
        status = kernel.run(program, ["parser"]).exit_status
    print("anew", perf_counter() - begin, status << 8)


def campaign(program: str, seconds: int, jobs: int) -> None:
    """A campaign's runs a second."""
    from emukernel.fuzz.campaign import Campaign, Settings
    from emukernel.fuzz.target import Target

    with tempfile.TemporaryDirectory() as out:
        made = Campaign(Settings(Target(program, ("parser",)), out, seconds=seconds, jobs=jobs))
        stats = made.run()
        # Of each job from when its machine is booted.
        print(f"jobs{jobs}", 1, stats.execs_per_sec)


def restore(program: str, megabytes: int) -> None:
    """What a run with few changes costs beside so much memory in use."""
    from emukernel.fuzz.executor import Executor
    from emukernel.fuzz.target import Target

    executor = Executor(Target(program, ("resident", str(megabytes)), memory=512 << 20))
    for _ in range(2000):
        executor.run(b"x")
    begin = perf_counter()
    for _ in range(1000):
        executor.run(b"x")
    print(f"resident{megabytes}", perf_counter() - begin, 1000)
    executor.close()


if __name__ == "__main__":
    what, guest, *numbers = sys.argv[1:]
    {"snapshot": snapshot, "anew": anew, "campaign": campaign, "restore": restore}[what](
        guest, *map(int, numbers)
    )
