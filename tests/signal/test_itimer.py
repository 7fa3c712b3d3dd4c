"""Interval timers, driven by a clock that stands still between two lines of a test."""

from __future__ import annotations

import struct

import pytest
from signal_tasks import Kernel, taken

from emukernel.kernel.errno import EINVAL, Errno
from emukernel.kernel.signal.numbers import SIGALRM, SIGKILL, SIGPROF, SIGVTALRM, SIGXCPU
from emukernel.kernel.task import Task
from emukernel.kernel.time import itimer
from emukernel.kernel.time.itimer import ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL, run_cpu_timers

MS = 1_000_000
SECOND = 1000 * MS


class Memory:
    """One struct itimerval in and one out, in place of user memory."""

    def __init__(self) -> None:
        self.given = bytes(32)
        self.told = bytes(32)

    def copy_from_user(self, task: Task, address: int, size: int) -> bytes:
        return self.given

    def copy_to_user(self, task: Task, address: int, data: bytes) -> None:
        self.told = data


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    memory = Memory()
    monkeypatch.setattr(itimer, "copy_from_user", memory.copy_from_user)
    monkeypatch.setattr(itimer, "copy_to_user", memory.copy_to_user)
    return memory


@pytest.fixture
def task() -> Task:
    task = Kernel().process()
    for sig in (SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU):
        task.sighand.actions[sig - 1] = (0x1000, 0, 0, 0)
    return task


def set_timer(
    task: Task, memory: Memory, which: int, value_us: int, interval_us: int = 0
) -> tuple[int, int]:
    """setitimer in µs; what it tells of the timer before."""
    memory.given = struct.pack("<4q", *divmod(interval_us, 10**6), *divmod(value_us, 10**6))
    itimer.sys_setitimer(task, which, 1, 1)
    return told(memory)


def told(memory: Memory) -> tuple[int, int]:
    """(value, interval) in µs."""
    values = struct.unpack("<4q", memory.told)
    return values[2] * 10**6 + values[3], values[0] * 10**6 + values[1]


def pass_time(task: Task, ns: int) -> None:
    task.kernel.sched.pass_time(ns)  # type: ignore[attr-defined]


def test_once(task: Task, memory: Memory) -> None:
    assert set_timer(task, memory, ITIMER_REAL, 5000) == (0, 0)
    pass_time(task, 4 * MS)
    itimer.sys_getitimer(task, ITIMER_REAL, 1)
    assert told(memory) == (1000, 0)
    assert taken(task) == []
    pass_time(task, MS)
    assert taken(task) == [SIGALRM]
    pass_time(task, SECOND)
    assert taken(task) == []
    itimer.sys_getitimer(task, ITIMER_REAL, 1)
    assert told(memory) == (0, 0)


def test_periodic_does_not_overrun(task: Task, memory: Memory) -> None:
    set_timer(task, memory, ITIMER_REAL, 1000, 2000)
    pass_time(task, 10 * MS)
    assert taken(task) == [SIGALRM]
    # Due at 1, 3, 5, …: the next one after 10 is 11.
    itimer.sys_getitimer(task, ITIMER_REAL, 1)
    assert told(memory) == (1000, 2000)
    pass_time(task, MS)
    assert taken(task) == [SIGALRM]
    assert set_timer(task, memory, ITIMER_REAL, 0) == (2000, 2000)
    pass_time(task, SECOND)
    assert taken(task) == []


def test_alarm_rounds(task: Task) -> None:
    assert itimer.sys_alarm(task, 10) == 0
    pass_time(task, SECOND // 4)
    assert itimer.sys_alarm(task, 10) == 10
    pass_time(task, SECOND * 3 // 4)
    assert itimer.sys_alarm(task, 1) == 9
    pass_time(task, SECOND - 1)
    assert itimer.sys_alarm(task, 0) == 1
    assert itimer.sys_alarm(task, 0) == 0
    pass_time(task, 100 * SECOND)
    assert taken(task) == []


def test_cpu_time(task: Task, memory: Memory) -> None:
    set_timer(task, memory, ITIMER_VIRTUAL, 1000)
    set_timer(task, memory, ITIMER_PROF, 1000, 1000)
    assert task.kernel.interrupts.armed == [MS, MS]  # type: ignore[attr-defined]
    task.stime_ns += MS
    run_cpu_timers(task)
    assert taken(task) == [SIGPROF]
    itimer.sys_getitimer(task, ITIMER_VIRTUAL, 1)
    assert told(memory) == (1000, 0)
    task.utime_ns += MS
    run_cpu_timers(task)
    assert taken(task) == [SIGVTALRM, SIGPROF]
    run_cpu_timers(task)
    assert taken(task) == []


def test_limit_of_cpu_time(task: Task) -> None:
    task.rlimits[0] = [1, 3]
    task.utime_ns = SECOND - 1
    run_cpu_timers(task)
    assert taken(task) == []
    task.utime_ns += 1
    run_cpu_timers(task)
    run_cpu_timers(task)
    assert taken(task) == [SIGXCPU]
    task.utime_ns += SECOND
    run_cpu_timers(task)
    assert taken(task) == [SIGXCPU]
    task.utime_ns += SECOND
    run_cpu_timers(task)
    assert task.signal.group_exit_code == SIGKILL


@pytest.mark.parametrize("which", [-1, 3])
def test_unknown_timer(task: Task, memory: Memory, which: int) -> None:
    with pytest.raises(Errno) as error:
        itimer.sys_getitimer(task, which, 1)
    assert error.value.errno == EINVAL


@pytest.mark.parametrize("value", [(0, 0, 0, 10**6), (0, -1, 0, 0), (0, 0, -1, 0)])
def test_bad_times(task: Task, memory: Memory, value: tuple[int, ...]) -> None:
    memory.given = struct.pack("<4q", *value)
    with pytest.raises(Errno) as error:
        itimer.sys_setitimer(task, ITIMER_REAL, 1, 0)
    assert error.value.errno == EINVAL
