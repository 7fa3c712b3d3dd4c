"""--root and --bind: what the guest changes stays in memory, except under :rw."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def tree(tmp_path: Path, files: Path) -> Path:
    """A host directory with a few files and the test program."""
    root = tmp_path / "tree"
    (root / "bin").mkdir(parents=True)
    (root / "dir").mkdir()
    shutil.copy(files, root / "bin" / "files")
    (root / "a").write_text("A")
    (root / "dir" / "b").write_text("B")
    (root / "dir" / "link").symlink_to("../a")
    return root


def shape(root: Path) -> dict[str, Any]:
    """All that a host program could notice."""
    found = {}
    for path in [root, *sorted(root.rglob("*"))]:
        status = path.lstat()
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        identity = status.st_mode, status.st_nlink, status.st_ino
        found[str(path)] = (*identity, status.st_mtime_ns, data)
    return found


CHANGES = [
    *("write", "/a", "new", "read", "/a"),
    *("add", "/dir/b", "+", "read", "/dir/b"),
    *("write", "/dir/new", "N", "mkdir", "/dir/sub", "rename", "/dir/new", "/dir/sub/moved"),
    *("read", "/dir/sub/moved", "unlink", "/dir/link", "read", "/dir/link"),
    *("chmod", "/a", "600", "stat", "/a", "link", "/a", "/hard", "read", "/hard"),
    *("rename", "/dir", "/other", "read", "/other/b", "list", "/other"),
]


def test_a_roots_changes_stay_in_memory(emukernel: Run, tree: Path) -> None:
    before = shape(tree)
    outcome = emukernel("/bin/files", CHANGES, options=["--root", str(tree)])
    assert outcome.out.splitlines() == [
        *("ok", "[new]", "ok", "[B+]", "ok", "ok", "ok", "[N]", "ok", "ENOENT"),
        *("ok", "100600 3", "ok", "[new]", "ok", "[B+]", "b sub"),
    ]
    assert shape(tree) == before
    assert emukernel("/bin/files", ["read", "/a"], options=["--root", str(tree)]).out == "[A]\n"


def test_a_bind_without_rw_stays_in_memory_too(emukernel: Run, files: Path, tree: Path) -> None:
    before = shape(tree)
    arguments = ["write", "/g/a", "new", "read", "/g/a", "unlink", "/g/dir/b", "list", "/g/dir"]
    outcome = emukernel(files, arguments, options=["--bind", f"{tree}:/g"])
    assert outcome.out.splitlines() == ["ok", "[new]", "ok", "link"]
    assert shape(tree) == before


def test_a_writable_bind_reaches_the_host(emukernel: Run, files: Path, tree: Path) -> None:
    arguments = ["write", "/g/a", "new", "add", "/g/dir/b", "+", "write", "/g/n", "N"]
    arguments += ["mkdir", "/g/sub", "rename", "/g/n", "/g/sub/n", "unlink", "/g/dir/link"]
    arguments += ["symlink", "/g/a", "/g/s", "read", "/g/s", "chmod", "/g/a", "600"]
    outcome = emukernel(files, arguments, options=["--bind", f"{tree}:/g:rw"])
    assert outcome.out.splitlines() == ["ok"] * 7 + ["[new]", "ok"]
    assert (tree / "a").read_text() == "new"
    assert (tree / "a").stat().st_mode & 0o777 == 0o600
    assert (tree / "dir" / "b").read_text() == "B+"
    assert (tree / "sub" / "n").read_text() == "N"
    assert not (tree / "dir" / "link").is_symlink()
    assert os.readlink(tree / "s") == "/g/a"


def test_a_single_file_can_be_bound(emukernel: Run, files: Path, tree: Path) -> None:
    arguments = ["read", "/etc/b", "write", "/etc/b", "x", "read", "/etc/b"]
    outcome = emukernel(files, arguments, options=["--bind", f"{tree}/dir/b:/etc/b"])
    assert outcome.out.splitlines() == ["[B]", "ok", "[x]"]
    assert (tree / "dir" / "b").read_text() == "B"
    outcome = emukernel(files, arguments, options=["--bind", f"{tree}/dir/b:/etc/b:rw"])
    assert outcome.out.splitlines() == ["[B]", "ok", "[x]"]
    assert (tree / "dir" / "b").read_text() == "x"


def test_binds_stand_in_a_root(emukernel: Run, tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "c").write_text("C")
    options = ["--root", str(tree), "--bind", f"{other}:/dir", "--bind", f"{other}:/new/deep"]
    outcome = emukernel("/bin/files", ["list", "/dir", "read", "/new/deep/c"], options=options)
    assert outcome.out.splitlines() == ["c", "[C]"]
    assert not (tree / "new").exists()


def test_the_machines_own_folders_are_in_every_root(emukernel: Run, tree: Path) -> None:
    arguments = ["read", "/proc/self/comm", "stat", "/dev/null", "write", "/tmp/x", "y"]
    outcome = emukernel("/bin/files", arguments, options=["--root", str(tree)])
    assert outcome.out.splitlines() == ["[files", "]", "20666 0", "ok"]
    assert not (tree / "tmp").exists()
