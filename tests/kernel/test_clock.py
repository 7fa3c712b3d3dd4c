"""Clocks, and sleeping on them."""

from __future__ import annotations

import time

import pytest
from kernel_tasks import BUFFER, Machine, errno_of, sleeps, wake_all

from emukernel.kernel.errno import EINVAL, EPERM, ERESTART_RESTARTBLOCK, ERESTARTNOHAND
from emukernel.kernel.task import Task
from emukernel.kernel.time.clock import read_clock, sys_clock_gettime, sys_clock_settime
from emukernel.kernel.time.nanosleep import sys_clock_nanosleep, sys_nanosleep
from emukernel.kernel.time.time import sys_settimeofday
from emukernel.kernel.time.timekeeping import (
    KTIME_MAX,
    NSEC_PER_SEC,
    TICK_NSEC,
    VIRTUAL_EPOCH,
    Clock,
    get_timespec,
    put_timespec,
)
from emukernel.kernel.time.times import sys_times
from emukernel.kernel.uaccess import copy_from_user, copy_to_user

REQUEST, REMAINING = BUFFER, BUFFER + 16
MS = 1_000_000


def test_a_real_clock_follows_the_host() -> None:
    clock = Clock()
    before, wall = clock.monotonic(), time.time_ns()
    time.sleep(0.002)
    assert 2 * MS <= clock.monotonic() - before < 10 * NSEC_PER_SEC
    assert abs(clock.realtime() - wall) < 10 * NSEC_PER_SEC
    assert clock.monotonic() <= clock.boottime() + MS
    assert abs(clock.monotonic_raw() - clock.monotonic()) < NSEC_PER_SEC


def test_a_virtual_clock_moves_only_when_told() -> None:
    clock = Clock(virtual=True)
    start = clock.monotonic()
    assert clock.realtime() == VIRTUAL_EPOCH
    assert clock.monotonic() == clock.boottime() == clock.monotonic_raw() == start
    clock.tick()
    clock.advance(5)
    assert clock.monotonic() - start == clock.realtime() - VIRTUAL_EPOCH == 1005
    clock.advance_to(start)
    assert clock.monotonic() == start + 1005
    clock.advance_to(start + 7000)
    assert clock.monotonic() == start + 7000


def test_coarse_clocks_stand_at_the_last_tick() -> None:
    clock = Clock(virtual=True)
    clock.advance(TICK_NSEC + 1)
    assert clock.monotonic_coarse() % TICK_NSEC == 0
    late = clock.monotonic() - clock.monotonic_coarse()
    assert 0 < late < TICK_NSEC
    assert clock.realtime() - clock.realtime_coarse() == late


def test_setting_moves_realtime_alone(task: Task) -> None:
    clock = task.kernel.clock
    before = clock.monotonic()
    put_timespec(task, REQUEST, 10**18)
    assert sys_clock_settime(task, 0, REQUEST) == 0
    assert clock.realtime() == 10**18
    assert clock.monotonic() == before


def test_nobody_sets_the_clock_without_the_capability(machine: Machine) -> None:
    user = machine.process(uid=1000)
    put_timespec(user, REQUEST, 10**18)
    assert errno_of(sys_clock_settime, user, 0, REQUEST) == EPERM


def test_the_machine_can_not_have_booted_before_1970(task: Task) -> None:
    put_timespec(task, REQUEST, task.kernel.clock.monotonic() - 1)
    assert errno_of(sys_clock_settime, task, 0, REQUEST) == EINVAL


def test_the_first_time_zone_warps_the_clock(task: Task) -> None:
    clock = task.kernel.clock
    before = clock.realtime()
    copy_to_user(task, BUFFER, (60).to_bytes(4, "little") + bytes(4))
    for _ in range(2):
        sys_settimeofday(task, 0, BUFFER)
        assert clock.realtime() - before == 3600 * NSEC_PER_SEC


@pytest.mark.parametrize(("sec", "nsec"), [(-1, 0), (0, -1), (0, NSEC_PER_SEC)])
def test_bad_timespecs(task: Task, sec: int, nsec: int) -> None:
    copy_to_user(
        task,
        BUFFER,
        sec.to_bytes(8, "little", signed=True) + nsec.to_bytes(8, "little", signed=True),
    )
    assert errno_of(get_timespec, task, BUFFER) == EINVAL


def test_long_spans_saturate(task: Task) -> None:
    copy_to_user(task, BUFFER, (2**63 - 1).to_bytes(8, "little") + bytes(8))
    assert get_timespec(task, BUFFER) == KTIME_MAX


def test_reading_the_clock_takes_virtual_time(task: Task) -> None:
    sys_clock_gettime(task, 1, BUFFER)
    first = get_timespec(task, BUFFER)
    sys_clock_gettime(task, 1, BUFFER)
    assert get_timespec(task, BUFFER) > first


def test_cpu_clocks_show_what_was_charged(machine: Machine, task: Task) -> None:
    thread = machine.thread(task)
    clock = machine.clock
    clock.start_slice()
    clock.advance(5 * MS)
    clock.charge(task)
    clock.advance(2 * MS)
    clock.charge(task, system=True)
    clock.end_slice(task)
    clock.advance(100 * MS)
    thread.utime_ns = 3 * MS
    task.signal.exited.utime_ns = MS
    thread_id = (~thread.pid << 3) | 6
    process_id = (~task.pid << 3) | 2
    assert read_clock(task, 3) == 7 * MS
    assert read_clock(task, thread_id) == 3 * MS
    assert read_clock(task, 2) == read_clock(thread, process_id) == 11 * MS
    assert read_clock(task, (~task.pid << 3) | 1) == 9 * MS


def test_a_running_slice_counts(machine: Machine, task: Task) -> None:
    machine.clock.start_slice()
    machine.clock.advance(4 * MS)
    assert read_clock(task, 3) == 4 * MS


def test_threads_of_others_have_no_clock(machine: Machine, task: Task) -> None:
    other = machine.process()
    assert errno_of(read_clock, task, (~other.pid << 3) | 6) == EINVAL
    assert read_clock(task, (~other.pid << 3) | 2) == 0


def test_times_in_clock_ticks(task: Task) -> None:
    task.utime_ns = 1_239 * MS
    task.signal.children.stime_ns = 50 * MS
    first = sys_times(task, BUFFER)
    task.kernel.clock.advance(NSEC_PER_SEC)
    assert sys_times(task, 0) == first + 100
    words = copy_from_user(task, BUFFER, 32)
    assert [int.from_bytes(words[i : i + 8], "little") for i in range(0, 32, 8)] == [123, 0, 0, 5]


# -- sleeping --------------------------------------------------------------------------------


def test_a_sleep_ends_at_its_deadline(task: Task) -> None:
    clock = task.kernel.clock
    put_timespec(task, REQUEST, 10 * MS)
    start = clock.monotonic()
    assert sleeps(sys_nanosleep, task, REQUEST, 0)
    assert task.deadline == start + 10 * MS
    clock.advance(4 * MS)
    wake_all(task)
    assert sleeps(sys_nanosleep, task, REQUEST, 0)
    assert task.deadline == start + 10 * MS
    wake_all(task)
    clock.advance_to(start + 10 * MS)
    assert sys_nanosleep(task, REQUEST, 0) == 0


def test_a_signal_leaves_the_rest_and_a_way_to_go_on(task: Task) -> None:
    clock = task.kernel.clock
    put_timespec(task, REQUEST, 10 * MS)
    assert sleeps(sys_nanosleep, task, REQUEST, REMAINING)
    clock.advance(4 * MS)
    task.sigpending = True
    wake_all(task)
    assert errno_of(sys_nanosleep, task, REQUEST, REMAINING) == ERESTART_RESTARTBLOCK
    assert get_timespec(task, REMAINING) == 6 * MS
    task.sigpending, task.call = False, {}
    function, *args = task.restart_block
    assert sleeps(function, task, *args)
    assert task.deadline == clock.monotonic() + 6 * MS
    clock.advance(6 * MS)
    wake_all(task)
    assert function(task, *args) == 0


def test_an_absolute_sleep_is_made_again_as_it_is(task: Task) -> None:
    put_timespec(task, REQUEST, task.kernel.clock.monotonic() + MS)
    put_timespec(task, REMAINING, 77)
    assert sleeps(sys_clock_nanosleep, task, 1, 1, REQUEST, REMAINING)
    task.sigpending = True
    assert errno_of(sys_clock_nanosleep, task, 1, 1, REQUEST, REMAINING) == ERESTARTNOHAND
    assert get_timespec(task, REMAINING) == 77


def test_setting_the_clock_ends_sleeps_until_a_moment_of_it(machine: Machine, task: Task) -> None:
    clock = machine.clock
    put_timespec(task, REQUEST, clock.realtime() + 3600 * NSEC_PER_SEC)
    assert sleeps(sys_clock_nanosleep, task, 0, 1, REQUEST, 0)
    clock.set_realtime(clock.realtime() + 7200 * NSEC_PER_SEC)
    assert task.state == "R"
    assert sys_clock_nanosleep(task, 0, 1, REQUEST, 0) == 0


def test_setting_the_clock_leaves_relative_sleeps_alone(machine: Machine, task: Task) -> None:
    clock = machine.clock
    put_timespec(task, REQUEST, 10 * MS)
    assert sleeps(sys_clock_nanosleep, task, 0, 0, REQUEST, 0)
    clock.set_realtime(clock.realtime() + 7200 * NSEC_PER_SEC)
    assert task.state == "S"


def test_waiting_for_the_process_to_use_time(machine: Machine, task: Task) -> None:
    thread = machine.thread(task)
    put_timespec(task, REQUEST, 20 * MS)
    assert sleeps(sys_clock_nanosleep, task, 2, 0, REQUEST, 0)
    wake_all(task)
    machine.clock.advance(50 * MS)
    assert sleeps(sys_clock_nanosleep, task, 2, 0, REQUEST, 0)
    wake_all(task)
    thread.utime_ns += 20 * MS
    assert sys_clock_nanosleep(task, 2, 0, REQUEST, 0) == 0


def test_a_sleep_for_ever_has_no_deadline(task: Task) -> None:
    put_timespec(task, REQUEST, KTIME_MAX)
    assert sleeps(sys_nanosleep, task, REQUEST, 0)
    assert task.deadline is None
