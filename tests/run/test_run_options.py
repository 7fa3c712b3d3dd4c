"""The options of `emukernel run` that shape the process and the machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_the_environment(
    emukernel: Run, ends: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM_THE_HOST", "1")
    assert "FROM_THE_HOST=1" in emukernel(ends, ["env"]).out.splitlines()
    options = ["--env", "A=1", "-E", "B=x y=z", "--env", "FROM_THE_HOST=2", "-E", "C="]
    lines = emukernel(ends, ["env"], options=options).out.splitlines()
    assert {"A=1", "B=x y=z", "FROM_THE_HOST=2", "C="} <= set(lines)
    assert "FROM_THE_HOST=1" not in lines
    assert emukernel(ends, ["env"], options=["--clear-env", "-E", "A=1"]).out == "A=1\n"


def test_the_working_directory(emukernel: Run, ends: Path) -> None:
    assert emukernel(ends, ["cwd"]).out == "/\n"
    assert emukernel(ends, ["cwd"], options=["--cwd", "/tmp"]).out == "/tmp\n"
    assert emukernel(ends, ["cwd"], options=["--cwd", "etc/.."]).out == "/\n"


def test_the_user(emukernel: Run, ends: Path) -> None:
    program, options = "/bin/ends", ["--bind", f"{ends}:/bin/ends"]
    assert emukernel(program, ["ids"], options=options).out == "0 0 0 0\n"
    options += ["--uid", "1000"]
    assert emukernel(program, ["ids"], options=options).out == "1000 1000 1000 1000\n"
    options += ["--gid", "5"]
    assert emukernel(program, ["ids"], options=options).out == "1000 1000 5 5\n"


def test_the_host_name(emukernel: Run, files: Path) -> None:
    read = ["read", "/proc/sys/kernel/hostname"]
    assert emukernel(files, read).out == "[emukernel\n]\n"
    assert emukernel(files, read, options=["--hostname", "zork"]).out == "[zork\n]\n"


@pytest.mark.parametrize("size", ["8M", "16384K", str(32 << 20), "1g", "64G"])
def test_the_memory(emukernel: Run, files: Path, size: str) -> None:
    number, unit = int(size.rstrip("KMGg")), size.lstrip("0123456789").upper()
    kilobytes = number << {"": 0, "K": 10, "M": 20, "G": 30}[unit] >> 10
    out = emukernel(files, ["read", "/proc/meminfo"], options=["--memory", size]).out
    assert out.splitlines()[0].split() == ["[MemTotal:", str(kilobytes), "kB"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--env", "B"], "--env: 'B' is not K=V"),
        (["--env", "=x"], "--env: '=x' is not K=V"),
        (["--cwd", "/no"], "--cwd: /no: No such file or directory in the guest's tree"),
        (["--cwd", "/etc/passwd"], "--cwd: /etc/passwd: Not a directory in the guest's tree"),
        (["--uid", "root"], "--uid: 'root' is not a user id, below 2**63"),
        (["--uid", "-3"], "--uid: '-3' is not a user id, below 2**63"),
        (
            ["--gid", "4294967295"],
            "--gid: 4294967295 is too large (below 4294967295 expected)",
        ),
        (["--hostname", "a" * 65], "--hostname: at most 64 bytes expected"),
        (["--memory", "lots"], "--memory: 'lots' is not a size (512M, 2G, …)"),
        (["--memory", "1"], "--memory: '1' is not between 8M and 64G"),
        (["--memory", "65G"], "--memory: '65G' is not between 8M and 64G"),
        (["--timeout", "-1"], "--timeout: '-1' is not a number of seconds"),
        (["--timeout", "nan"], "--timeout: 'nan' is not a number of seconds"),
        (
            ["--max-instructions", "0"],
            "--max-instructions: '0' is not a number from 1 on, below 2**63",
        ),
        (["--seed", "x"], "--seed: 'x' is not a number from 0 on, below 2**63"),
        (["--seccomp-abi", "v0"], "unknown seccomp_abi 'v0' (there are: v1)"),
        (["--root", "/no/such"], "--root: /no/such: No such file or directory"),
        (["--root", "/dev/null"], "--root: /dev/null: not a directory"),
        (["--bind", "/no/such:/x"], "--bind: /no/such: No such file or directory"),
        (
            ["--bind", "/dev/null:/x"],
            "--bind: /dev/null: neither a directory nor a regular file",
        ),
        (
            ["--bind", "/tmp:x"],
            "--bind: '/tmp:x' is not HOST:GUEST[:rw] with an absolute GUEST path",
        ),
        (
            ["--bind", "/tmp"],
            "--bind: '/tmp' is not HOST:GUEST[:rw] with an absolute GUEST path",
        ),
        (["--trace=/no/such"], "--trace: /no/such: No such file or directory"),
        (["--trace-json", "/no/such"], "--trace-json: /no/such: No such file or directory"),
        (["--stats-json", "/"], "--stats-json: /: Is a directory"),
        (
            ["--filter", "x", "--filter-text", "x"],
            "--filter and --filter-text exclude each other",
        ),
        (["--nosuch"], "unrecognized arguments: --nosuch (see emukernel run --help)"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_values_that_are_no_good(
    emukernel: Run, tiny: Callable[[str], Path], options: list[str], message: str
) -> None:
    outcome = emukernel(tiny("f4"), options=options)
    assert outcome.status == 2
    assert outcome.err == f"emukernel run: {message}\n"


@pytest.mark.parametrize("options", [["--filter"], ["--uid"], ["--bind"], ["--trace-json"]])
def test_a_value_that_is_missing(emukernel: Run, options: list[str]) -> None:
    outcome = emukernel(options[0])
    assert outcome.status == 2
    assert outcome.err == (
        f"emukernel run: argument {options[0]}: expected one argument (see emukernel run --help)\n"
    )


def test_no_guest_at_all(emukernel: Run) -> None:
    for options in ([], ["--"], ["--trace"], ["--quiet", "--"]):
        outcome = emukernel("", options=options) if not options else emukernel(*options[-1:])
        assert outcome.status == 2
        assert len(outcome.err.splitlines()) == 1
