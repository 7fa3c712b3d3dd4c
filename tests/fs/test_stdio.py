"""Standard descriptors: host pipes, files and memory; blocking; and readiness."""

from __future__ import annotations

import os
from pathlib import Path
from struct import pack, unpack
from typing import Any

import pytest
from vfs_tasks import Caller, make_kernel, make_task

from emukernel.kernel.fs.init import captured_output
from emukernel.kernel.fs.stdio import HostStream, setup_stdio
from emukernel.kernel.wait import Blocked, HostReadable, HostWritable

POLLIN, POLLOUT, POLLHUP, POLLNVAL = 1, 4, 16, 32
S_IFMT, S_IFIFO, S_IFREG, S_IFCHR = 0o170000, 0o010000, 0o100000, 0o020000


def error(call: Any, *args: Any) -> str:
    with pytest.raises(OSError) as caught:
        call(*args)
    return str(caught.value.args[1])


def mode(sys: Caller, fd: int) -> int:
    buffer = sys.alloc(144)
    sys.fstat(fd, buffer)
    value: int = unpack("<I", sys.get(buffer + 24, 4))[0]
    return value


def with_streams(*fds: int) -> Caller:
    """A task over these host descriptors."""
    task = make_task(make_kernel())
    task.files.close_all()
    setup_stdio(task.kernel, task, [HostStream(fd) for fd in fds])
    return Caller(task)


def poll(sys: Caller, *asked: tuple[int, int], timeout: int = 0) -> list[int]:
    at = sys.put(b"".join(pack("<ihh", fd, events, 0) for fd, events in asked))
    sys.poll(at, len(asked), timeout)
    return [unpack("<ihh", sys.get(at + i * 8, 8))[2] for i in range(len(asked))]


def test_captured_streams() -> None:
    kernel = make_kernel(stdin=b"some input")
    sys = Caller(make_task(kernel))
    assert mode(sys, 0) & S_IFMT == S_IFIFO
    assert sys.read_bytes(0, 4) == b"some"
    assert sys.read_bytes(0, 100) == b" input"
    assert sys.read_bytes(0, 100) == b""
    sys.write_bytes(1, b"out")
    sys.write_bytes(2, b"err")
    assert error(sys.write_bytes, 0, b"x") == "EBADF"
    assert error(sys.lseek, 1, 0, 0) == "ESPIPE"
    assert captured_output(kernel) == (b"out", b"err")


def test_a_host_pipe_blocks_until_there_is_something() -> None:
    read_end, write_end = os.pipe()
    try:
        sys = with_streams(read_end)
        assert poll(sys, (0, POLLIN)) == [0]
        with pytest.raises(Blocked):
            sys.read_bytes(0, 10)
        assert [type(q) for q in sys.task.waiting] == [HostReadable]
        with pytest.raises(Blocked):
            poll(sys, (0, POLLIN), timeout=-1)
        sys.fcntl(0, 4, 0o4000)
        assert error(sys.read_bytes, 0, 10) == "EAGAIN"
        os.write(write_end, b"now")
        assert poll(sys, (0, POLLIN), (7, POLLIN)) == [POLLIN, POLLNVAL]
        assert sys.read_bytes(0, 10) == b"now"
        os.close(write_end)
        write_end = -1
        assert sys.read_bytes(0, 10) == b""
    finally:
        os.close(read_end)
        if write_end >= 0:
            os.close(write_end)


def test_a_full_host_pipe_keeps_what_was_written() -> None:
    read_end, write_end = os.pipe()
    try:
        sys = with_streams(read_end, write_end)
        data = bytes(i & 255 for i in range(100_000))
        address = sys.put(data)
        handler = sys.write
        with pytest.raises(Blocked):
            handler(1, address, len(data))
        assert [type(q) for q in sys.task.waiting] == [HostWritable]
        kept = sys.task.call
        got = os.read(read_end, 1 << 20)
        assert kept["written"] == len(got)
        from emukernel.kernel.fs.read_write import sys_write

        assert sys_write(sys.task, 1, address, len(data)) == len(data)
        got += os.read(read_end, 1 << 20)
        assert got == data
    finally:
        os.close(read_end)
        os.close(write_end)


def test_a_broken_pipe_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(
        "emukernel.kernel.signal.send.send_sig", lambda sig, task: sent.append(sig)
    )
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        sys = with_streams(write_end, write_end)
        assert error(sys.write_bytes, 1, b"x") == "EPIPE"
        assert sent == [13]
    finally:
        os.close(write_end)


def test_a_host_file_shares_the_position(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    fd = os.open(path, os.O_RDWR)
    try:
        os.lseek(fd, 2, os.SEEK_SET)
        sys = with_streams(fd)
        assert mode(sys, 0) & S_IFMT == S_IFREG
        assert sys.read_bytes(0, 3) == b"234"
        assert os.lseek(fd, 0, os.SEEK_CUR) == 5
        assert sys.write_bytes(0, b"XY") == 2
        assert sys.lseek(0, 0, 2) == 10
        assert path.read_bytes() == b"01234XY789"
        buffer = sys.alloc(64)
        name = sys.get(buffer, sys.readlink(b"/proc/self/fd/0", buffer, 64))
        assert name == b"anon_inode:[host]"
    finally:
        os.close(fd)


def test_a_host_file_opened_again_has_its_own_position_and_no_more_access(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    reading, writing = os.open(path, os.O_RDONLY), os.open(path, os.O_WRONLY)
    try:
        sys = with_streams(reading, writing)
        assert sys.read_bytes(0, 4) == b"0123"
        again = sys.open(b"/dev/stdin", 0)
        assert sys.read_bytes(again, 100) == b"0123456789"
        assert sys.read_bytes(0, 2) == b"45"
        assert error(sys.open, b"/dev/stdin", 1) == "EACCES"
        assert error(sys.open, b"/proc/self/fd/1", 0) == "EACCES"
        sys.write_bytes(sys.open(b"/dev/stdout", 0o2001), b"ab")
        assert path.read_bytes() == b"0123456789ab"
        sys.write_bytes(sys.open(b"/dev/stdout", 0o1001), b"new")
        assert path.read_bytes() == b"new"
    finally:
        os.close(reading)
        os.close(writing)


def test_a_host_pipe_opened_again_is_the_same_pipe() -> None:
    read_end, write_end = os.pipe()
    try:
        sys = with_streams(read_end, write_end)
        sys.write_bytes(sys.open(b"/dev/stdout", 0o1001), b"one two")
        assert sys.read_bytes(sys.open(b"/proc/self/fd/0", 0), 4) == b"one "
        assert sys.read_bytes(0, 100) == b"two"
        assert error(sys.open, b"/proc/self/fd/0", 2) == "EACCES"
    finally:
        os.close(read_end)
        os.close(write_end)


def test_dev_null_is_itself() -> None:
    fd = os.open("/dev/null", os.O_RDWR)
    try:
        sys = with_streams(fd)
        assert mode(sys, 0) & S_IFMT == S_IFCHR
        buffer = sys.alloc(64)
        assert sys.get(buffer, sys.readlink(b"/proc/self/fd/0", buffer, 64)) == b"/dev/null"
        assert error(sys.ioctl, 0, 0x5401, buffer) == "ENOTTY"
    finally:
        os.close(fd)


def test_a_terminal_that_is_not_standard_input_is_passed_through() -> None:
    import pty
    import termios

    master, slave = pty.openpty()
    null = os.open("/dev/null", os.O_RDONLY)
    try:
        termios.tcsetwinsize(slave, (33, 99))
        sys = with_streams(null, slave, slave)
        at = sys.alloc(64)
        sys.ioctl(1, 0x5413, at)
        assert unpack("<HH", sys.get(at, 4)) == (33, 99)
        sys.ioctl(2, 0x5401, at)
        settings = sys.get(at, 36)
        changed = settings[:12] + pack("<I", unpack("<I", settings[12:16])[0] & ~8) + settings[16:]
        sys.ioctl(2, 0x5402, sys.put(changed))
        assert not termios.tcgetattr(slave)[3] & termios.ECHO
        sys.task.kernel.vfs.streams[2].restore()
        assert termios.tcgetattr(slave)[3] & termios.ECHO
        assert error(sys.ioctl, 1, 0x5412, sys.put(b"x")) == "ENOTTY"
        os.write(master, b"typed\n")
        fd = sys.open(b"/dev/tty", 2)
        assert sys.read_bytes(fd, 100) == b"typed\n"
    finally:
        for fd in (master, slave, null):
            os.close(fd)


def test_devices(sys: Caller) -> None:
    assert sys.read_bytes(sys.open(b"/dev/zero", 0), 70_000) == bytes(70_000)
    full = sys.open(b"/dev/full", 2)
    assert sys.read_bytes(full, 3) == bytes(3)
    assert error(sys.write_bytes, full, b"x") == "ENOSPC"
    null = sys.open(b"/dev/null", 2)
    assert sys.write_bytes(null, b"x" * 1000) == 1000
    assert sys.read_bytes(null, 9) == b""
    assert sys.lseek(null, 77, 0) == 0
    assert len(sys.read_bytes(sys.open(b"/dev/urandom", 0), 100)) == 100
    assert error(sys.open, b"/dev/tty", 2) == "ENXIO"
    sys.task.kernel.log.printk("a line")
    kmsg = sys.open(b"/dev/kmsg", 0o4000)
    assert sys.read_bytes(kmsg, 200).endswith(b",-;a line\n")
    assert error(sys.read_bytes, kmsg, 200) == "EAGAIN"


def test_select_answers_with_sets() -> None:
    read_end, write_end = os.pipe()
    try:
        sys = with_streams(read_end, write_end)
        sets = [sys.put(pack("<Q", bits)) for bits in (1, 2, 3)]
        zero = sys.put(pack("<qq", 0, 0))
        assert sys.select(2, *sets, zero) == 1
        assert [unpack("<Q", sys.get(at, 8))[0] for at in sets] == [0, 2, 0]
        os.write(write_end, b"x")
        ready = sys.put(pack("<Q", 1))
        assert sys.pselect6(1, ready, 0, 0, 0, 0) == 1
        assert error(sys.select, 10, sys.put(pack("<Q", 1 << 9)), 0, 0, zero) == "EBADF"
        assert error(sys.select, -1, 0, 0, 0, zero) == "EINVAL"
        left = sys.put(pack("<qq", 5, 0))
        with pytest.raises(Blocked):
            sys.select(0, 0, 0, 0, left)
        assert sys.task.deadline > 4 * 10**9
    finally:
        os.close(read_end)
        os.close(write_end)
