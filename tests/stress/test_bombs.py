"""guest/stress/bombs.c: whatever a guest hoards, the kernel says no, and the host is unharmed.

The errors are Linux's for a machine of that size. What emukernel itself takes of the host's memory
stays near the machine's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import guest_run
import pytest

MEMORY_MIB = 64
#: What emukernel takes without a guest, and what Python needs for bookkeeping.
CONSTANT_MIB = 80
SECONDS = 60


def run(program: Path, *args: str, options: Sequence[str] = ()) -> tuple[str, str, int, int]:
    """(stdout, stderr, exit status, greatest resident set in MiB) of a machine of 64 MiB."""
    command = [sys.executable, "-m", "emukernel", "run", "--memory", f"{MEMORY_MIB}M"]
    command += ["--timeout", str(SECONDS), "--cwd", "/tmp", *options, str(program), *args]
    outcome, peak = guest_run.run_measured(command, seconds=SECONDS + 30)
    assert "Traceback" not in outcome.err
    return outcome.out, outcome.err, outcome.status, peak >> 10


@pytest.mark.parametrize(
    ("bomb", "answer"),
    [
        ("forks", "EAGAIN"),
        ("threads", "EAGAIN"),
        ("touches", "signal 9"),
        ("breaks", "signal 9"),
        ("shared", "signal 9"),
        ("recursion", "signal 11"),
        ("areas", "ENOMEM"),
        ("area forks", "ENOMEM"),
        ("file", "ENOSPC"),
        ("files", "ENOSPC"),
        ("pipes", "EMFILE"),
        ("sockets", "EMFILE"),
        ("descriptors", "EMFILE"),
        ("descriptor forks", "signal 9"),
        ("queued", "EAGAIN"),
        ("watches", "EMFILE"),
        ("instances", "EMFILE"),
        ("locks", "nothing"),
        ("attributes", "ENOSPC"),
        ("loops", "ELOOP"),
        ("depth", "ENAMETOOLONG"),
        ("arguments", "E2BIG"),
        ("looks", "nothing"),
    ],
)
def test_bomb(guest: Callable[..., Path], bomb: str, answer: str) -> None:
    out, err, status, resident = run(guest("stress/bombs", "glibc"), bomb)
    assert out == f"{bomb}: {answer}\nafterwards: fine\n", err
    assert status == 0, err
    assert resident < MEMORY_MIB + CONSTANT_MIB, resident


def test_the_log_names_the_victim(guest: Callable[..., Path]) -> None:
    _, err, _, _ = run(guest("stress/bombs", "glibc"), "touches", options=["--dmesg"])
    assert "bombs invoked oom-killer" in err
    assert "Out of memory: Killed process 101 (bombs) total-vm:" in err


def test_the_last_process_is_a_victim_too(guest_source: Callable[..., Path]) -> None:
    program = guest_source(
        "#include <stdlib.h>\n#include <string.h>\n"
        "int main(void) { for (;;) memset(malloc(1 << 20), 1, 1 << 20); }"
    )
    _, err, status, resident = run(program)
    assert status == 128 + 9
    assert err.startswith("killed: out of memory")
    assert resident < MEMORY_MIB + CONSTANT_MIB


def test_an_exponential_fork_bomb_meets_the_time_limit(guest_source: Callable[..., Path]) -> None:
    program = guest_source("#include <unistd.h>\nint main(void) { for (;;) fork(); }")
    _, err, status, resident = run(program, options=["--timeout", "3"])
    assert (status, err) == (124, "stopped: the time limit was reached\n")
    assert resident < MEMORY_MIB + CONSTANT_MIB
