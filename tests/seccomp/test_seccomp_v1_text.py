"""v1: what prctl(PR_SET_SECCOMP, 2, text) takes, and what it leaves when it refuses."""

from __future__ import annotations

import pytest
from seccomp_task import ARGS, Task

from emukernel.kernel.errno import E2BIG, EACCES, EFAULT, EINVAL, EPERM, Errno
from emukernel.seccomp.abi.v1 import Changes
from emukernel.seccomp.filter_set import Entry, FilterSet
from emukernel.seccomp.mode import PR_GET_SECCOMP, PR_SET_SECCOMP

EXAMPLE = (
    b"sys_read: (fd == 1) || (fd == 2)\n"
    b"sys_write: (fd == 0)\n"
    b"sys_exit: 1\n"
    b"sys_exit_group: 1\n"
    b"on_next_syscall: 1\n"
)


def entries(task: Task) -> dict[str, bytes]:
    return {entry.name: entry.text for entry in task.state.filters}


def test_the_example_is_enforced_at_once() -> None:
    task = Task()
    assert task.set(EXAMPLE) == 0
    assert task.state.enforcing
    assert task.prctl(PR_GET_SECCOMP) == 2
    assert task.allowed(0, 1) and task.allowed(0, 2) and not task.allowed(0, 0)
    assert task.allowed(1, 0) and not task.allowed(1, 1)
    assert task.allowed(60) and task.allowed(231)
    assert not task.allowed(39)


@pytest.mark.parametrize("line", [b"", b"\non_next_syscall: 0", b"\n on_next_syscall :\t0 "])
def test_without_on_next_syscall_the_set_is_armed(line: bytes) -> None:
    task = Task()
    task.set(b"sys_exit: 1" + line)
    assert task.prctl(PR_GET_SECCOMP) == 2
    assert not task.state.enforcing
    assert task.allowed(39) and task.allowed32(20)
    task.abi.execve(task.state)
    assert task.state.enforcing
    assert not task.allowed(39) and task.allowed(60)


def test_an_armed_set_can_still_grow_and_be_enforced() -> None:
    task = Task()
    task.set(b"sys_exit: 1")
    task.set(b"sys_getpid: 1")
    assert task.allowed(57)
    task.set(b"on_next_syscall: 1")
    assert task.allowed(39) and task.allowed(60) and not task.allowed(57)


def test_execve_changes_nothing_without_a_set_or_in_strict_mode() -> None:
    task = Task()
    task.abi.execve(task.state)
    assert task.state.mode == 0 and task.allowed(39)
    task.prctl(PR_SET_SECCOMP, 1)
    task.abi.execve(task.state)
    assert task.state.mode == 1 and task.allowed(60) and not task.allowed(39)


def test_white_space_and_empty_lines_do_not_count() -> None:
    task = Task()
    task.set(b"\n \t \n  sys_read\t: \t fd == 0 \r\n\n\xa0sys_exit\xa0:\xa01\n\n")
    assert entries(task) == {"sys_read": b"fd == 0", "sys_exit": b"1"}


def test_an_empty_text_is_an_empty_set() -> None:
    task = Task()
    assert task.set(b"") == 0
    task.abi.execve(task.state)
    assert not task.allowed(60)


def test_the_same_name_narrows_in_one_text_and_over_several() -> None:
    task = Task()
    task.set(b"sys_write: fd == 1 || fd == 2\nsys_write: count < 16")
    assert entries(task) == {"sys_write": b"(fd == 1 || fd == 2) && (count < 16)"}
    task.set(b"sys_write: buf != 0\non_next_syscall: 1")
    text = b"((fd == 1 || fd == 2) && (count < 16)) && (buf != 0)"
    assert entries(task) == {"sys_write": text}
    assert task.allowed(1, 2, 8, 15)
    assert not task.allowed(1, 3, 8, 15)
    assert not task.allowed(1, 2, 8, 16)
    assert not task.allowed(1, 2, 0, 15)


def test_an_expression_over_1_becomes_the_entry() -> None:
    task = Task()
    task.set(b"sys_read: 1\nsys_read: fd == 0\nsys_exit: 1\nsys_exit: 1")
    assert entries(task) == {"sys_read": b"fd == 0", "sys_exit": b"1"}


def test_1_over_an_expression_is_handed_to_the_engine_as_written() -> None:
    task = Task()
    task.set(b"sys_read: fd == 0")
    with pytest.raises(Errno) as failed:
        task.set(b"sys_read: 1")
    assert failed.value.errno == EINVAL
    assert entries(task) == {"sys_read": b"fd == 0"}


def test_0_refuses_a_call() -> None:
    task = Task()
    task.set(b"sys_read: 1\nsys_write: fd == 1\nsys_exit: 1")
    task.set(b"sys_read: 0\nsys_getpid: 0")
    assert entries(task) == {"sys_write": b"fd == 1", "sys_exit": b"1"}
    task.set(b"sys_write: 0\non_next_syscall: 1")
    assert entries(task) == {"sys_exit": b"1"}
    assert not task.allowed(1, 1)


@pytest.mark.parametrize("text", [b"sys_read: 0\nsys_read: 1", b"sys_read: 1\nsys_read: 0"])
def test_0_narrows_whatever_the_order(text: bytes) -> None:
    task = Task()
    task.set(text)
    assert entries(task) == {}


def test_a_bad_expression_after_0_is_an_error_all_the_same() -> None:
    task = Task()
    with pytest.raises(Errno):
        task.set(b"sys_read: 0\nsys_read: fd")


def test_enforced_entries_are_narrowed_and_removed_at_once_but_not_added() -> None:
    task = Task()
    task.set(b"sys_prctl: 1\nsys_read: 1\nsys_write: 1\non_next_syscall: 1")
    task.set(b"sys_read: fd == 0")
    assert task.allowed(0, 0) and not task.allowed(0, 1)
    task.set(b"sys_write: 0\non_next_syscall: 0")
    assert task.state.enforcing and not task.allowed(1, 1)
    for text in (b"sys_write: 1", b"sys_getpid: 1", b"sys_getpid: nr == 39"):
        with pytest.raises(Errno) as failed:
            task.set(text)
        assert failed.value.errno == EACCES
    assert task.set(b"sys_getpid: 0") == 0
    assert entries(task) == {"sys_read": b"fd == 0", "sys_prctl": b"1"}


@pytest.mark.parametrize(
    "new", [b"fd == 0) || (fd == 1", b"fd == 1) || (nr == 0", b'fd == 1") || ("fd == 2']
)
def test_a_narrowing_can_not_break_out_of_its_parentheses(new: bytes) -> None:
    task = Task()
    task.set(b"sys_read: fd == 0\non_next_syscall: 1")
    with pytest.raises(Errno) as failed:
        task.set(b"sys_read: " + new)
    assert failed.value.errno == EINVAL
    assert not task.allowed(0, 1)


BAD_TEXTS = [
    b"sys_read 1",
    b"sys_exit: 1\nhello",
    b"# comment",
    b"sys_nosuchcall: 1",
    b"read: 1",
    b"sys_stat: 1",
    b"sys_enter_read: 1",
    b"SYS_READ: 1",
    b"sys_ read: 1",
    b": 1",
    b"sys_read:",
    b"sys_read: ",
    b"sys_read: 2",
    b"sys_read: 01",
    b"sys_read: fd",
    b"sys_read: fd ==",
    b"sys_read: fd == x",
    b"sys_read: nofield == 1",
    b"sys_read: (fd == 1",
    b"sys_read: fd == 1 fd == 2",
    b"sys_read: !(fd == 1)",
    b"sys_read: buf ~ abc",
    b"on_next_syscall: 2",
    b"on_next_syscall:",
    b"on_next_syscall: yes",
    b"\xff\xfe: 1",
    b"sys_read: fd == " + b"0" * 260,
    b"sys_read: " + b"fd == 1 || " * 23 + b"fd == 1",
]


@pytest.mark.parametrize("text", BAD_TEXTS)
def test_bad_texts_are_einval_and_leave_nothing(text: bytes) -> None:
    for before in (b"", b"sys_exit: 1\nsys_read: fd == 9"):
        task = Task()
        if before:
            task.set(before)
        filters = task.state.filters
        mode = task.state.mode
        with pytest.raises(Errno) as failed:
            task.set(b"sys_write: 1\non_next_syscall: 1\n" + text)
        if failed.value.errno != E2BIG:  # one that narrows sys_read instead of setting it
            assert failed.value.errno == EINVAL
        assert task.state.filters is filters
        assert (task.state.mode, task.state.enforcing) == (mode, False)
        assert task.state.calls is None


def spaced(size: int) -> bytes:
    """An expression of that many bytes."""
    return b"fd == 0 ||" + b" " * (size - 17) + b"fd == 1"


def test_255_bytes_are_an_expression_and_256_are_not() -> None:
    task = Task()
    task.set(b"sys_read: " + spaced(255))
    assert entries(task) == {"sys_read": spaced(255)}
    with pytest.raises(Errno) as failed:
        Task().set(b"sys_read: " + spaced(256))
    assert failed.value.errno == EINVAL


def test_narrowing_past_255_bytes_is_e2big() -> None:
    task = Task()
    task.set(b"sys_read: fd==0")
    with pytest.raises(Errno) as failed:
        task.set(b"sys_read: " + spaced(243))  # 8 bytes join it to the 5 there are
    assert failed.value.errno == E2BIG
    assert entries(task) == {"sys_read": b"fd==0"}
    task.set(b"sys_read: " + spaced(242))
    assert len(entries(task)["sys_read"]) == 255


def test_the_512th_entry_is_einval() -> None:
    # More entries than there are calls: only numbers that no call has can fill a set so far.
    events = Task().abi.events
    many = {1000 + nr: Entry(1000 + nr, "unknown", b"1", None) for nr in range(510)}
    changes = Changes(events, FilterSet(many), enforced=False)
    changes.apply(b"sys_read", b"1")
    with pytest.raises(Errno) as failed:
        changes.apply(b"sys_write", b"1")
    assert failed.value.errno == EINVAL
    changes.apply(b"sys_read", b"fd == 0")
    assert len(changes.entries) == 511


def test_null_and_unreadable_texts_are_efault() -> None:
    task = Task()
    for address in (0, 0xDEAD0000, (1 << 64) - 1):
        with pytest.raises(Errno) as failed:
            task.prctl(PR_SET_SECCOMP, 2, address)
        assert failed.value.errno == EFAULT
    assert task.state.mode == 0


def test_texts_have_less_than_64_kib() -> None:
    task = Task()
    assert task.set(b"sys_exit: 1".ljust(65535)) == 0
    with pytest.raises(Errno) as failed:
        task.set(b"sys_exit: 1".ljust(65536))
    assert failed.value.errno == EINVAL


@pytest.mark.parametrize("mode", [0, 3, 13, 1 << 32, (1 << 32) + 2, (1 << 64) - 1])
def test_bad_modes_are_einval(mode: int) -> None:
    task = Task()
    with pytest.raises(Errno) as failed:
        task.prctl(PR_SET_SECCOMP, mode, 0)
    assert failed.value.errno == EINVAL


def test_modes_can_not_be_switched() -> None:
    strict = Task()
    strict.prctl(PR_SET_SECCOMP, 1)
    for mode in (0, 1, 2, 3):
        with pytest.raises(Errno) as failed:
            strict.prctl(PR_SET_SECCOMP, mode, strict.place(b"sys_exit: 1"))
        assert failed.value.errno == EPERM
    for text in (b"sys_exit: 1", b"sys_exit: 1\non_next_syscall: 1"):
        task = Task()
        task.set(text)
        for mode in (0, 1, 3):
            with pytest.raises(Errno) as failed:
                task.prctl(PR_SET_SECCOMP, mode, 0)
            assert failed.value.errno == EPERM


def test_ptregs_events_decides_on_calls_without_an_event_in_2_6_39() -> None:
    names = [b"sys_clone", b"sys_fork", b"sys_execve", b"sys_rt_sigreturn", b"sys_pread64"]
    for name in names:
        Task().set(name + b": 1")
        with pytest.raises(Errno) as failed:
            Task(ptregs_events=False).set(name + b": 1")
        assert failed.value.errno == EINVAL
    Task(ptregs_events=False).set(b"sys_read: fd == 0")
    Task().set(b"sys_execve: name != 0\nsys_clone: clone_flags == 17")


def test_calls_go_by_their_metadata_names() -> None:
    task = Task()
    task.set(b"sys_newstat: 1\nsys_newuname: 1\nsys_sendfile64: 1\nsys_umount: 1\nsys_openat2: 1")
    assert [entry.nr for entry in task.state.filters] == [4, 40, 63, 166, 437]


def test_the_other_width_can_not_add_to_a_set() -> None:
    task = Task()
    task.set(b"sys_exit: 1\nsys_read: 1")
    task.compat = True
    with pytest.raises(Errno) as failed:
        task.set(b"sys_write: 1")
    assert failed.value.errno == EACCES
    task.set(b"sys_read: 0\non_next_syscall: 1")
    assert entries(task) == {"sys_exit": b"1"}
    assert task.allowed(60) and not task.allowed32(60)


def test_unknown_options_are_not_seccomps() -> None:
    task = Task()
    assert task.abi.options == {21, 22}
    assert task.abi.prctl(task.state, task, PR_GET_SECCOMP, *ARGS[:4]) == 0
