"""The command itself: help, unknown commands, one line for every mistake."""

from __future__ import annotations

import subprocess
import sys

import pytest
from guest_run import PROJECT

COMMANDS = ("run", "filter", "policy", "syscalls", "demo")


def emukernel(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emukernel", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_names_every_command() -> None:
    done = emukernel("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout
    assert "examples:" in done.stdout
    assert emukernel("-h").stdout == emukernel("help").stdout == done.stdout


@pytest.mark.parametrize(
    "words", [["run"], ["filter"], ["policy", "check"], ["syscalls"], ["demo"]], ids=" ".join
)
def test_the_help_of_each_command_has_examples(words: list[str]) -> None:
    done = emukernel(*words, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"emukernel {' '.join(words)}" in done.stdout
    assert "example" in done.stdout
    assert all(len(line) <= 110 for line in done.stdout.splitlines() if "NAME" not in line)


def test_the_version() -> None:
    assert emukernel("--version").stdout.startswith("emukernel 0.")


def test_no_command() -> None:
    done = emukernel()
    assert done.returncode == 2
    assert done.stderr.startswith("usage: emukernel COMMAND")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["rum"],
            "emukernel: no command 'rum' (did you mean 'run'?); "
            "there are: run, filter, policy, fuzz, replay, syscalls, demo",
        ),
        (
            ["demo", "x"],
            "emukernel demo: unrecognized arguments: x (see emukernel demo --help)",
        ),
        (
            ["syscalls", "opennat"],
            "emukernel syscalls: no system call 'opennat' (did you mean 'openat'?)",
        ),
        (
            ["syscalls", "--x"],
            "emukernel syscalls: unrecognized arguments: --x (see emukernel syscalls --help)",
        ),
        (
            ["policy"],
            "emukernel policy: the following arguments are required: COMMAND "
            "(see emukernel policy --help)",
        ),
        (
            ["filter"],
            "emukernel filter: an EVENT and a TEXT are needed (or --jsonl) "
            "(see emukernel filter --help)",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(words: list[str], line: str) -> None:
    done = emukernel(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{line}\n"


def test_a_reader_that_goes_away() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "emukernel", "syscalls"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_the_demo_needs_nothing_and_says_the_same_each_time() -> None:
    first = emukernel("demo")
    assert (first.returncode, first.stderr) == (0, "")
    assert "killed by seccomp: sys_open(" in first.stdout
    assert "(leak_passwords+0x" in first.stdout
    assert first.stdout.count("exit status 0") == 3
    assert first.stdout.count("exit status 137") == 1
    assert emukernel("demo").stdout == first.stdout


def test_the_demo_with_a_trace() -> None:
    done = emukernel("demo", "--trace")
    assert '   . open("/etc/passwd", O_RDONLY)' in done.stdout
    assert "[seccomp: refused: no entry for sys_open]" in done.stdout
