"""flock(2) and record locks, between two processes."""

from __future__ import annotations

from struct import pack, unpack
from typing import Any

import pytest
from vfs_tasks import Caller, make_kernel, make_task

from emukernel.kernel.wait import Blocked

F_GETLK, F_SETLK, F_SETLKW, F_OFD_SETLK = 5, 6, 7, 37
F_RDLCK, F_WRLCK, F_UNLCK = 0, 1, 2
LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN = 1, 2, 4, 8


@pytest.fixture
def pair() -> tuple[Caller, Caller]:
    """Two processes of one user, each with /tmp/f open as descriptor 3."""
    kernel = make_kernel()
    first, second = Caller(make_task(kernel)), Caller(make_task(kernel, 0, 101))
    first.make(b"/tmp/f", b"x" * 100)
    for caller in (first, second):
        assert caller.open(b"/tmp/f", 2) == 3
    return first, second


def lock(sys: Caller, cmd: int, kind: int, start: int = 0, length: int = 0) -> tuple[int, ...]:
    """fcntl; the struct flock afterwards: (type, whence, start, length, pid)."""
    at = sys.put(pack("<hh4xqqi4x", kind, 0, start, length, 0))
    sys.fcntl(3, cmd, at)
    return unpack("<hh4xqqi4x", sys.get(at, 32))


def error(call: Any, *args: Any) -> str:
    with pytest.raises(OSError) as caught:
        call(*args)
    return str(caught.value.args[1])


def test_write_locks_exclude(pair: tuple[Caller, Caller]) -> None:
    first, second = pair
    lock(first, F_SETLK, F_WRLCK, 10, 20)
    assert error(lock, second, F_SETLK, F_RDLCK, 0, 11) == "EAGAIN"
    assert lock(second, F_GETLK, F_RDLCK, 0, 11) == (F_WRLCK, 0, 10, 20, 100)
    lock(second, F_SETLK, F_WRLCK, 0, 10)
    lock(second, F_SETLK, F_WRLCK, 30, 0)
    with pytest.raises(Blocked):
        lock(second, F_SETLKW, F_WRLCK, 15, 1)
    lock(first, F_SETLK, F_UNLCK, 12, 10)
    lock(second, F_SETLK, F_WRLCK, 15, 1)
    assert lock(second, F_GETLK, F_WRLCK, 10, 100)[:4] == (F_WRLCK, 0, 10, 2)


def test_closing_any_descriptor_gives_record_locks_up(pair: tuple[Caller, Caller]) -> None:
    first, second = pair
    lock(first, F_SETLK, F_WRLCK)
    first.close(first.open(b"/tmp/f", 0))
    lock(second, F_SETLK, F_WRLCK)


def test_a_circle_is_a_deadlock(pair: tuple[Caller, Caller]) -> None:
    first, second = pair
    lock(first, F_SETLK, F_WRLCK, 0, 1)
    lock(second, F_SETLK, F_WRLCK, 1, 1)
    with pytest.raises(Blocked):
        lock(first, F_SETLKW, F_WRLCK, 1, 1)
    assert error(lock, second, F_SETLKW, F_WRLCK, 0, 1) == "EDEADLK"


def test_open_file_locks_belong_to_the_open_file(pair: tuple[Caller, Caller]) -> None:
    first, _ = pair
    lock(first, F_OFD_SETLK, F_WRLCK)
    other = first.open(b"/tmp/f", 2)
    at = first.put(pack("<hh4xqqi4x", F_WRLCK, 0, 0, 0, 0))
    assert error(first.fcntl, other, F_OFD_SETLK, at) == "EAGAIN"
    first.close(3)
    assert first.fcntl(other, F_OFD_SETLK, at) == 0


def test_flock(pair: tuple[Caller, Caller]) -> None:
    first, second = pair
    first.flock(3, LOCK_SH)
    second.flock(3, LOCK_SH)
    # A change of type that fails has lost the lock.
    assert error(second.flock, 3, LOCK_EX | LOCK_NB) == "EAGAIN"
    second.flock(3, LOCK_SH)
    with pytest.raises(Blocked):
        first.flock(3, LOCK_EX)
    second.close(3)
    first.flock(3, LOCK_EX)
    assert error(first.flock, 3, 5 | LOCK_UN) == "EINVAL"
