"""The tables of the entry path: strict mode, widths, numbers out of range, inheritance, cost."""

from __future__ import annotations

from timeit import repeat

import pytest
from seccomp_task import Task

from emukernel.ftrace.events import table
from emukernel.seccomp.abi import get_abi
from emukernel.seccomp.mode import PR_SET_SECCOMP


def test_without_seccomp_nothing_is_checked() -> None:
    state = Task().state
    assert (state.mode, state.calls, state.calls32) == (0, None, None)


def test_strict_mode_lets_four_calls_through() -> None:
    task = Task()
    task.prctl(PR_SET_SECCOMP, 1)
    assert task.tsc_disabled
    assert [nr for nr in range(600) if task.allowed(nr)] == [0, 1, 15, 60]
    # Seen on Linux 6.18: int 0x80 with 173 (rt_sigreturn) kills, 119 (sigreturn) does not.
    assert [nr for nr in range(600) if task.allowed32(nr)] == [1, 3, 4, 119]


def test_filter_mode_leaves_the_time_stamp_counter_alone() -> None:
    task = Task()
    task.set(b"sys_exit: 1\non_next_syscall: 1")
    assert not task.tsc_disabled


@pytest.mark.parametrize("nr", [600, 1 << 30, (1 << 30) | 1, 1 << 32, (1 << 64) - 1])
def test_numbers_out_of_range_have_no_entry(nr: int) -> None:
    task = Task()
    task.set(b"sys_read: 1\nsys_write: 1\non_next_syscall: 1")
    assert not task.allowed(nr)


@pytest.mark.parametrize("compat", [False, True])
def test_calls_of_the_other_width_are_a_mismatch(compat: bool) -> None:
    task = Task()
    task.compat = compat
    task.set(b"sys_read: 1\nsys_write: 1\nsys_exit: 1\non_next_syscall: 1")
    own, other = (task.allowed32, task.allowed) if compat else (task.allowed, task.allowed32)
    assert [nr for nr in range(600) if own(nr)] == [0, 1, 60]
    assert not any(other(nr) for nr in range(600))


def test_upper_bits_of_an_argument_count() -> None:
    task = Task()
    task.set(b"sys_close: fd != 3\nsys_read: fd == 1\non_next_syscall: 1")
    assert not task.allowed(3, 3)
    assert task.allowed(3, 0x100000003)
    assert not task.allowed(0, 0x100000001)


def test_a_child_has_the_state_of_its_parent_and_its_own_future() -> None:
    parent = Task()
    parent.set(b"sys_read: 1\nsys_write: 1\non_next_syscall: 1")
    child = Task()
    child.state = parent.abi.fork(parent.state)
    assert child.state.filters is parent.state.filters
    child.set(b"sys_read: 0")
    assert not child.allowed(0) and parent.allowed(0)
    parent.set(b"sys_write: fd == 1")
    assert child.allowed(1, 2) and not parent.allowed(1, 2)


def test_a_child_inherits_an_armed_set_and_strict_mode() -> None:
    armed = Task()
    armed.set(b"sys_exit: 1")
    child = armed.abi.fork(armed.state)
    armed.abi.execve(child)
    assert child.enforcing and not armed.state.enforcing
    strict = Task()
    strict.prctl(PR_SET_SECCOMP, 1)
    child = strict.abi.fork(strict.state)
    assert (child.mode, child.calls) == (1, strict.state.calls)


def test_execve_keeps_an_enforced_set() -> None:
    task = Task()
    task.set(b"sys_read: fd == 0\non_next_syscall: 1")
    filters = task.state.filters
    task.abi.execve(task.state)
    assert task.state.filters is filters and task.state.enforcing


def test_a_large_set_costs_what_a_small_one_does() -> None:
    names = [f"sys_{name}" for name in table().names()]
    seconds = []
    for count in (4, len(names)):
        task = Task()
        lines = [f"{name}: nr >= 0\n" for name in names[:count]]
        task.set("".join(lines).encode() + b"on_next_syscall: 1")
        calls = task.state.calls
        assert calls is not None and len(calls) == count
        match = calls[1]
        assert match is not True
        match(1, 1, 0, 0, 0, 0, 0)  # from here on the compiled one stands in the table
        check = "f = get(1); f is True or (f is not None and f(1, 1, 0, 0, 0, 0, 0))"
        seconds.append(min(repeat(check, globals={"get": calls.get}, number=2000, repeat=25)))
    assert seconds[1] < 3 * seconds[0]


def test_unknown_surfaces_are_refused_with_those_there_are() -> None:
    assert get_abi("v1").name == "v1"
    assert get_abi("v1", ptregs_events=False).name == "v1"
    with pytest.raises(ValueError, match=r"'v3' \(there are: v1\)"):
        get_abi("v3")
