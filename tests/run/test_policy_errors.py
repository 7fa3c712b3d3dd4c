"""Errors in a policy: file, line, column, a caret, the reason, near misses; exit status 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]

BAD = """\
# a comment, and an empty line

sys_wirte: fd == 1
sys_write: fdd == 1
sys_exit_group 1
sys_read: fd === 2
sys_close: 1
"""


def test_every_error_of_a_file_is_told_with_its_place(
    emukernel: Run, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    path = tmp_path / "bad.policy"
    path.write_text(BAD)
    outcome = emukernel(tiny("f4"), options=["--filter", str(path)])
    assert outcome.status == 2
    assert outcome.out == ""
    lines = outcome.err.splitlines()
    heads, sources, carets = lines[0::3], lines[1::3], lines[2::3]
    assert [head.split(": ")[0].removeprefix(f"{path}:") for head in heads] == [
        *("3:1", "4:12", "5:1", "6:16")
    ]
    assert "did you mean 'sys_write'" in heads[0]
    assert "did you mean 'fd'" in heads[1]
    assert [source.strip() for source in sources] == BAD.splitlines()[2:6]
    assert [caret.index("^") - 4 for caret in carets] == [0, 11, 0, 15]


def test_errors_of_a_text_on_the_command_line(
    emukernel: Run, tiny: Callable[[str], Path]
) -> None:
    outcome = emukernel(tiny("f4"), options=["--filter-text", "sys_read: fd >< 1"])
    assert outcome.status == 2
    first, source, caret = outcome.err.splitlines()
    assert first.startswith("--filter-text:1:")
    assert source == "    sys_read: fd >< 1"
    assert caret.strip("^ ") == ""


def test_a_policy_file_that_can_not_be_read(
    emukernel: Run, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    for path, reason in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        outcome = emukernel(tiny("f4"), options=["--filter", str(path)])
        assert outcome.status == 2
        assert outcome.err.startswith(f"{path}: can't read it: {reason}")
        assert len(outcome.err.splitlines()) == 1


def test_comments_and_blank_lines_are_the_tools_alone(
    emukernel: Run, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    path = tmp_path / "ok.policy"
    path.write_text("# all it does\n\nsys_exit_group: error_code == 3  # three\n")
    program = tiny("bf03000000b8e70000000f05")  # exit_group(3)
    assert emukernel(program, options=["--filter", str(path)]).status == 3
    program = tiny("bf04000000b8e70000000f05")  # exit_group(4)
    outcome = emukernel(program, options=["--filter", str(path)])
    assert outcome.status == 137
    assert "error_code == 3 is false (error_code = 0x4)" in outcome.err


def test_calls_without_an_event_in_2_6_39(emukernel: Run, tiny: Callable[[str], Path]) -> None:
    options = ["--filter-text", "sys_execve: 1", "--no-ptregs-events"]
    outcome = emukernel(tiny("f4"), options=options)
    assert outcome.status == 2
    assert outcome.err.startswith("--filter-text:1:1: ")
