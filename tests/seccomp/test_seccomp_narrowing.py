"""An enforced set never gets looser, and a refused request changes nothing: over random texts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from seccomp_task import Task

from emukernel.kernel.errno import Errno
from emukernel.seccomp.mode import PR_SET_SECCOMP

NAMES = ("sys_read", "sys_write", "sys_close", "sys_getpid", "sys_exit")
NUMBERS = (0, 1, 3, 39, 60, 57)
VALUES = (0, 1, 2, 3, 0x100000003, (1 << 64) - 1)

comparison = st.builds(
    "{} {} {}".format,
    st.sampled_from(("fd", "nr", "count", "common_pid")),
    st.sampled_from(("==", "!=", "<", "<=", ">", ">=")),
    st.sampled_from(VALUES),
)
expression = st.recursive(
    comparison,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(("&&", "||")), inner),
    max_leaves=4,
)
# What tries to break out of the parentheses that narrowing puts around it.
breakout = st.builds("{}) || ({}".format, expression, expression)
hostile = st.lists(
    st.one_of(comparison, st.sampled_from(("(", ")", "&&", "||", '"', " ", "1", "fd", ") || ("))),
    max_size=7,
).map("".join)
line = st.builds(
    "{}: {}".format,
    st.sampled_from(NAMES),
    st.one_of(expression, breakout, hostile, st.sampled_from(("0", "1"))),
)
text = st.one_of(
    st.lists(line, max_size=4),
    st.lists(st.one_of(line, st.text(max_size=12)), max_size=5),
).map(lambda lines: "\n".join(lines).encode())


def passing(task: Task) -> set[tuple[int, int, int]]:
    return {
        (nr, first, third)
        for nr in NUMBERS
        for first in VALUES
        for third in (0, 2)
        if task.allowed(nr, first, 7, third)
    }


def try_to_set(task: Task, request: bytes) -> bool:
    try:
        task.set(request)
    except Errno:
        return False
    return True


@given(st.lists(line, max_size=5), st.lists(text, min_size=1, max_size=3))
@settings(max_examples=400)
def test_enforced_sets_only_lose_permissions(first: list[str], later: list[bytes]) -> None:
    task = Task()
    for entry in first:
        try_to_set(task, entry.encode())
    task.set(b"on_next_syscall: 1")
    for request in later:
        before = passing(task)
        filters = task.state.filters
        if not try_to_set(task, request):
            assert task.state.filters is filters
        assert passing(task) <= before
        assert task.state.enforcing and task.state.mode == 2


@given(expression, st.one_of(expression, breakout, hostile))
@settings(max_examples=400)
def test_narrowing_is_a_conjunction(old: str, new: str) -> None:
    task, alone = Task(), Task()
    if not try_to_set(task, f"sys_write: {old}\non_next_syscall: 1".encode()):
        return
    before = passing(task)
    if try_to_set(task, f"sys_write: {new}".encode()) and new != "0":
        alone.set(f"sys_write: {new}\non_next_syscall: 1".encode())
        assert passing(task) == before & passing(alone)
    else:
        assert passing(task) == (set() if new == "0" else before)


@given(st.lists(line, max_size=4), text)
@settings(max_examples=300)
def test_all_or_nothing(first: list[str], request: bytes) -> None:
    task = Task()
    for entry in first:
        try_to_set(task, entry.encode())
    state = task.state
    before = {name: getattr(state, name) for name in state.__slots__}
    if not try_to_set(task, request):
        assert {name: getattr(state, name) for name in state.__slots__} == before


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_are_taken_or_refused(request: bytes) -> None:
    task = Task()
    if try_to_set(task, request):
        assert task.state.mode == 2
    else:
        assert task.state.mode == 0


@given(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 64) - 1))
def test_any_mode_and_address(mode: int, address: int) -> None:
    task = Task()
    try:
        task.prctl(PR_SET_SECCOMP, mode, address)
    except Errno:
        assert task.state.mode == 0
    else:
        assert task.state.mode == 1
