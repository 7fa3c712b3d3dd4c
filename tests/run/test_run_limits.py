"""Limits on time and on instructions: status 124, and a line that says which."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from guest_run import PROJECT

from emukernel import Kernel

Run = Callable[..., Any]


@pytest.mark.parametrize("how", ["spin", "sleep"])
def test_a_timeout(emukernel: Run, ends: Path, how: str) -> None:
    begin = time.monotonic()
    outcome = emukernel(ends, [how, "say"], options=["--timeout", "0.5"])
    assert outcome.status == 124
    assert outcome.out == "ready\n"
    assert outcome.err == "stopped: the time limit was reached\n"
    assert time.monotonic() - begin < 10


def test_a_timeout_of_a_guest_that_waits_for_input(ends: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "emukernel", "run", "--timeout", "0.3", str(ends), "read"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.read() == "stopped: the time limit was reached\n"
        assert process.wait(10) == 124


def test_a_timeout_that_is_not_reached(emukernel: Run, ends: Path) -> None:
    assert emukernel(ends, ["exit", "5"], options=["--timeout", "60"]).status == 5


def test_no_time_at_all(emukernel: Run, ends: Path) -> None:
    assert emukernel(ends, ["spin"], options=["--timeout", "0"]).status == 124


# mov $100,%ebx; l: mov $39,%eax; syscall; dec %ebx; jnz l; xor %edi,%edi; mov $231,%eax; syscall
LOOP = "bb64000000" + "b8270000000f05ffcb75f5" + "31ffb8e70000000f05"
LOOP_INSTRUCTIONS = 1 + 4 * 100 + 3


@pytest.mark.parametrize(
    "options",
    [[], ["--trace"], ["--deterministic"], ["--filter-text", "sys_getpid: 1\nsys_exit_group: 1"]],
    ids=["fast", "traced", "deterministic", "filtered"],
)
def test_instructions_are_counted_exactly_over_all_calls(
    emukernel: Run, tiny: Callable[[str], Path], options: list[str]
) -> None:
    program = tiny(LOOP)
    limit = ["--max-instructions", str(LOOP_INSTRUCTIONS)]
    assert emukernel(program, options=[*options, *limit]).status == 0
    limit = ["--max-instructions", str(LOOP_INSTRUCTIONS - 1)]
    outcome = emukernel(program, options=[*options, *limit])
    assert outcome.status == 124
    assert outcome.err.splitlines()[-1] == "stopped: the limit of instructions was reached"


def test_an_endless_loop_meets_the_limit_of_instructions(
    tiny: Callable[[str], Path],
) -> None:
    program = str(tiny("ebfe"))
    for _ in range(2):
        result = Kernel(max_instructions=1_000_000).run(program)
        assert (result.limit, result.exit_status) == ("instructions", 124)


def test_sleeping_costs_no_instructions(emukernel: Run, ends: Path) -> None:
    options = ["--max-instructions", "1000000", "--timeout", "0.3"]
    outcome = emukernel(ends, ["sleep"], options=options)
    assert outcome.err == "stopped: the time limit was reached\n"
