"""What is started, and what is said of what can't be."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def refused(outcome: Any) -> str:
    """The one line about a program that could not be started."""
    assert outcome.status == 2
    assert outcome.stdout == b""
    (line,) = outcome.err.splitlines()
    assert line.startswith("emukernel run: ")
    return str(line.removeprefix("emukernel run: "))


def test_names_that_lead_to_nothing(emukernel: Run, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert refused(emukernel(missing)) == f"{missing}: no such program"
    assert refused(emukernel("no-such-program")) == "no-such-program: no such program"
    assert refused(emukernel("")) == ": no such program"
    assert refused(emukernel(tmp_path)) == f"{tmp_path}: is a directory, not a program"
    os.mkfifo(tmp_path / "fifo", 0o755)
    assert refused(emukernel(tmp_path / "fifo")) == f"{tmp_path}/fifo: no such program"
    (tmp_path / "loop").symlink_to("loop")
    assert refused(emukernel(tmp_path / "loop")) == f"{tmp_path}/loop: no such program"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_the_user_may_not_read(emukernel: Run, tmp_path: Path) -> None:
    path = tmp_path / "closed"
    path.write_bytes(b"\x7fELF")
    path.chmod(0o111)
    assert refused(emukernel(path)) == f"{path}: Permission denied"


ELF64 = b"\x7fELF\2\1\1".ljust(16, b"\0")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello\n", "neither an ELF program nor a #! script"),
        (b"\x7fELF", "neither an ELF program nor a #! script"),
        (b"#!\n", "neither an ELF program nor a #! script"),
        (b"\x7fELF\1".ljust(64, b"\0"), "an ELF program for another machine, not for x86-64"),
        (
            (ELF64 + b"\2\0\xb7\0").ljust(64, b"\0"),
            "an ELF program for another machine, not for x86-64",
        ),
        ((ELF64 + b"\1\0\x3e\0").ljust(64, b"\0"), "an ELF file, but not a program"),
        ((ELF64 + b"\2\0\x3e\0").ljust(64, b"\0"), "a damaged ELF program"),
        (ELF64 + b"\2\0\x3e\0", "a damaged ELF program"),
    ],
)
def test_files_that_are_no_programs(
    emukernel: Run, tmp_path: Path, data: bytes, reason: str
) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    path.chmod(0o755)
    assert refused(emukernel(path)) == f"{path}: {reason}"


def test_a_program_must_be_executable(emukernel: Run, ends: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copyfile(ends, copy)
    copy.chmod(0o644)
    assert refused(emukernel(copy)) == f"{copy}: not executable (chmod +x)"
    copy.chmod(0o700)
    assert emukernel(copy, ["exit", "4"]).status == 4


def test_a_dynamic_program_names_its_interpreter(
    emukernel: Run, guest_source: Callable[..., Path], tmp_path: Path
) -> None:
    text = "int main(void) { return 5; }"
    try:
        program = guest_source(text, libc="glibc", name="dynamic", flags=())
    except RuntimeError:
        pytest.skip("no dynamic programs can be linked")
    assert refused(emukernel(program)) == (
        f"{program}: dynamically linked: its interpreter /lib64/ld-linux-x86-64.so.2 is not in "
        "the guest's tree (link it statically, or give a root that has it with --root DIR)"
    )


def test_scripts(emukernel: Run, ends: Path, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/interpreter args\n")
    script.chmod(0o755)
    assert refused(emukernel(script)) == (
        f"{script}: its interpreter /bin/interpreter is not a program in the guest's tree (show "
        "it with --bind HOST:GUEST, or give a root that has it with --root DIR)"
    )
    bind = f"{ends}:/bin/interpreter"
    outcome = emukernel(script, ["one", "two"], options=["--bind", bind])
    assert outcome.status == 0
    assert outcome.out.splitlines() == ["/bin/interpreter", "args", str(script), "one", "two"]


def test_a_name_without_a_slash_is_looked_for_along_path(
    emukernel: Run, ends: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(ends.parent), prepend=":")
    outcome = emukernel("ends", ["args"])
    assert outcome.out.splitlines() == ["ends", "args"]


def test_with_a_root_a_name_in_its_tree_comes_first(
    emukernel: Run, ends: Path, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    shutil.copy(ends, tmp_path / "bin" / "ends")
    for name in ("/bin/ends", "ends"):
        outcome = emukernel(name, ["exit", "9"], options=["--root", str(tmp_path)])
        assert outcome.status == 9


def test_strange_names_and_arguments_arrive_as_they_are(
    emukernel: Run, ends: Path, tmp_path: Path
) -> None:
    program = tmp_path / "we ird\nnäme"
    shutil.copy(ends, program)
    outcome = emukernel(program, ["args", "", "a b", "--trace", "é"])
    assert outcome.out == f"{program}\nargs\n\na b\n--trace\né\n"


def test_two_dashes_end_the_options(emukernel: Run, ends: Path) -> None:
    assert emukernel(ends, ["exit", "4"], options=["--"]).status == 4


def test_argv0(emukernel: Run, ends: Path) -> None:
    assert emukernel(ends, ["args"], options=["--argv0", "other"]).out == "other\nargs\n"


def test_a_user_who_can_not_reach_the_program(
    emukernel: Run, ends: Path, tmp_path: Path
) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    shutil.copy(ends, tmp_path / "closed" / "ends")
    options = ["--root", str(tmp_path), "--uid", "1234567"]
    if os.geteuid() != 0:
        pytest.skip("only root's files are closed to that user")
    assert refused(emukernel("/closed/ends", options=options)) == (
        "/closed/ends: user 1234567 can't reach /closed/ends in the guest's tree (show it "
        "elsewhere with --bind HOST:GUEST)"
    )
