"""Our trace against strace's, of the same program: recorded, and live where strace is.

The recording in tests/data/strace/ is made by `python tests/strace/test_native.py`, on a machine
that has strace 6.1, gcc and ptrace: `calls.txt` is strace's trace of tests/strace/calls.c,
`calls.json.gz` what our Tracer was told of another run of the same program, with what it saw of the
program's memory.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from strace_native import Event, replay  # noqa: E402

from emukernel.strace import JsonSink, TextSink  # noqa: E402

RECORDED = HERE.parent / "data" / "strace"
ROOT = HERE.parent.parent

VOLATILE = re.compile(
    r"(clock_gettime|gettimeofday|time|times|getrandom|sysinfo|getrusage|getitimer|timer_gettime"
    r"|timerfd_settime|select|pselect6|ppoll|syslog|getsockname|waitid|getppid|getpgrp|getpgid"
    r"|getsid|execve|brk)\("
)
"""Calls whose outcome is another one in each run: of these numbers are not compared."""

SAME = (
    # strace knows two meanings of this request; we emulate no sound cards.
    ("SNDCTL_TMR_START or TCSETS", "TCSETS"),
    # Below the environment, which differs.
    (re.compile("0x7fffff[0-9a-f]{6}"), "STACK"),
    # What is in the signal frame is not decoded here.
    (re.compile(r"rt_sigreturn\(\{mask=.*\}\)"), "rt_sigreturn()"),
    # Linux has more of these than strace 6.1 knows.
    (re.compile(r"(membarrier\(MEMBARRIER_CMD_QUERY, 0\) = ).*"), r"\1"),
)


class AllPids(TextSink):
    """With the pid before every line, as strace -o has it."""

    def _prefix(self, pid: int) -> str:
        return f"{pid:<5} "


def normal(trace: str) -> list[list[str]]:
    """The lines of each task, in the order in which the tasks appear: whole calls, no pids, no
    padding, nothing that differs from run to run."""
    tasks: dict[str, list[str]] = {}
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        pid, _, text = line.partition(" ")
        text = text.lstrip()
        lines = tasks.setdefault(pid, [])
        if text.endswith(" <unfinished ...>"):
            begun[pid] = text.removesuffix("<unfinished ...>").rstrip(" ,")
            continue
        if text.startswith("<... "):
            rest = text.partition(" resumed>")[2].removeprefix(", ")
            text = begun.pop(pid) + ("" if rest.startswith(")") else ", ") + rest
        lines.append(text)
    names = {pid: f"PID{i}" for i, pid in enumerate(tasks)}

    def shown(text: str) -> str:
        text = re.sub(r" +(= [^=]*)$", r" \1", text)
        for old, new in SAME:
            text = text.replace(old, new) if isinstance(old, str) else old.sub(new, text)
        if VOLATILE.match(text):
            text = re.sub(r" /\* [0-9.]+ s \*/", "", text)
            text = re.sub(r"0x[0-9a-f]+|\\x[0-9a-f]+|\d+", "0", text)
        return re.sub(r"\b\d+\b", lambda match: names.get(match[0], match[0]), text)

    result = [[shown(text) for text in lines] for lines in tasks.values()]
    # strace sees the program's own execve too.
    return [[line for line in lines if not line.startswith('execve("/')] for lines in result]


def ours(events: list[Event]) -> str:
    output = io.StringIO()
    replay(events, AllPids(output))
    return output.getvalue()


def run_both(directory: Path) -> tuple[str, list[Event]]:
    """strace's trace of calls.c, and the events of another run of it. RuntimeError where that
    can't be done on this machine."""
    program = directory / "calls"
    source = HERE / "calls.c"
    subprocess.run(["gcc", "-static", "-w", "-o", program, source], check=True, timeout=60)
    output = directory / "strace.txt"
    work = directory / "work"
    work.mkdir()
    options = ["-f", "-o", output, "-E", "TZ"]
    command = ["setarch", "-R", "strace", *options, program]
    environment = {"PATH": os.environ["PATH"], "TZ": "UTC0"}
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "cwd": work}
    done = subprocess.run(command, env=environment, capture_output=False, timeout=60, **quiet)
    if done.returncode != 7:
        raise RuntimeError(f"strace ended with status {done.returncode}")
    shutil.rmtree(work)
    work.mkdir()
    native = [sys.executable, HERE / "strace_native.py", program, work]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(native, env=environment, capture_output=True, timeout=60)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return output.read_text(encoding="latin-1"), json.loads(done.stdout)


def assert_same(strace: str, events: list[Event]) -> None:
    theirs, own = normal(strace), normal(ours(events))
    assert len(theirs) == len(own)
    for expected, lines in zip(theirs, own, strict=True):
        assert lines == expected


def recorded() -> tuple[str, list[Event]]:
    with gzip.open(RECORDED / "calls.json.gz", "rt", encoding="ascii") as file:
        events = json.load(file)
    return (RECORDED / "calls.txt").read_text(encoding="latin-1"), events


def test_the_recorded_trace_is_straces() -> None:
    strace, events = recorded()
    assert len(strace.splitlines()) > 350
    assert_same(strace, events)


needs = [program for program in ("strace", "gcc", "setarch") if not shutil.which(program)]


@pytest.mark.skipif(bool(needs), reason=f"without {', '.join(needs)}")
def test_a_trace_made_now_is_straces(tmp_path: Path) -> None:
    version = subprocess.run(["strace", "-V"], capture_output=True, text=True).stdout
    if "version 6.1\n" not in version:
        pytest.skip("other versions of strace have other details")
    if os.geteuid():
        pytest.skip("the program's calls are those of root")
    try:
        strace, events = run_both(tmp_path)
    except RuntimeError as error:
        pytest.skip(f"no ptrace here: {error}")
    assert_same(strace, events)


def test_records_say_what_the_text_says() -> None:
    output = io.StringIO()
    _, events = recorded()
    replay(events, JsonSink(output))
    records = [json.loads(line) for line in output.getvalue().splitlines()]
    calls = [record for record in records if record["type"] == "syscall"]
    opened = next(call for call in calls if call["name"] == "openat")
    assert opened["decoded"] == {
        "dfd": "AT_FDCWD",
        "filename": '"f"',
        "flags": "O_RDWR|O_CREAT|O_TRUNC",
        "mode": "0644",
    }
    assert (opened["nr"], opened["ret"], opened["errno"]) == (257, 3, None)
    assert len(opened["args"]) == 6
    missing = next(call for call in calls if call["name"] == "open")
    assert (missing["ret"], missing["errno"]) == (-1, "ENOENT")
    assert next(r["signal"] for r in records if r["type"] == "signal") == "SIGUSR1"
    end = records[-1]
    assert (end["type"], end["status"], end["signal"]) == ("exit", 7, None)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        text, happened = run_both(Path(name))
    RECORDED.mkdir(parents=True, exist_ok=True)
    (RECORDED / "calls.txt").write_text(text, encoding="latin-1")
    with open(RECORDED / "calls.json.gz", "wb") as raw:
        packed = gzip.GzipFile("", "wb", mtime=0, fileobj=raw)
        packed.write(json.dumps(happened).encode())
        packed.close()
