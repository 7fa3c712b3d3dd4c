"""`run --trace` against strace, of one program that makes the calls of IPC."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import guest_run
import pytest

SOURCE = Path(__file__).with_name("ipc.c")
CALLS = re.compile(
    r"(shm|sem|msg|mq_|timer_|futex_waitv|process_vm|membarrier)[a-z]*\(.*"
)
SAME = (
    (re.compile(r" +(= [^=]*)$"), r" \1"),
    # Ids of objects, and the highest index in use.
    (re.compile(r"^((?:shm|sem|msg)(?:at|ctl|op|timedop|snd|rcv)\()\d+"), r"\1ID"),
    (re.compile(r"^((?:shm|sem|msg)get\(.*= )\d+$"), r"\1ID"),
    (re.compile(r"(IPC_INFO, .*= )\d+$"), r"\1MAX"),
    # Who and when.
    (re.compile(r"\b([a-z_]*(?:time|pid))=[1-9]\d*"), r"\1=N"),
    (re.compile(r"\b(c?[ug]id)=\d+"), r"\1=N"),
)


def lines(trace: str) -> list[str]:
    """The calls of IPC in a trace, without what differs from run to run."""
    found = []
    for line in trace.splitlines():
        match = CALLS.match(line)
        if match:
            text = match[0]
            for pattern, new in SAME:
                text = pattern.sub(new, text)
            found.append(text)
    return found


def test_the_trace_is_straces(
    guest_source: Callable[..., Path],
    emukernel: Callable[..., guest_run.Outcome],
    tmp_path: Path,
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    version = subprocess.run(["strace", "-V"], capture_output=True, text=True).stdout
    if "version 6.1\n" not in version:
        pytest.skip("other versions of strace have other details")
    program = guest_source(SOURCE.read_text(encoding="utf-8"), libc="glibc")
    output = tmp_path / "strace.txt"
    done = subprocess.run(["strace", "-o", output, program], capture_output=True, timeout=60)
    if done.returncode:
        pytest.skip(f"no ptrace here: {done.stderr.decode()}")
    expected = lines(output.read_text(encoding="latin-1"))
    assert len(expected) > 60
    own = emukernel(program, options=["--trace"])
    assert lines(own.err) == expected
