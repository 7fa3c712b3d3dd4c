"""Policy files: what is an entry, and how errors are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from emukernel.policy import Policy, PolicyError
from emukernel.seccomp.abi.v1 import V1
from emukernel.seccomp.state import SeccompState

EXAMPLE = """\
# A filter program.
sys_read: fd == 0

  sys_write :  fd == 1 || fd == 2   # and nowhere else
sys_write: count < 4096
sys_exit_group: 1
on_next_syscall: 1
"""


def problems(text: str | bytes, **options: bool) -> list[str]:
    """What the policy's error says, without the lines that show the place."""
    with pytest.raises(PolicyError) as failed:
        Policy.from_text(text, file="p", **options)
    return [f"{problem.place}: {problem.message}" for problem in failed.value.problems]


def test_entries_have_places() -> None:
    policy = Policy.from_text(EXAMPLE)
    found = [(e.name, e.expression, e.line, e.name_column, e.expression_column, e.nr)
             for e in policy.entries]
    assert found == [
        ("sys_read", "fd == 0", 2, 1, 11, 0),
        ("sys_write", "fd == 1 || fd == 2", 4, 3, 16, 1),
        ("sys_write", "count < 4096", 5, 1, 12, 1),
        ("sys_exit_group", "1", 6, 1, 17, 231),
        ("on_next_syscall", "1", 7, 1, 18, None),
    ]
    assert policy.on_next_syscall
    assert {entry.name: entry.text for entry in policy.filters} == {
        "sys_read": b"fd == 0",
        "sys_write": b"(fd == 1 || fd == 2) && (count < 4096)",
        "sys_exit_group": b"1",
    }


def test_the_kernel_takes_the_text_and_makes_the_same_set() -> None:
    policy = Policy.from_text(EXAMPLE)
    assert policy.to_text() == (
        b"sys_read: fd == 0\n"
        b"sys_write: fd == 1 || fd == 2\n"
        b"sys_write: count < 4096\n"
        b"sys_exit_group: 1\n"
        b"on_next_syscall: 1\n"
    )
    state = SeccompState()
    V1().set_text(state, policy.to_text())
    assert state.enforcing
    assert [(e.nr, e.text) for e in state.filters] == [(e.nr, e.text) for e in policy.filters]


def test_line_ends_and_byte_order_mark() -> None:
    policy = Policy.from_text(b"\xef\xbb\xbfsys_read: fd == 0\r\n# x\r\n\r\nsys_exit: 1\r\n")
    assert [(e.name, e.expression) for e in policy.entries] == [
        ("sys_read", "fd == 0"),
        ("sys_exit", "1"),
    ]


def test_comments() -> None:
    text = "# sys_read: 1\n\t# é\nsys_exit: 1 # 1\nsys_read:fd == 0#x:y"
    policy = Policy.from_text(text)
    assert [(e.name, e.expression) for e in policy.entries] == [
        ("sys_exit", "1"),
        ("sys_read", "fd == 0"),
    ]


def test_a_policy_may_be_empty() -> None:
    policy = Policy.from_text("# nothing\n")
    assert (len(policy.filters), policy.on_next_syscall, policy.to_text()) == (0, False, b"")


def test_from_entries() -> None:
    pairs = [("sys_read", "fd == 0"), ("sys_exit", "1")]
    policy = Policy.from_entries(pairs, on_next_syscall=True)
    assert policy.to_text() == b"sys_read: fd == 0\nsys_exit: 1\non_next_syscall: 1\n"
    assert not Policy.from_entries(pairs).on_next_syscall


@pytest.mark.parametrize(
    "pair",
    [
        ("sys_read", "1\nsys_write: 1"),
        ("sys_read: 1\nsys_write", "1"),
        ("sys_read", "1 # x"),
        ("sys_read: fd == 0 ||", "nr == 0"),
        ("", "1"),
        ("sys_read", ""),
        ("sys_rea", "1"),
        ("sys_read", "fd == \x00"),
        ("sys_\ud800", "1"),
    ],
)
def test_from_entries_takes_one_entry_a_pair(pair: tuple[str, str]) -> None:
    with pytest.raises(PolicyError):
        Policy.from_entries([pair])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sys_raed: 1", "p:1:1: unknown call 'sys_raed' (did you mean 'sys_read'"),
        ("read: 1", "p:1:1: unknown call 'read'; the kernel's name for it is sys_read"),
        ("SYS_READ: 1", "p:1:1: unknown call 'SYS_READ'; the kernel's name for it is sys_read"),
        ("__NR_read: 1", "p:1:1: unknown call '__NR_read'; the kernel's name for it is sys_read"),
        ("sys_enter_read: 1", "p:1:1: unknown call 'sys_enter_read'; the kernel's name"),
        ("stub_clone: 1", "p:1:1: unknown call 'stub_clone'; the kernel's name for it is"),
        ("sys_stat: 1", "p:1:1: unknown call 'sys_stat'; the kernel's name for it is sys_newstat"),
        ("sys_uname: 1", "p:1:1: unknown call 'sys_uname'; the kernel's name for it is sys_newun"),
        ("zzzzzzzz: 1", "p:1:1: unknown call 'zzzzzzzz'"),
        ("on_next_call: 1", "p:1:1: unknown call 'on_next_call'"),
        ("sys_write 1", "p:1:1: no colon: an entry is NAME: EXPRESSION"),
        ("  # c\n  x", "p:2:3: no colon"),
        (": 1", "p:1:1: no name before the colon"),
        ("sys_read:", "p:1:9: no expression for 'sys_read': 1 allows every call, 0 refuses it"),
        ("sys_read: # 1", "p:1:9: no expression for 'sys_read'"),
        ("on_next_syscall: 2", "p:1:18: on_next_syscall is 0 or 1, not '2'"),
        ("sys_write:  size == 3", "p:1:13: Field not found: sys_write has no field 'size'"),
        ("sys_write: cuont == 3", "did you mean 'count'"),
        ("sys_write: fd = 3", "p:1:15: Invalid operator"),
        ("sys_write: (fd == 3", "p:1:12: Unbalanced parens"),
        ("sys_write: fd == 1 && count == x", "p:1:32: Illegal integer value"),
        ("\tsys_write: fd", "p:1:13: Meaningless filter expression"),
        ("sys_write: fd == é", "p:1:18: 'é' is not ASCII, and only comments can have it"),
        ("sys_read:\u00a01", "p:1:10: '\\xa0' is not ASCII, and only comments can have it"),
        ("sys_read: 1\nsys_read: fd == 0\n\nsys_read: 1", "p:4:11: line 2 has an expression"),
        ("sys_read: fd == 0\nsys_read: fd = 0", "p:2:14: Invalid operator"),
        ('sys_read: fd == "0\nsys_read: fd == 1', "p:2:11: the kernel can't join it to that of"),
        ("sys_read: fd == " + "0" * 250, "p:1:11: 256 bytes; an expression has at most 255"),
        (
            f"sys_read: fd == {'0' * 120}\nsys_read: fd == {'0' * 130}",
            "p:2:11: narrows line 1 to 270 bytes; an expression has at most 255",
        ),
    ],
)
def test_errors_say_what_and_where(text: str, expected: str) -> None:
    (found,) = problems(text)
    assert expected in found


def test_a_call_without_an_event() -> None:
    expected = "p:1:1: sys_clone has no event in 2.6.39, and ptregs_events is off"
    assert problems("sys_clone: 1", ptregs_events=False) == [expected]


def test_an_error_shows_its_line_with_carets() -> None:
    with pytest.raises(PolicyError) as failed:
        Policy.from_text("sys_exit: 1\n\tsys_write: size == 3  # why\r\n", file="a.policy")
    head, line, mark = str(failed.value).split("\n")
    assert head.startswith("a.policy:2:13: Field not found: sys_write has no field 'size'")
    assert line == "     sys_write: size == 3  # why"
    assert mark == "                ^^^^"


def test_all_errors_are_reported_at_once() -> None:
    text = "sys_read 1\nsys_exit: 1\nsys_foo: 1\nsys_write: x\n"
    assert [problem.split(": ")[0] for problem in problems(text)] == ["p:1:1", "p:3:1", "p:4:12"]


def test_after_twenty_errors_the_rest_is_not_looked_at() -> None:
    found = problems("nothing\n" * 100_000)
    assert len(found) == 21
    assert found[-1] == "p: too many errors; the rest was not looked at"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"sys_exit: 1\nsys_read: \xff\n", "p:2:11: byte 0xff is not UTF-8"),
        (b"sys_exit: 1\n# \xe9t\xe9\n", "p:2:3: byte 0xe9 is not UTF-8"),
        (b"sys_exit: 1\n\0\xff", "p:2:1: a NUL byte"),
        (b"\x7fELF\x02\x01\x01\0", "p:1:8: a NUL byte"),
        (b"\xff\xfes\0y\0s\0", "p:1:1: byte 0xff is not UTF-8"),
        (b"sys_" + b"x" * 100_000 + b": 1", "p:1:1: unknown call 'sys_xxx"),
        (b"sys_read: fd == " + b"1" * 100_000, "p:1:11: 100006 bytes; an expression has at most"),
        (b"y" * 100_000, "p:1:1: no colon"),
        (b"#" * 10_000_000, "p: more than 1024 KiB; the kernel takes 64 KiB of entries"),
    ],
)
def test_files_that_are_no_policy(data: bytes, expected: str) -> None:
    with pytest.raises(PolicyError) as failed:
        Policy.from_text(data, file="p")
    (problem,) = failed.value.problems
    assert f"{problem.place}: {problem.message}".startswith(expected)
    assert all(len(line) < 250 for line in str(failed.value).split("\n"))


def test_more_entries_than_the_kernel_takes() -> None:
    line = "sys_read: 1\n"
    assert Policy.from_text(line * 5461).to_text() == line.encode() * 5461  # 65,532 bytes
    (found,) = problems(line * 5462)
    assert found == "p: the entries take 65544 bytes; the kernel takes 65535"


def test_files(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_text(EXAMPLE)
    assert Policy.from_file(str(good)).to_text() == Policy.from_text(EXAMPLE).to_text()
    for path, reason in (
        (str(tmp_path), "Is a directory"),
        (str(tmp_path / "missing"), "No such file or directory"),
        (str(good / "x"), "Not a directory"),
    ):
        with pytest.raises(PolicyError) as failed:
            Policy.from_file(path)
        assert str(failed.value) == f"{path}: can't read it: {reason}"
    with pytest.raises(PolicyError, match="not a file name"):
        Policy.from_file("a\0b")
