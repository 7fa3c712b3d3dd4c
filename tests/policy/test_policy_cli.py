"""`emukernel policy check`: the list, the JSON, exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emukernel.cli.policy import main

TEXT = """\
sys_write: fd == 1
sys_write: count < 16
sys_close: fd != 3
sys_getpid: 1
sys_getpid: 0
"""


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "x.policy"
    path.write_text(TEXT)
    return str(path)


def test_the_list(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", policy]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out == (
        f"{policy}: 2 entries; enforced from the next execve on (on_next_syscall: 0)\n"
        "  NR  NAME       EVENT            EXPRESSION\n"
        "   1  sys_write  sys_enter_write  (fd == 1) && (count < 16)\n"
        "   3  sys_close  sys_enter_close  fd != 3\n"
        "      note: fd is compared as 64 bits, but the call takes the low 32 (unsigned int): "
        "0x100000003 passes and the call sees 3\n"
        "  note: line 4: without effect, a line refuses sys_getpid\n"
        "  note: line 5: sys_getpid is refused\n"
        "  note: neither sys_exit nor sys_exit_group has an entry: a program can't end itself\n"
    )


def test_an_empty_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "e"
    path.write_text("on_next_syscall: 1\n")
    assert main(["check", str(path)]) == 0
    first, *_ = capsys.readouterr().out.split("\n")
    assert first.endswith("0 entries; enforced from the next system call on (on_next_syscall: 1)")


def test_json(policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "missing")
    assert main(["check", "--json", policy, missing]) == 2
    good, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert (good["file"], good["ok"], good["on_next_syscall"]) == (policy, True, False)
    assert good["entries"][0] == {
        "nr": 1,
        "name": "sys_write",
        "event": "sys_enter_write",
        "expression": "(fd == 1) && (count < 16)",
        "always": False,
        "lines": [1, 2],
        "notes": [],
    }
    assert len(good["entries"][1]["notes"]) == 1 and len(good["notes"]) == 3
    message = "can't read it: No such file or directory"
    error = {"line": 0, "column": 0, "length": 1, "message": message}
    assert bad == {"file": missing, "ok": False, "errors": [error]}


def test_errors_go_to_stderr(
    policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad"
    bad.write_text("sys_read: fd == 0\nsys_raed: 1\n")
    assert main(["check", str(bad), policy]) == 2
    out, err = capsys.readouterr()
    assert out.startswith(f"{policy}: 2 entries")
    head, line, mark = err.splitlines()
    assert head.startswith(f"{bad}:2:1: unknown call 'sys_raed' (did you mean 'sys_read'")
    assert (line, mark) == ("    sys_raed: 1", "    ^^^^^^^^")


def test_ptregs_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p"
    path.write_text("sys_execve: 1\nsys_exit: 1\n")
    assert main(["check", str(path)]) == 0
    assert main(["check", "--no-ptregs-events", str(path)]) == 2
    assert "sys_execve has no event in 2.6.39" in capsys.readouterr().err


def test_a_file_name_that_is_no_text(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "x\udcff\n.policy"
    path.write_text("sys_exit: 1\n")
    assert main(["check", str(path)]) == 0
    assert "x\\xff\\x0a.policy: 1 entry" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [[], ["check"], ["chek", "x"], ["check", "--frob", "x"]])
def test_bad_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("emukernel policy")


@pytest.mark.parametrize("argv", [["--help"], ["check", "--help"]])
def test_help_has_examples(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 0
    assert "emukernel policy check cat.policy" in capsys.readouterr().out
