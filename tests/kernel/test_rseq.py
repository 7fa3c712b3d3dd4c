"""Restartable sequences: registration, and what an interruption does to a critical section."""

from __future__ import annotations

import struct

import pytest
from kernel_tasks import BUFFER, errno_of

from emukernel.kernel.errno import EBUSY, EFAULT, EINVAL, EPERM
from emukernel.kernel.rseq import rseq_handle_notify_resume, sys_rseq
from emukernel.kernel.task import Task
from emukernel.kernel.uaccess import (
    copy_from_user,
    copy_to_user,
    get_user_u64,
    put_user_u32,
    put_user_u64,
)

AREA, SECTION, CODE = BUFFER, BUFFER + 0x100, BUFFER + 0x1000
SIGNATURE = 0x53053053
ABORT = CODE + 0x100
START, LENGTH = CODE + 0x10, 0x20


@pytest.fixture
def registered(task: Task) -> Task:
    copy_to_user(task, AREA, b"\x55" * 8 + bytes(12) + b"\x55" * 12)
    assert sys_rseq(task, AREA, 32, 0, SIGNATURE) == 0
    return task


def enter(task: Task, **changes: int) -> None:
    """The thread is in a critical section, in which fields of the descriptor may be changed."""
    fields = {
        "version": 0, "flags": 0, "start": START, "offset": LENGTH, "abort": ABORT,
    } | changes  # fmt: skip
    copy_to_user(task, SECTION, struct.pack("<IIQQQ", *fields.values()))
    put_user_u32(task, ABORT - 4, SIGNATURE)
    put_user_u64(task, AREA + 8, SECTION)


def test_registration_tells_the_cpu(registered: Task) -> None:
    assert copy_from_user(registered, AREA, 32) == bytes(28) + b"\x55" * 4


def test_registration_can_be_taken_back(registered: Task) -> None:
    assert errno_of(sys_rseq, registered, AREA, 32, 0, SIGNATURE) == EBUSY
    assert errno_of(sys_rseq, registered, AREA, 32, 0, 1) == EPERM
    assert errno_of(sys_rseq, registered, AREA + 32, 32, 0, SIGNATURE) == EINVAL
    assert errno_of(sys_rseq, registered, AREA, 64, 1, SIGNATURE) == EINVAL
    assert errno_of(sys_rseq, registered, AREA, 32, 1, 1) == EPERM
    assert sys_rseq(registered, AREA, 32, 1, SIGNATURE) == 0
    assert copy_from_user(registered, AREA, 8) == struct.pack("<II", 0, 0xFFFF_FFFF)
    assert errno_of(sys_rseq, registered, AREA, 32, 1, SIGNATURE) == EINVAL


@pytest.mark.parametrize(
    ("address", "length", "flags", "error"),
    [(AREA + 4, 32, 0, EINVAL), (AREA, 31, 0, EINVAL), (AREA, 32, 2, EINVAL), (0, 32, 0, EFAULT),
     (1 << 63, 32, 0, EFAULT)],
)  # fmt: skip
def test_bad_registrations(task: Task, address: int, length: int, flags: int, error: int) -> None:
    assert errno_of(sys_rseq, task, address, length, flags, SIGNATURE) == error
    assert task.rseq is None


def test_a_section_registered_with_is_forgotten(task: Task) -> None:
    put_user_u64(task, AREA + 8, SECTION)
    sys_rseq(task, AREA, 32, 0, SIGNATURE)
    assert get_user_u64(task, AREA + 8) == 0


@pytest.mark.parametrize(
    ("ip", "resumes"),
    [(START - 1, START - 1), (START, ABORT), (START + LENGTH - 1, ABORT),
     (START + LENGTH, START + LENGTH)],
)  # fmt: skip
def test_only_what_is_inside_is_aborted(registered: Task, ip: int, resumes: int) -> None:
    enter(registered)
    assert rseq_handle_notify_resume(registered, ip) == resumes
    assert get_user_u64(registered, AREA + 8) == 0


def test_outside_any_section_nothing_happens(registered: Task) -> None:
    put_user_u32(registered, AREA + 4, 77)
    assert rseq_handle_notify_resume(registered, CODE) == CODE
    assert copy_from_user(registered, AREA, 32) == bytes(28) + b"\x55" * 4


@pytest.mark.parametrize(
    "changes",
    [{"version": 1}, {"flags": 1}, {"start": 1 << 63}, {"offset": 1 << 63}, {"abort": 1 << 63},
     {"abort": START + 4}, {"abort": ABORT + 8}],
)  # fmt: skip
def test_bad_descriptors(registered: Task, changes: dict[str, int]) -> None:
    enter(registered, **changes)
    assert errno_of(rseq_handle_notify_resume, registered, START) == EINVAL


def test_unreadable_descriptors(registered: Task) -> None:
    put_user_u64(registered, AREA + 8, 0x10)
    assert errno_of(rseq_handle_notify_resume, registered, START) == EFAULT
    put_user_u64(registered, AREA + 8, 1 << 63)
    assert errno_of(rseq_handle_notify_resume, registered, START) == EINVAL
