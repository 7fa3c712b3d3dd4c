"""Our trace of several tasks against that of `strace -f`, of the same program.

tests/data/strace/follow.txt is recorded by `python tests/strace/test_follow.py` on a machine with
strace 6.1 and musl-gcc: it is what `strace -f -o FILE` writes of tests/strace/follow.c.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import guest_build  # noqa: E402

from emukernel.api import Run  # noqa: E402
from emukernel.kernel.options import Options  # noqa: E402
from emukernel.strace import JsonSink, TextSink  # noqa: E402

RECORDED = HERE.parent / "data" / "strace" / "follow.txt"
SECONDS = 30


class AllPids(TextSink):
    """With the pid before every line, as strace -o has it."""

    def _prefix(self, pid: int) -> str:
        return f"{pid:<5} "


def program() -> Path:
    return guest_build.build_source((HERE / "follow.c").read_text(), libc="musl", name="follow")


def strace(path: Path) -> str:
    """What strace says of the program; RuntimeError where it can't."""
    with tempfile.NamedTemporaryFile() as output:
        command = ["setarch", "-R", "strace", "-f", "-o", output.name, "-E", "X=", str(path)]
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
        return Path(output.name).read_text(encoding="latin-1")


def run(path: Path, *sinks: TextSink | JsonSink) -> None:
    run = Run(Options(program=str(path), capture=True, stdin=b""), timeout=SECONDS)
    try:
        for sink in sinks:
            run.add_tracer(sink)
        run.load([b"follow"], [])
        assert run.go().status == 0
    finally:
        run.close()


def ours(path: Path) -> str:
    output = io.StringIO()
    run(path, AllPids(output))
    return output.getvalue()


def normal(trace: str) -> list[tuple[list[str], list[str]]]:
    """Of each task, in the order in which they appear: its lines without what differs from run to
    run, whole calls; and apart from them what it is told of its children, whenever that comes."""
    tasks: dict[str, list[str]] = {}
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        pid, _, text = line.partition(" ")
        text = text.lstrip()
        lines = tasks.setdefault(pid, [])
        if text.endswith(" <unfinished ...>"):
            begun[pid] = text.removesuffix("<unfinished ...>").rstrip()
            continue
        superseded = re.match(r"\+\+\+ superseded by execve in pid (\d+)", text)
        if superseded:
            begun[pid] = begun.pop(superseded[1])
        if text.startswith("<... "):
            text = begun.pop(pid) + text.partition(" resumed>")[2]
        if "execve(" not in text or "again" in text:
            lines.append(re.sub(r",(?=\S)", ", ", re.sub(r" +(= [^=]*)$", r" \1", text)))
    names = {pid: f"PID{i}" for i, pid in enumerate(tasks)}

    def shown(text: str) -> str:
        text = re.sub(r"0x7f[0-9a-f]+", "STACK", text)
        text = re.sub(r"si_[us]time=\d+( /\* [0-9.]+ s \*/)?", "time", text)
        return re.sub(r"\b\d+\b", lambda match: names.get(match[0], match[0]), text)

    found = [[shown(text) for text in lines] for lines in tasks.values()]
    return [
        (
            [line for line in lines if not line.startswith("--- SIGCHLD")],
            sorted(line for line in lines if line.startswith("--- SIGCHLD")),
        )
        for lines in found
    ]


def test_as_recorded() -> None:
    theirs = normal(RECORDED.read_text(encoding="latin-1"))
    own = normal(ours(program()))
    assert len(own) == len(theirs)
    for expected, lines in zip(theirs, own, strict=True):
        assert lines == expected


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_as_strace_now() -> None:
    version = subprocess.run(["strace", "-V"], capture_output=True, text=True, check=False).stdout
    if "version 6.1\n" not in version:
        pytest.skip("other versions of strace have other details")
    path = program()
    try:
        theirs = strace(path)
    except RuntimeError as error:
        pytest.skip(f"no ptrace here: {error}")
    assert normal(ours(path)) == normal(theirs)


def test_clone3_shows_what_it_wrote() -> None:
    path = guest_build.build_source(
        "#include <pthread.h>\n"
        "static void *run(void *x) { return x; }\n"
        "int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); return pthread_join(t, 0); }",
        libc="glibc",
    )
    (line,) = [line for line in ours(path).splitlines() if "clone3(" in line]
    assert re.search(r", tls=0x[0-9a-f]+\} => \{parent_tid=\[101\]\}, 88\) = 101$", line), line


def test_the_records_follow_too() -> None:
    output = io.StringIO()
    run(program(), JsonSink(output))
    records = [json.loads(line) for line in output.getvalue().splitlines()]
    assert {record["type"] for record in records} == {
        "syscall",
        "signal",
        "stop",
        "superseded",
        "exit",
    }
    (stop,) = [record for record in records if record["type"] == "stop"]
    assert stop["signal"] == "SIGSTOP"
    (superseded,) = [record for record in records if record["type"] == "superseded"]
    assert superseded["by"] == superseded["pid"] + 1
    ends = [(record["status"], record["signal"]) for record in records if record["type"] == "exit"]
    assert (7, None) in ends
    assert (None, "SIGKILL") in ends
    restarted = next(r for r in records if r.get("name") == "restart_syscall")
    assert restarted["decoded"] == {"context": "<... resuming interrupted nanosleep ...>"}


if __name__ == "__main__":
    RECORDED.write_text(strace(program()), encoding="latin-1")
