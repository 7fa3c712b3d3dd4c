"""The in-memory file system: contents, space, and what is given back."""

from __future__ import annotations

from typing import Any

import pytest
from vfs_tasks import Caller, make_kernel, make_task

O_RDWR, O_CREAT, O_TMPFILE, O_EXCL = 0o2, 0o100, 0o20200000, 0o200
SEEK_DATA, SEEK_HOLE = 3, 4
AT_EMPTY_PATH = 0x1000


def error(call: Any, *args: Any) -> str:
    """The name of the error that a call fails with."""
    with pytest.raises(OSError) as caught:
        call(*args)
    return str(caught.value.args[1])


def test_sparse_files_take_only_the_pages_written(kernel: Any, sys: Caller) -> None:
    sys.put(b"touches the user memory")
    before = kernel.memory.free_frames
    fd = sys.open(b"/tmp/sparse", O_RDWR | O_CREAT, 0o644)
    sys.lseek(fd, 1 << 40, 0)
    sys.write_bytes(fd, b"end")
    assert before - kernel.memory.free_frames <= 2
    assert sys.lseek(fd, 0, SEEK_DATA) == 1 << 40
    assert sys.lseek(fd, 1 << 40, SEEK_HOLE) == (1 << 40) + 3
    sys.lseek(fd, (1 << 40) - 4, 0)
    assert sys.read_bytes(fd, 100) == bytes(4) + b"end"


def test_bytes_across_pages_come_back(sys: Caller) -> None:
    data = bytes(i * 7 & 255 for i in range(20_000))
    fd = sys.open(b"/tmp/f", O_RDWR | O_CREAT, 0o644)
    for start in range(0, len(data), 1111):
        sys.write_bytes(fd, data[start : start + 1111])
    assert sys.cat(b"/tmp/f") == data
    sys.ftruncate(fd, 5000)
    sys.ftruncate(fd, 9000)
    assert sys.cat(b"/tmp/f") == data[:5000] + bytes(4000)


def test_a_hole_punched_is_zeros_and_frees_pages(kernel: Any, sys: Caller) -> None:
    sys.make(b"/tmp/f", b"x" * 40_960)
    fd = sys.open(b"/tmp/f", O_RDWR)
    before = kernel.memory.free_frames
    sys.fallocate(fd, 3, 1000, 20_000)
    assert kernel.memory.free_frames == before + 4
    assert sys.cat(b"/tmp/f") == b"x" * 1000 + bytes(20_000) + b"x" * 19_960


def test_all_frames_come_back(kernel: Any, sys: Caller) -> None:
    sys.make(b"/tmp/warm", b"x" * 65536)
    sys.unlink(b"/tmp/warm")
    before = kernel.memory.free_frames
    sys.make(b"/tmp/a", b"x" * 50_000)
    sys.link(b"/tmp/a", b"/tmp/b")
    sys.unlink(b"/tmp/a")
    fd = sys.open(b"/tmp/b", O_RDWR)
    sys.unlink(b"/tmp/b")
    assert kernel.memory.free_frames == before - 13
    assert sys.read_bytes(fd, 3) == b"xxx"
    sys.close(fd)
    assert kernel.memory.free_frames == before


def test_a_full_file_system_is_enospc() -> None:
    kernel = make_kernel(16 << 20)
    sys = Caller(make_task(kernel))
    fd = sys.open(b"/tmp/f", O_RDWR | O_CREAT, 0o644)
    data = sys.put(b"x" * 65536)
    written = 0
    with pytest.raises(OSError, match="ENOSPC"):
        while True:
            written += sys.write(fd, data, 65536)
    assert written == kernel.vfs.mounts[0].sb.max_blocks * 4096 - 4096 * 2
    sys.close(fd)
    sys.unlink(b"/tmp/f")
    sys.make(b"/tmp/f", b"room again")


def test_inodes_are_bounded() -> None:
    sys = Caller(make_task(make_kernel(4 << 20)))
    with pytest.raises(OSError, match="ENOSPC"):
        for i in range(1000):
            sys.mkdir(b"/tmp/%d" % i, 0o755)


def test_a_nameless_file_gets_a_name(sys: Caller) -> None:
    fd = sys.open(b"/tmp", O_TMPFILE | O_RDWR, 0o600)
    sys.write_bytes(fd, b"data")
    assert sys.names(b"/tmp") == []
    sys.linkat(fd, b"", -100, b"/tmp/named", AT_EMPTY_PATH)
    assert sys.cat(b"/tmp/named") == b"data"
    closed = sys.open(b"/tmp", O_TMPFILE | O_RDWR | O_EXCL, 0o600)
    assert error(sys.linkat, closed, b"", -100, b"/tmp/no", AT_EMPTY_PATH) == "ENOENT"


def test_the_file_size_limit_signals(sys: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(
        "emukernel.kernel.signal.send.send_sig", lambda sig, task: sent.append(sig)
    )
    sys.task.rlimits[1] = [5000, 5000]
    fd = sys.open(b"/tmp/f", O_RDWR | O_CREAT, 0o644)
    assert sys.write_bytes(fd, b"x" * 6000) == 5000
    assert error(sys.write_bytes, fd, b"x") == "EFBIG"
    assert error(sys.ftruncate, fd, 5001) == "EFBIG"
    assert sent == [25, 25]


def test_a_running_program_is_not_written_to(kernel: Any, sys: Caller) -> None:
    from emukernel.kernel.errno import ETXTBSY, Errno
    from emukernel.kernel.fs.filp_open import close_exec, open_exec

    sys.make(b"/tmp/prog", b"\x7fELF", 0o755)
    file = open_exec(sys.task, b"/tmp/prog")
    assert file.read_at(sys.task, 1, 100) == b"ELF"
    assert error(sys.open, b"/tmp/prog", O_RDWR) == "ETXTBSY"
    assert error(sys.truncate, b"/tmp/prog", 0) == "ETXTBSY"
    close_exec(file)
    fd = sys.open(b"/tmp/prog", O_RDWR)
    with pytest.raises(Errno) as caught:
        open_exec(sys.task, b"/tmp/prog")
    assert caught.value.errno == ETXTBSY
    sys.close(fd)


def test_reads_and_writes_stop_at_bad_memory(sys: Caller) -> None:
    from vfs_tasks import ARENA, ARENA_SIZE

    sys.make(b"/tmp/f", b"abcdefgh" * 1000)
    fd = sys.open(b"/tmp/f", O_RDWR)
    end = ARENA + ARENA_SIZE
    assert sys.read(fd, end - 5, 100) == 5
    assert error(sys.read, fd, end, 100) == "EFAULT"
    assert error(sys.read, fd, (1 << 64) - 8, 100) == "EFAULT"
    assert sys.lseek(fd, 0, 1) == 5
    assert sys.write(fd, end - 3, 100) == 3
    assert error(sys.write, fd, end, 1) == "EFAULT"
    assert sys.lseek(fd, 0, 1) == 8


def test_directory_reading_survives_removal(sys: Caller) -> None:
    sys.mkdir(b"/tmp/d", 0o755)
    names = [b"f%03d" % i for i in range(300)]
    for name in names:
        sys.make(b"/tmp/d/" + name)
    fd = sys.open(b"/tmp/d", 0o200000)
    buffer = sys.alloc(512)
    seen = []
    while size := sys.getdents64(fd, buffer, 512):
        data = sys.get(buffer, size)
        at = 0
        while at < size:
            length = int.from_bytes(data[at + 16 : at + 18], "little")
            name = data[at + 19 : at + length].rstrip(b"\0")
            at += length
            if name.startswith(b"f"):
                seen.append(name)
                sys.unlink(b"/tmp/d/" + name)
    assert sorted(seen) == names
    sys.rmdir(b"/tmp/d")
    assert error(sys.getdents64, fd, buffer, 512) == "ENOENT"
