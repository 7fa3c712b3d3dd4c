"""Names, process groups, sessions, priorities, limits and usage among several processes."""

from __future__ import annotations

import struct

import pytest
from kernel_tasks import BUFFER, Machine, errno_of

from emukernel.kernel.errno import EACCES, EINVAL, EPERM, ESRCH
from emukernel.kernel.resource import (
    RLIM_INFINITY,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    default_rlimits,
    rusage_of,
    sys_getrlimit,
    sys_prlimit64,
)
from emukernel.kernel.sched.syscalls import (
    SchedAttr,
    sched_attr,
    sys_sched_setaffinity,
    sys_sched_setscheduler,
)
from emukernel.kernel.sys import (
    PF_FORKNOEXEC,
    release_26,
    sys_getpgid,
    sys_getpriority,
    sys_getsid,
    sys_sethostname,
    sys_setpgid,
    sys_setpriority,
    sys_setsid,
    sys_uname,
)
from emukernel.kernel.task import Task
from emukernel.kernel.uaccess import copy_from_user, copy_to_user, put_user_u32

# -- names -----------------------------------------------------------------------------------


def test_uname_has_six_names_of_65_bytes(task: Task) -> None:
    copy_to_user(task, BUFFER, b"box\xfcy")
    assert sys_sethostname(task, BUFFER, 5) == 0
    sys_uname(task, BUFFER)
    text = copy_from_user(task, BUFFER, 390)
    names = [text[i : i + 65].rstrip(b"\0") for i in range(0, 390, 65)]
    assert names[0] == b"Linux"
    assert names[1] == b"box\xfcy"
    assert names[2].startswith(b"6.1.")
    assert names[4:] == [b"x86_64", b"(none)"]


def test_release_for_programs_that_know_2_6_only() -> None:
    assert release_26("6.1.0-emukernel") == "2.6.61-emukernel"


# -- groups and sessions ---------------------------------------------------------------------


def test_a_parent_moves_its_child_until_that_calls_execve(machine: Machine, task: Task) -> None:
    child = machine.process(parent=task)
    child.flags |= PF_FORKNOEXEC
    assert sys_setpgid(task, child.pid, 0) == 0
    assert sys_getpgid(task, child.pid) == child.pid
    child.flags &= ~PF_FORKNOEXEC
    assert errno_of(sys_setpgid, task, child.pid, task.pgrp) == EACCES


def test_groups_of_other_sessions_can_not_be_joined(machine: Machine, task: Task) -> None:
    child, stranger = machine.process(parent=task), machine.process()
    child.flags |= PF_FORKNOEXEC
    assert errno_of(sys_setpgid, task, child.pid, stranger.pgrp) == EPERM
    assert errno_of(sys_setpgid, task, stranger.pid, 0) == ESRCH
    assert errno_of(sys_setpgid, child, 0, task.pgrp) == 0


def test_a_group_leader_starts_no_session(machine: Machine, task: Task) -> None:
    child = machine.process(parent=task)
    assert errno_of(sys_setsid, task) == EPERM
    thread = machine.thread(child)
    assert sys_setsid(thread) == child.pid
    assert (thread.session, thread.pgrp) == (child.pid, child.pid)
    assert sys_getsid(task, child.pid) == child.pid
    assert errno_of(sys_setpgid, child, 0, 0) == EPERM


def test_threads_are_no_processes(machine: Machine, task: Task) -> None:
    thread = machine.thread(task)
    assert errno_of(sys_setpgid, task, thread.pid, 0) == EINVAL


# -- priorities ------------------------------------------------------------------------------


def test_the_most_important_of_many(machine: Machine, task: Task) -> None:
    child = machine.process(parent=task)
    sys_setpriority(task, 0, child.pid, -5)
    sys_setpriority(task, 0, task.pid, 3)
    assert sys_getpriority(task, 1, task.pgrp) == 25
    assert sys_getpriority(task, 0, 0) == 17


def test_users_are_nice_to_their_own_only(machine: Machine, task: Task) -> None:
    user = machine.process(uid=1000)
    assert errno_of(sys_setpriority, user, 0, task.pid, 5) == EPERM
    assert errno_of(sys_setpriority, user, 0, 0, -1) == EACCES
    user.rlimits[13] = [25, 25]
    assert errno_of(sys_setpriority, user, 0, 0, -5) == 0
    assert errno_of(sys_setpriority, user, 0, 0, -6) == EACCES


def test_setting_many_reports_a_failure_and_does_the_rest(machine: Machine, task: Task) -> None:
    user = machine.process(uid=1000)
    machine.process(parent=user).cred = task.cred
    assert errno_of(sys_setpriority, user, 1, user.pgrp, 4) == EPERM
    assert sched_attr(user).nice == 4


def test_policies_come_back_to_normal_in_a_child_that_asked_for_it() -> None:
    attr = SchedAttr()
    attr.policy, attr.rt_priority, attr.nice = 1, 50, -5
    assert (attr.copy().policy, attr.copy().nice) == (1, -5)
    attr.reset_on_fork = True
    child = attr.copy()
    assert (child.policy, child.rt_priority, child.nice, child.reset_on_fork) == (0, 0, 0, False)


def test_users_schedule_their_own_only(machine: Machine, task: Task) -> None:
    user = machine.process(uid=1000)
    put_user_u32(user, BUFFER, 0)
    assert errno_of(sys_sched_setscheduler, user, task.pid, 3, BUFFER) == EPERM
    put_user_u32(user, BUFFER, 1)
    assert errno_of(sys_sched_setaffinity, user, task.pid, 8, BUFFER) == EPERM
    assert errno_of(sys_sched_setaffinity, task, user.pid, 8, BUFFER) == EINVAL


# -- limits and usage ------------------------------------------------------------------------


def test_default_limits_are_those_of_a_fresh_linux() -> None:
    limits = default_rlimits(1 << 30)
    assert limits[3] == [8 << 20, RLIM_INFINITY]
    assert limits[RLIMIT_NOFILE] == [1024, 4096]
    assert limits[RLIMIT_NPROC] == [4096, 4096]
    assert default_rlimits(1 << 20)[RLIMIT_NPROC] == [10, 10]
    assert limits[0] is not limits[1]


def test_threads_share_limits(machine: Machine, task: Task) -> None:
    thread = machine.thread(task)
    copy_to_user(task, BUFFER, struct.pack("<QQ", 5, 6))
    sys_prlimit64(thread, 0, RLIMIT_NOFILE, BUFFER, 0)
    sys_getrlimit(task, RLIMIT_NOFILE, BUFFER + 16)
    assert copy_from_user(task, BUFFER + 16, 16) == struct.pack("<QQ", 5, 6)


def test_nobody_looks_at_limits_of_others(machine: Machine, task: Task) -> None:
    user, same = machine.process(uid=1000), machine.process(uid=1000)
    assert errno_of(sys_prlimit64, user, task.pid, 0, 0, BUFFER) == EPERM
    assert errno_of(sys_prlimit64, user, same.pid, 0, 0, BUFFER) == 0
    assert errno_of(sys_prlimit64, task, user.pid, 0, 0, BUFFER) == 0


def test_hard_limits_go_down_only(machine: Machine) -> None:
    user = machine.process(uid=1000)
    copy_to_user(user, BUFFER, struct.pack("<QQ", 5, 6))
    assert errno_of(sys_prlimit64, user, 0, RLIMIT_NOFILE, BUFFER, 0) == 0
    copy_to_user(user, BUFFER, struct.pack("<QQ", 5, 7))
    assert errno_of(sys_prlimit64, user, 0, RLIMIT_NOFILE, BUFFER, 0) == EPERM


@pytest.mark.parametrize(("who", "utime", "minflt"), [(0, 3_000_600, 111), (1, 2_000_000, 11)])
def test_usage_is_of_all_threads_or_one(
    machine: Machine, task: Task, who: int, utime: int, minflt: int
) -> None:
    thread = machine.thread(task)
    task.utime_ns, task.min_flt = 2_000_000_000, 11
    thread.utime_ns, thread.min_flt = 1_000_000_000, 100
    task.signal.exited.utime_ns = 600_000
    words = struct.unpack("<18q", rusage_of(task, who))
    assert words[0] * 1_000_000 + words[1] == utime
    assert words[8] == minflt


def test_the_peak_of_memory_is_in_kib(task: Task) -> None:
    copy_to_user(task, BUFFER, bytes(40_960))
    rss = struct.unpack("<18q", rusage_of(task, 0))[4]
    assert rss == task.mm.rss * 4 >= 40
    task.signal.children.maxrss = 7
    assert struct.unpack("<18q", rusage_of(task, -1))[4] == 28
