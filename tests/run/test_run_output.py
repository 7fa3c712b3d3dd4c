"""What a run shows: traces, the kernel log, statistics, and where they go."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import guest_run
import pytest

Run = Callable[..., Any]

# getpid(); write(1, 0, 0); exit_group(3)
CALLS = "b8270000000f05" + "bf0100000031f631d2b8010000000f05" + "bf03000000b8e70000000f05"
LINES = [
    "getpid()                                = 100",
    "write(1, NULL, 0)                       = 0",
    "exit_group(3)                           = ?",
    "+++ exited with 3 +++",
]


def test_a_trace_to_stderr(emukernel: Run, tiny: Callable[[str], Path]) -> None:
    outcome = emukernel(tiny(CALLS), options=["--trace"])
    assert outcome.status == 3
    assert outcome.err.splitlines() == LINES


def test_a_trace_to_a_file(emukernel: Run, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    path = tmp_path / "trace"
    outcome = emukernel(tiny(CALLS), options=[f"--trace={path}"])
    assert (outcome.status, outcome.stderr) == (3, b"")
    assert path.read_text().splitlines() == LINES


def test_a_trace_has_seccomps_verdicts(emukernel: Run, tiny: Callable[[str], Path]) -> None:
    policy = "sys_getpid: 1\nsys_write: fd == 2"
    outcome = emukernel(tiny(CALLS), options=["--trace", "--filter-text", policy])
    assert outcome.status == 137
    assert outcome.err.splitlines()[:3] == [
        "getpid()                                = 100 [seccomp: allowed by sys_getpid: 1]",
        "write(1, NULL, 0)                       = ? "
        "[seccomp: refused: sys_write: fd == 2 is false (fd = 0x1)]",
        "+++ killed by SIGKILL +++",
    ]


def test_a_sleeping_call_shows_at_once_and_signals_show(emukernel: Run, ends: Path) -> None:
    outcome = emukernel(ends, ["sleep"], options=["--trace", "--timeout", "0.3"])
    assert outcome.status == 124
    assert outcome.err.splitlines()[-2].startswith("nanosleep({tv_sec=1000, tv_nsec=0}, ")
    assert outcome.err.splitlines()[-2].endswith(" <unfinished ...>")
    lines = emukernel(ends, ["segv"], options=["--trace"]).err.splitlines()
    assert lines[-3:-1] == [
        "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10} ---",
        "+++ killed by SIGSEGV +++",
    ]


def test_a_trace_as_json(emukernel: Run, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    outcome = emukernel(tiny(CALLS), options=["--trace-json", str(path)])
    assert outcome.status == 3
    records = [json.loads(line) for line in path.read_text().splitlines()]
    calls = [(r["name"], r["args"][: len(r["decoded"])], r["ret"]) for r in records[:-1]]
    assert calls == [("getpid", [], 100), ("write", [1, 0, 0], 0), ("exit_group", [3], None)]
    assert (records[-1]["type"], records[-1]["status"]) == ("exit", 3)
    out = emukernel(tiny(CALLS), options=["--trace-json", "-"]).out
    assert [json.loads(line)["type"] for line in out.splitlines()] == ["syscall"] * 3 + ["exit"]


def test_the_kernel_log(emukernel: Run, tiny: Callable[[str], Path]) -> None:
    options = ["--dmesg", "--quiet", "--filter-text", "sys_getpid: 1"]
    lines = emukernel(tiny(CALLS), options=options).err.splitlines()
    assert lines[0].startswith("[    0.")
    assert "Linux version" in lines[0]
    assert "write" in lines[-1]
    assert emukernel(tiny(CALLS)).err == ""


def test_statistics(emukernel: Run, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    path = tmp_path / "stats"
    outcome = emukernel(tiny(CALLS), options=["--stats", "--stats-json", str(path)])
    stats = json.loads(path.read_text())
    assert stats["syscalls"] == {"write": 1, "getpid": 1, "exit_group": 1}
    assert stats["syscall_total"] == 3
    assert stats["translated_blocks"] >= 3
    assert stats["memory"]["size"] == 1 << 30
    assert 0 < stats["memory"]["peak"] < 1 << 20
    seconds = stats["seconds"]
    parts = seconds["guest"] + seconds["kernel"] + seconds["filters"]
    assert parts == pytest.approx(seconds["total"])
    table = outcome.err.splitlines()
    assert table[:5] == [
        "     calls  system call",
        "         1  write",
        "         1  getpid",
        "         1  exit_group",
        "         3  total",
    ]
    assert [line.split()[0] for line in table[6:]] == ["time", "memory", "faults", "blocks"]


def test_json_statistics_on_stdout(emukernel: Run, tiny: Callable[[str], Path]) -> None:
    outcome = emukernel(tiny(CALLS), options=["--stats-json", "-"])
    assert outcome.status == 3
    assert json.loads(outcome.out)["syscall_total"] == 3


@pytest.mark.parametrize("option", ["--trace", "--trace-json", "--stats-json"])
def test_a_file_that_is_full(
    emukernel: Run, tiny: Callable[[str], Path], option: str
) -> None:
    outcome = emukernel(tiny(CALLS), options=[f"{option}=/dev/full"])
    assert outcome.status == 2
    assert outcome.err == f"emukernel run: {option}: /dev/full: No space left on device\n"


def test_many_slow_calls_do_not_fill_the_hosts_memory(tiny: Callable[[str], Path]) -> None:
    """30,000 calls that each leave the fast path: what one costs must not stay."""
    # mov $30000,%ebx; l: mov $39,%eax; syscall; dec %ebx; jnz l; exit_group(0)
    code = "bb30750000" + "b8270000000f05ffcb75f5" + "31ffb8e70000000f05"
    command = [sys.executable, "-m", "emukernel", "run", "--stats", str(tiny(code))]
    outcome, peak = guest_run.run_measured(command)
    assert outcome.status == 0
    assert peak < 100 << 10
