"""Nothing of the host can be reached but what --root and --bind grant, whatever a guest tries."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from guest_run import PROJECT

Run = Callable[..., Any]
SECRET = "the host's secret"

RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT = 4, 8, 16


@pytest.fixture
def host(tmp_path: Path, files: Path) -> Path:
    """A host tree: `root` to be granted, and beside it `secret`, which is not."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text(SECRET)
    (outside / "inner").mkdir()
    (outside / "inner" / "secret").write_text(SECRET)
    root = tmp_path / "root"
    (root / "dir" / "deep").mkdir(parents=True)
    (root / "bin").mkdir()
    (root / "file").write_text("granted")
    (root / "dir" / "file").write_text("granted too")
    shutil.copy(files, root / "bin" / "files")
    (root / "absolute").symlink_to(outside / "secret")
    (root / "relative").symlink_to("../outside/secret")
    (root / "dir" / "up").symlink_to("../../outside")
    (root / "chain").symlink_to("dir/up")
    (root / "all").symlink_to("/")
    (root / "parents").symlink_to("../../../../../../../../../..")
    return tmp_path


def attempts(outside: Path) -> list[str]:
    """Paths by which a guest could hope to get out."""
    name = str(outside / "secret")
    up = "/.." * 12
    return [
        name,
        up + name,
        "/dir" + up + name,
        "/absolute",
        "/relative",
        "/dir/up/secret",
        "/dir/deep/../up/secret",
        "/chain/secret",
        "/all" + name,
        "/parents" + name,
        "/proc/self/root" + name,
        "/proc/self/root/.." + name,
        "/proc/self/cwd" + up + name,
        "/proc/1/root" + name,
        "/proc/100/root" + name,
        "/proc/thread-self/root" + name,
        "/proc/self/fd/3" + up + name,
        "/proc/self/fd/3/../../.." + name,
        "/proc/self/task/100/root" + name,
        "/proc/self/map_files/.." + name,
        "/dev/fd/3" + up + name,
    ]


@pytest.mark.parametrize("how", ["root", "bind", "bind-rw", "nothing"])
def test_no_path_leads_out(emukernel: Run, files: Path, host: Path, how: str) -> None:
    outside = host / "outside"
    paths = attempts(outside)
    options = {
        "root": ["--root", f"{host}/root"],
        "bind": ["--bind", f"{host}/root:/granted", "--cwd", "/granted/dir"],
        "bind-rw": ["--bind", f"{host}/root:/granted:rw", "--cwd", "/granted/dir"],
        "nothing": [],
    }[how]
    if how.startswith("bind"):
        paths += ["/granted" + path for path in paths]
        paths += ["../absolute", "up/secret", "../../.." + str(outside / "secret")]
    arguments = ["opendir", "/"]
    for path in paths:
        arguments += ["read", path]
    name = str(outside / "secret")
    resolves = (0, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT)
    relative = (".." + name, name, "absolute", "dir/up/secret")
    tries = [(path, flags) for path in relative for flags in resolves]
    for path, flags in tries:
        arguments += ["at", "3", path, "how", "3", path, str(flags)]
    program = "/bin/files" if how == "root" else files
    outcome = emukernel(program, arguments, options=options)
    assert outcome.status == 0
    lines = outcome.out.splitlines()
    assert lines[0] == "3"
    assert len(lines) == 1 + len(paths) + 2 * len(tries)
    assert set(lines[1:]) <= {"ENOENT", "ELOOP", "EXDEV", "EACCES", "ENOTDIR", "EPERM"}


def test_a_chroot_is_no_way_out(emukernel: Run, host: Path) -> None:
    name = str(host / "outside" / "secret")
    up = "../" * 12
    arguments = ["opendir", "/", "mkdir", "/jail", "chroot", "/jail", "fchdir", "3"]
    arguments += ["chdir", up, "read", "." + name, "chroot", ".", "read", name, "read", "/file"]
    outcome = emukernel("/bin/files", arguments, options=["--root", f"{host}/root"])
    assert outcome.out.splitlines()[-3:] == ["ok", "ENOENT", "[granted]"]


def test_links_that_the_guest_makes_stay_in_its_tree(
    emukernel: Run, files: Path, host: Path
) -> None:
    secret = str(host / "outside" / "secret")
    arguments = ["symlink", secret, "/g/made", "read", "/g/made"]
    arguments += ["symlink", "../outside/secret", "/g/made2", "read", "/g/made2"]
    arguments += ["link", secret, "/g/hard", "read", "/g/hard"]
    arguments += ["rename", "/g/file", "/tmp/file", "link", "/g/file", "/tmp/file"]
    outcome = emukernel(files, arguments, options=["--bind", f"{host}/root:/g:rw"])
    assert outcome.out.splitlines() == [
        *("ok", "ENOENT", "ok", "ENOENT", "ENOENT", "ENOENT", "EXDEV", "EXDEV")
    ]
    assert os.readlink(host / "root" / "made") == secret


@pytest.mark.parametrize("mode", ["", ":rw"])
def test_a_link_that_the_host_swaps_in_is_not_followed(
    ends: Path, files: Path, host: Path, mode: str
) -> None:
    """The directory and the file are known to the machine before they turn into links."""
    root, outside = host / "root", host / "outside"
    (root / "dir" / "secret").write_text("granted")
    known = ["read", "/g/dir/secret", "read", "/g/file", "opendir", "/g/dir", "stat", "/g/dir/deep"]
    again = ["read", "/g/dir/secret", "read", "/g/file", "at", "3", "../outside/secret"]
    again += ["read", "/g/dir/deep/secret", "write", "/g/dir/secret", "x", "add", "/g/file", "x"]
    command = [sys.executable, "-m", "emukernel", "run", "--bind", f"{root}:/g{mode}"]
    with subprocess.Popen(
        [*command, str(files), *known, "wait", *again],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5)]
        assert lines[:3] == ["[granted]\n", "[granted]\n", "3\n"]
        assert lines[4] == "waiting\n"
        (root / "dir" / "deep").rmdir()
        (root / "dir" / "deep").symlink_to(outside / "inner")
        (root / "dir").rename(host / "moved")
        (root / "dir").symlink_to(outside)
        (root / "file").unlink()
        (root / "file").symlink_to(outside / "secret")
        rest, _ = process.communicate("go\n", timeout=30)
    assert process.returncode == 0
    assert SECRET not in rest
    assert (outside / "secret").read_text() == SECRET


def test_special_files_of_the_host_are_not_opened(
    emukernel: Run, files: Path, host: Path
) -> None:
    root = host / "root"
    os.mkfifo(root / "fifo")
    names = ["fifo"]
    if os.geteuid() == 0:
        # The host's /dev/zero under a name of its own; opened, it would have bytes to read.
        try:
            os.mknod(root / "device", stat.S_IFCHR | 0o666, os.makedev(1, 5))
            names.append("device")
        except PermissionError:
            pass
    for name in names:
        outcome = emukernel(
            files, ["read", f"/g/{name}"], options=["--bind", f"{root}:/g", "--timeout", "5"]
        )
        # A FIFO without a writer sleeps for ever, in the machine.
        assert outcome.status in (0, 124, 125)
        assert "\0" not in outcome.out


def test_devices_and_proc_are_the_machines_own(emukernel: Run, files: Path) -> None:
    arguments = ["read", "/proc/version", "read", "/dev/mem", "read", "/proc/kcore"]
    arguments += ["read", f"/proc/{os.getpid()}/stat", "list", "/dev", "list", "/home"]
    text = emukernel(files, arguments).out.replace("\n]", "]")
    version, mem, kcore, other, devices, home = text.splitlines()
    assert "emukernel" in version
    assert (mem, kcore, other) == ("ENOENT", "ENOENT", "ENOENT")
    assert "zero" in devices.split()
    assert not set(devices.split()) & {"sda", "vda", "mem", "kvm", "fuse"}
    assert home == ""


def test_the_hosts_descriptors_are_not_inherited(emukernel: Run, files: Path, host: Path) -> None:
    fd = os.open(host / "outside" / "secret", os.O_RDONLY)
    try:
        os.set_inheritable(fd, True)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "emukernel", "run", str(files), "list", "/proc/self/fd"),
                *("read", f"/proc/self/fd/{fd}", "read", f"/dev/fd/{fd}"),
            ],
            cwd=PROJECT,
            pass_fds=[fd],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(fd)
    assert done.stdout.splitlines()[1:] == ["ENOENT", "ENOENT"]
    assert SECRET not in done.stdout
