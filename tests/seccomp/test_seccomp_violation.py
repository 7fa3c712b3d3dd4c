"""Refused calls: verdict, reason, kernel log, and what /proc shows of a task's seccomp."""

from __future__ import annotations

import pytest
from seccomp_task import ARGS, Task

from emukernel.kernel.errno import ENOSYS, Errno
from emukernel.seccomp.mode import PR_SET_SECCOMP
from emukernel.seccomp.violation import (
    COMPAT_MISMATCH,
    KILL_THREAD,
    NO_ENTRY,
    PREDICATE,
    STRICT,
)


def enforced(text: bytes, **options: bool) -> Task:
    task = Task(**options)
    task.set(text + b"\non_next_syscall: 1")
    return task


def test_no_entry() -> None:
    verdict = enforced(b"sys_exit: 1").refuse(257, 0xFFFFFF9C, 0x4A2010)
    violation = verdict.violation
    assert verdict.action == KILL_THREAD
    assert violation.kind == NO_ENTRY
    assert violation.reason == "no entry for sys_openat"
    assert (violation.nr, violation.name, violation.ip) == (257, "sys_openat", 0x401B2C)
    assert violation.args == (0xFFFFFF9C, 0x4A2010, 0, 0, 0, 0)
    assert (violation.comm, violation.pid) == ("guest", 42)
    assert list(verdict.log) == [
        "guest[42]: system call 257 (sys_openat) blocked at ip:401b2c"
    ]


@pytest.mark.parametrize(
    ("expression", "args", "reason"),
    [
        (b"fd == 1", (2,), "sys_write: fd == 1 is false (fd = 0x2)"),
        (b"fd==1", (2,), "sys_write: fd == 1 is false (fd = 0x2)"),
        (
            b"fd == 1 || fd == 2",
            (0x100000001,),
            "sys_write: fd == 1 and fd == 2 are false (fd = 0x100000001)",
        ),
        (
            b"fd == 1 || fd == 2 || count < 4",
            (3, 0, 9),
            "sys_write: fd == 1, fd == 2 and count < 4 are false (fd = 0x3, count = 0x9)",
        ),
        (b"fd == 1 && count < 4", (3, 0, 9), "sys_write: fd == 1 is false (fd = 0x3)"),
        (b"fd == 1 && count < 4", (1, 0, 9), "sys_write: count < 4 is false (count = 0x9)"),
        (
            b"(fd == 1 || fd == 2) && count < 4",
            (2, 0, 9),
            "sys_write: count < 4 is false (count = 0x9)",
        ),
        (
            b"(fd == 1 && buf == 7) || (fd == 2 && count < 4)",
            (2, 0, 9),
            "sys_write: fd == 1 and count < 4 are false (fd = 0x2, count = 0x9)",
        ),
        (
            b"common_pid != 0",
            (1,),
            "sys_write: common_pid != 0 is false (common_pid = 0x0)",
        ),
    ],
)
def test_false_predicates(expression: bytes, args: tuple[int, ...], reason: str) -> None:
    task = enforced(b"sys_write: " + expression)
    assert not task.allowed(1, *args)
    violation = task.refuse(1, *args).violation
    assert violation.kind == PREDICATE
    assert violation.reason == reason


def test_numbers_without_a_name() -> None:
    task = enforced(b"sys_exit: 1", ptregs_events=False)
    verdict = task.refuse(9999)
    assert verdict.violation.reason == "no entry for system call 9999"
    assert verdict.log[0] == "guest[42]: system call 9999 (unknown) blocked at ip:401b2c"
    assert task.refuse(56).log[0].startswith("guest[42]: system call 56 (unknown) blocked")


def test_a_compat_mismatch_is_logged_as_such() -> None:
    verdict = enforced(b"sys_exit: 1").refuse(1, compat=True)
    violation = verdict.violation
    assert violation.kind == COMPAT_MISMATCH and violation.compat
    reason = "compat mismatch: a 32-bit call under filters that 64-bit calls set"
    assert violation.reason == reason
    assert list(verdict.log) == [
        "guest[42]: seccomp filter compat() mismatch.",
        "guest[42]: system call 1 (unknown) blocked at ip:401b2c",
    ]


def test_the_other_mismatch() -> None:
    task = Task()
    task.compat = True
    task.set(b"sys_exit: 1\non_next_syscall: 1")
    reason = "compat mismatch: a 64-bit call under filters that 32-bit calls set"
    assert task.refuse(39).violation.reason == reason


def test_strict_mode() -> None:
    task = Task()
    task.prctl(PR_SET_SECCOMP, 1)
    verdict = task.refuse(231)
    assert verdict.action == KILL_THREAD and verdict.violation.kind == STRICT
    assert verdict.violation.reason == "sys_exit_group is not among the calls of strict mode"
    assert verdict.log[0] == "guest[42]: system call 231 (sys_exit_group) blocked at ip:401b2c"
    compat = task.refuse(252, compat=True).violation
    assert compat.reason == "32-bit system call 252 is not among the calls of strict mode"


def test_status_has_the_mode() -> None:
    task = Task()
    assert task.abi.status(task.state) == "Seccomp:\t0\n"
    task.set(b"sys_exit: 1")
    assert task.abi.status(task.state) == "Seccomp:\t2\n"
    strict = Task()
    strict.prctl(PR_SET_SECCOMP, 1)
    assert strict.abi.status(strict.state) == "Seccomp:\t1\n"


def test_proc_seccomp_filter() -> None:
    task = Task()
    assert task.abi.proc_seccomp_filter(task.state) == b"Filtering: 0\nFilterCount: 0\n"
    task.set(b"sys_exit: 1\nsys_write: fd == 1\nsys_read: (fd == 0)\nsys_write: count < 9")
    entries = (
        b"FilterCount: 3\n"
        b"SystemCall: 0 (sys_read)\nFilter: (fd == 0)\n"
        b"SystemCall: 1 (sys_write)\nFilter: (fd == 1) && (count < 9)\n"
        b"SystemCall: 60 (sys_exit)\nFilter: 1\n"
    )
    assert task.abi.proc_seccomp_filter(task.state) == b"Filtering: 0\n" + entries
    task.abi.execve(task.state)
    assert task.abi.proc_seccomp_filter(task.state) == b"Filtering: 1\n" + entries


def test_there_is_no_seccomp_system_call() -> None:
    task = Task()
    with pytest.raises(Errno) as failed:
        task.abi.seccomp(task.state, task, 0, 0, ARGS[0])
    assert failed.value.errno == ENOSYS
