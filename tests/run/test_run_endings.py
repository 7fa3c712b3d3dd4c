"""How a run ends: exit statuses, signals, and the one line that says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

# What the C library needs to come up and to end.
STARTS = "sys_arch_prctl: 1\nsys_set_tid_address: 1\nsys_exit_group: 1\n"


@pytest.mark.parametrize(("asked", "status"), [("0", 0), ("7", 7), ("255", 255), ("300", 44)])
def test_the_status_is_the_guests(emukernel: Run, ends: Path, asked: str, status: int) -> None:
    outcome = emukernel(ends, ["exit", asked])
    assert outcome.status == status
    assert outcome.stderr == b""


def test_a_signal_is_128_and_its_number(emukernel: Run, ends: Path) -> None:
    outcome = emukernel(ends, ["segv"])
    assert outcome.status == 139
    assert outcome.err.startswith("killed by SIGSEGV at 0x")
    assert outcome.err.endswith(", address 0x10\n")
    outcome = emukernel(ends, ["abort"])
    assert outcome.status == 134
    assert outcome.err == "killed by SIGABRT\n"


def test_quiet_says_nothing(emukernel: Run, ends: Path) -> None:
    for options in (["--quiet"], ["-q"]):
        outcome = emukernel(ends, ["segv"], options=options)
        assert (outcome.status, outcome.stderr) == (139, b"")


def test_a_refused_call_is_told_with_its_arguments_and_place(emukernel: Run, ends: Path) -> None:
    outcome = emukernel(ends, ["open", "/etc/passwd"], options=["--filter-text", STARTS])
    assert outcome.status == 137
    head, rest = outcome.err.split('"/etc/passwd"')
    assert head.startswith("killed by seccomp: sys_open(filename=0x")
    call, place = rest.split(" at 0x")
    assert call == ", flags=0x0, mode=0x0)"
    where, reason = place.split(": ", 1)
    assert "+0x" in where
    assert reason == "no entry for sys_open\n"


def test_a_false_predicate_is_told_with_its_value(emukernel: Run, ends: Path) -> None:
    policy = STARTS + "sys_open: flags == 1 && mode == 0\n"
    outcome = emukernel(ends, ["open", "/x"], options=["--filter-text", policy])
    assert outcome.status == 137
    assert outcome.err.endswith(": sys_open: flags == 1 is false (flags = 0x0)\n")


def test_the_launcher_itself_is_held_to_a_policy_from_the_next_call_on(
    emukernel: Run, ends: Path
) -> None:
    policy = "on_next_syscall: 1\n" + STARTS
    outcome = emukernel(ends, ["exit", "3"], options=["--filter-text", policy])
    assert outcome.status == 137
    assert outcome.out == ""
    assert outcome.err.startswith(
        "killed by seccomp: the launcher's execve: no entry for sys_execve\n"
    )
    assert "on_next_syscall" in outcome.err.splitlines()[1]
    outcome = emukernel(
        ends, ["exit", "3"], options=["--filter-text", policy + "sys_execve: 1\n"]
    )
    assert outcome.status == 3


def test_an_execve_of_the_guest_is_not_taken_for_the_launchers(
    emukernel: Run, guest_source: Callable[..., Path]
) -> None:
    program = guest_source(
        "#include <unistd.h>\nint main(void) { execve(\"/x\", 0, 0); return 0; }", name="execs"
    )
    outcome = emukernel(program, options=["--filter-text", STARTS])
    assert outcome.status == 137
    assert len(outcome.err.splitlines()) == 1
    assert outcome.err.startswith("killed by seccomp: sys_execve(")


def test_a_machine_in_which_nothing_can_happen_says_so(emukernel: Run, ends: Path) -> None:
    outcome = emukernel(ends, ["pause"])
    assert outcome.status == 125
    assert outcome.err == (
        "deadlock: every task sleeps and nothing can wake one: task 100 (ends) in pause()\n"
    )
