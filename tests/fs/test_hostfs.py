"""Host directories in the guest's tree: what shows, what stays on this side, what can't be left."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from vfs_tasks import Caller, make_kernel, make_task


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A small host tree, next to a file that must stay out of reach."""
    (tmp_path / "secret").write_text("secret")
    root = tmp_path / "root"
    (root / "d" / "e").mkdir(parents=True)
    (root / "f").write_bytes(b"0123456789" * 1000)
    (root / "d" / "g").write_text("G")
    os.link(root / "f", root / "hard")
    (root / "absolute").symlink_to(tmp_path / "secret")
    (root / "d" / "up").symlink_to("../../secret")
    (root / "link").symlink_to("/d/g")
    os.mkfifo(root / "fifo")
    return root


def snapshot(root: Path) -> dict[str, Any]:
    """All that the host can see of a tree."""
    found: dict[str, Any] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        text = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_nlink, text)
    return found


def error(call: Any, *args: Any) -> str:
    with pytest.raises(OSError) as caught:
        call(*args)
    return str(caught.value.args[1])


@pytest.fixture
def inside(host: Path) -> Caller:
    """A guest whose root is the host tree."""
    return Caller(make_task(make_kernel(root=str(host))))


def test_the_tree_shows(inside: Caller) -> None:
    assert {b"d", b"f", b"hard", b"fifo", b"dev", b"proc", b"tmp"} <= set(inside.names(b"/"))
    assert inside.cat(b"/f") == b"0123456789" * 1000
    assert inside.cat(b"/link") == b"G"


@pytest.mark.parametrize(
    "name",
    [
        b"/absolute",
        b"/d/up",
        b"/../secret",
        b"/d/../../secret",
        b"/proc/self/root/../secret",
        b"/proc/self/cwd/../../secret",
    ],
)
def test_nothing_leads_out(inside: Caller, name: bytes) -> None:
    assert error(inside.open, name, 0) == "ENOENT"


def test_special_files_are_looked_at_only(inside: Caller) -> None:
    inside.stat(b"/fifo", inside.alloc(144))
    assert error(inside.open, b"/fifo", 0) == "ENXIO"


def test_changes_stay_in_memory(host: Path, inside: Caller) -> None:
    before = snapshot(host)
    fd = inside.open(b"/f", 2)
    inside.pwrite64(fd, inside.put(b"changed"), 7, 4093)
    assert inside.cat(b"/hard")[4090:4103] == b"012changed012"
    inside.ftruncate(fd, 10)
    inside.ftruncate(fd, 20)
    assert inside.cat(b"/f") == b"0123456789" + bytes(10)
    inside.unlink(b"/d/g")
    assert error(inside.open, b"/d/g", 0) == "ENOENT"
    inside.make(b"/d/new", b"N")
    inside.mkdir(b"/d/e/sub", 0o755)
    inside.rename(b"/d", b"/moved")
    assert inside.names(b"/moved") == [b"e", b"new", b"up"]
    assert inside.names(b"/moved/e") == [b"sub"]
    assert error(inside.stat, b"/d", inside.alloc(144)) == "ENOENT"
    assert error(inside.rmdir, b"/moved") == "ENOTEMPTY"
    inside.chmod(b"/hard", 0o600)
    inside.unlink(b"/hard")
    inside.symlink(b"x", b"/moved/s")
    assert snapshot(host) == before


def test_reading_large_files_takes_no_memory(host: Path) -> None:
    with open(host / "large", "wb") as file:
        file.truncate(100 << 20)
    kernel = make_kernel(16 << 20, root=str(host))
    sys = Caller(make_task(kernel))
    fd = sys.open(b"/large", 0)
    buffer = sys.alloc(65536)
    sys.read(fd, buffer, 65536)
    before = kernel.memory.free_frames
    while sys.read(fd, buffer, 65536):
        pass
    assert kernel.memory.free_frames == before


def test_host_descriptors_are_few(host: Path) -> None:
    deep = host
    for i in range(200):
        deep = deep / str(i)
    deep.mkdir(parents=True)
    (deep / "f").write_text("deep")
    kernel = make_kernel(root=str(host))
    sys = Caller(make_task(kernel))
    name = b"/" + b"/".join(b"%d" % i for i in range(200)) + b"/f"
    assert sys.cat(name) == b"deep"
    assert len(kernel.vfs.mounts[0].sb.fds) <= 64


class TestWritableBind:
    @pytest.fixture
    def sys(self, host: Path) -> Caller:
        binds = ((str(host / "d"), "/mnt/rw", True), (str(host / "f"), "/one/file", False))
        return Caller(make_task(make_kernel(binds=binds)))

    def test_writes_reach_the_host(self, host: Path, sys: Caller) -> None:
        sys.make(b"/mnt/rw/w", b"data", 0o640)
        assert (host / "d" / "w").read_text() == "data"
        assert (host / "d" / "w").stat().st_mode & 0o777 == 0o640
        sys.mkdir(b"/mnt/rw/m", 0o700)
        sys.rename(b"/mnt/rw/w", b"/mnt/rw/m/w2")
        assert (host / "d" / "m" / "w2").read_text() == "data"
        sys.truncate(b"/mnt/rw/m/w2", 2)
        assert (host / "d" / "m" / "w2").read_text() == "da"

    def test_open_files_outlive_their_names(self, host: Path, sys: Caller) -> None:
        fd = sys.open(b"/mnt/rw/g", 2)
        sys.unlink(b"/mnt/rw/g")
        assert not (host / "d" / "g").exists()
        assert sys.read_bytes(fd, 9) == b"G"
        sys.close(fd)

    def test_no_set_id_bits_and_no_devices(self, host: Path, sys: Caller) -> None:
        sys.chmod(b"/mnt/rw/g", 0o6755)
        assert (host / "d" / "g").stat().st_mode & 0o7777 == 0o755
        assert error(sys.mknod, b"/mnt/rw/dev", 0o20666, 0x103) == "EPERM"

    def test_it_can_not_be_left(self, sys: Caller) -> None:
        assert error(sys.open, b"/mnt/rw/up", 0) == "ENOENT"
        assert error(sys.open, b"/mnt/rw/../../secret", 0) == "ENOENT"

    def test_a_single_file(self, host: Path, sys: Caller) -> None:
        assert sys.cat(b"/one/file")[:10] == b"0123456789"
        fd = sys.open(b"/one/file", 2)
        sys.write_bytes(fd, b"mine")
        assert sys.cat(b"/one/file")[:10] == b"mine456789"
        assert (host / "f").read_bytes()[:10] == b"0123456789"


def test_cached_pages_are_kept_until_memory_is_short(host: Path, inside: Caller) -> None:
    from emukernel.kernel.fs.hostfs import shrink_page_cache

    kernel = inside.task.kernel
    inside.put(b"touches the user memory")
    before = kernel.memory.free_frames + kernel.slab.frames
    fd = inside.open(b"/f", 0)
    mapping = inside.task.files.get(fd).mapping
    frame = mapping.get_page(1)
    assert bytes(kernel.memory.page(frame)[:8]) == b"67890123"
    assert bytes(kernel.memory.page(mapping.get_page(2))[-9:]) == bytes(9)
    inside.close(fd)
    del mapping
    again = inside.open(b"/hard", 0)
    assert inside.task.files.get(again).mapping.pages[1] == frame
    assert shrink_page_cache(kernel) == 2
    assert kernel.memory.free_frames + kernel.slab.frames >= before
    inside.close(again)
