"""The kernel log, syslog(2) and the format of /dev/kmsg."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kernel_tasks import BUFFER, Machine, errno_of, sleeps, wake_all

from emukernel.kernel.errno import EFAULT, EINVAL, EPERM
from emukernel.kernel.printk import LOG_BUF_LEN, RECORD_MAX, KernelLog
from emukernel.kernel.syslog import sys_syslog
from emukernel.kernel.task import Task
from emukernel.kernel.time.timekeeping import VIRTUAL_BOOT, Clock
from emukernel.kernel.uaccess import copy_from_user


def log_at(ns: int) -> KernelLog:
    clock = Clock(virtual=True)
    clock.advance(ns - VIRTUAL_BOOT)
    return KernelLog(clock)


def test_lines_have_the_time_in_front() -> None:
    log = log_at(12_345_678_901)
    log.printk("one\ntwo")
    assert list(log.lines()) == ["[   12.345678] one", "[   12.345678] two"]


def test_every_line_for_syslog_has_its_level() -> None:
    log = log_at(1_000_000_000)
    log.printk("one\ntwo", 4)
    assert log.syslog_text(0) == b"<4>[    1.000000] one\n<4>[    1.000000] two\n"


def test_kmsg_records_escape_what_is_not_printable() -> None:
    log = log_at(1_234_567_000)
    log.printk("a\\b\n\u00fc", 3)
    assert log.kmsg_text(0) == b"3,0,1234567,-;a\\x5cb\\x0a\\xc3\\xbc\n"


def test_what_user_space_writes_is_not_the_kernels() -> None:
    log = log_at(1_000)
    for data in (b"plain\n", b"<3>level", b"<30>daemon", b"<x>no number", b"\xff"):
        log.write_kmsg(data)
    heads = [log.kmsg_text(seq).split(b",")[0] for seq in range(5)]
    texts = [log.kmsg_text(seq).split(b";")[1] for seq in range(5)]
    assert heads == [b"12", b"11", b"30", b"12", b"12"]
    assert texts == [b"plain\n", b"level\n", b"daemon\n", b"<x>no number\n", b"\\xff\n"]


def test_notes_are_made_once() -> None:
    log = log_at(1_000)
    for _ in range(3):
        log.once("key", "text")
    log.once("other", "text")
    assert len(log.records) == 2


def test_keys_of_notes_do_not_pile_up() -> None:
    log = log_at(1_000)
    for number in range(5000):
        log.once(f"key {number}", "x")
    assert log.next_seq < 5000


@given(st.lists(st.integers(0, 2 * RECORD_MAX), max_size=400))
def test_the_log_is_bounded_and_keeps_the_newest(sizes: list[int]) -> None:
    log = log_at(1_000)
    for number, size in enumerate(sizes):
        log.printk(f"{number:04}" + "x" * size)
    assert sum(len(text) for _, _, text in log.records) <= LOG_BUF_LEN
    assert log.next_seq == len(sizes)
    assert [int(text[:4]) for _, _, text in log.records] == list(range(log.first, len(sizes)))
    assert log.first <= log.clear_seq or log.first == 0


# -- syslog(2) -------------------------------------------------------------------------------


def read(task: Task, action: int, size: int) -> bytes:
    return copy_from_user(task, BUFFER, sys_syslog(task, action, BUFFER, size))


def test_reading_all_takes_nothing_away(task: Task) -> None:
    for text in ("one", "two", "three"):
        task.kernel.log.printk(text)
    everything = read(task, 3, 4096)
    assert everything.count(b"\n") == 3
    assert read(task, 3, 4096) == everything
    lines = everything.splitlines(keepends=True)
    assert read(task, 3, len(everything) - 1) == b"".join(lines[1:])


def test_clearing_hides_but_keeps(task: Task) -> None:
    task.kernel.log.printk("one")
    assert read(task, 4, 4096).endswith(b"one\n")
    assert read(task, 3, 4096) == b""
    task.kernel.log.printk("two")
    assert read(task, 3, 4096).endswith(b"two\n")
    assert sys_syslog(task, 5, 0, 0) == 0
    assert read(task, 3, 4096) == b""
    assert len(list(task.kernel.log.lines())) == 2


def test_reading_takes_away_in_pieces(task: Task) -> None:
    log = task.kernel.log
    log.printk("one")
    log.printk("two")
    everything = log.syslog_text(0) + log.syslog_text(1)
    assert sys_syslog(task, 9, 0, 0) == len(everything)
    pieces = [read(task, 2, 10)]
    assert sys_syslog(task, 9, 0, 0) == len(everything) - 10
    while sum(map(len, pieces)) < len(everything):
        pieces.append(read(task, 2, 1000))
    assert b"".join(pieces) == everything


def test_reading_sleeps_for_a_record(task: Task) -> None:
    assert sleeps(sys_syslog, task, 2, BUFFER, 100)
    task.kernel.log.printk("wake up")
    assert task.state == "R"
    assert read(task, 2, 100).endswith(b"wake up\n")


def test_a_bad_buffer_loses_nothing(task: Task) -> None:
    task.kernel.log.printk("one")
    assert errno_of(sys_syslog, task, 2, 0x10, 100) == EFAULT
    assert read(task, 2, 100).endswith(b"one\n")


def test_console_levels_are_checked(task: Task) -> None:
    assert [errno_of(sys_syslog, task, 8, 0, level) for level in (0, 1, 8, 9)] == [
        EINVAL,
        0,
        0,
        EINVAL,
    ]
    assert sys_syslog(task, 6, 0, 0) == sys_syslog(task, 7, 0, 0) == 0
    assert task.kernel.log.console_loglevel == 8


def test_others_may_read_but_not_take(machine: Machine) -> None:
    user = machine.process(uid=1000)
    errors = {action: errno_of(sys_syslog, user, action, BUFFER, 8) for action in range(-1, 12)}
    assert [action for action, errno in errors.items() if not errno] == [3, 10]
    assert set(errors.values()) == {0, EPERM}


def test_waking_is_no_reading(task: Task) -> None:
    assert sleeps(sys_syslog, task, 2, BUFFER, 100)
    wake_all(task)
    assert sleeps(sys_syslog, task, 2, BUFFER, 100)
