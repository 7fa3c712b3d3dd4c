"""From a number and six registers to the handler: casts, and calls that there are not."""

from __future__ import annotations

import ctypes
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emukernel.kernel.errno import ENOSYS, Errno
from emukernel.kernel.syscalls import dispatch, i386, levels
from emukernel.kernel.syscalls.signature import WIDTHS, cast, parse, type_width
from emukernel.kernel.syscalls.table import SYSCALLS

C_TYPES = {
    "int": ctypes.c_int32,
    "unsigned int": ctypes.c_uint32,
    "umode_t": ctypes.c_uint16,
    "long": ctypes.c_int64,
    "unsigned long": ctypes.c_uint64,
    "pid_t": ctypes.c_int32,
    "uid_t": ctypes.c_uint32,
    "qid_t": ctypes.c_uint32,
    "loff_t": ctypes.c_int64,
    "size_t": ctypes.c_uint64,
    "aio_context_t": ctypes.c_uint64,
    "key_serial_t": ctypes.c_int32,
    "rwf_t": ctypes.c_int32,
    "const clockid_t": ctypes.c_int32,
    "timer_t": ctypes.c_int32,
    "char *": ctypes.c_uint64,
    "cap_user_header_t": ctypes.c_uint64,
    "enum landlock_rule_type": ctypes.c_uint32,
}

registers = st.one_of(
    st.integers(0, 2**64 - 1),
    st.sampled_from([0, 1, 0xFFFF, 0x10000, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63]),
)


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def printk(self, text: str) -> None:
        self.lines.append(text)


def make_task() -> SimpleNamespace:
    return SimpleNamespace(kernel=SimpleNamespace(log=Log(), unimplemented=set()))


def test_every_type_is_known() -> None:
    types = {p.type for row in SYSCALLS for p in parse(row[3]).parameters}
    for type in types:
        assert abs(type_width(type)) in (16, 32, 64)
    used = {type.removeprefix("const ") for type in types}
    assert WIDTHS.keys() <= used | {"__u32", "__u64", "__s32"}
    with pytest.raises(KeyError):
        type_width("struct stat")


@given(st.sampled_from(sorted(C_TYPES)), registers)
def test_casts_are_those_of_c(type: str, register: int) -> None:
    expected = C_TYPES[type](register).value
    assert cast(register, type_width(type)) == expected
    handler = dispatch.casting(lambda task, value: value, [type_width(type)])
    assert handler(None, register, 1, 2, 3, 4, 5) == expected


def test_arguments_are_in_their_order() -> None:
    handler = dispatch.casting(lambda task, *args: (task, *args), [64, -32, 32, -64, 16, 64])
    minus = 2**64 - 5
    assert handler("task", 1, minus, minus, minus, minus, minus) == (
        "task",
        1,
        -5,
        2**32 - 5,
        -5,
        2**16 - 5,
        minus,
    )


def test_a_handler_is_found_and_cast(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("emukernel.kernel.prctl")
    module.sys_prctl = lambda task, *args: args  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "emukernel.kernel.prctl", module)
    assert dispatch.resolve(157)(None, 2**32 + 2**31, 2**64 - 1, 0, 0, 0, 9) == (
        -(2**31),
        2**64 - 1,
        0,
        0,
        0,
    )


def test_a_call_without_a_handler_is_noted_once() -> None:
    task = make_task()
    row = next(row for row in SYSCALLS if not row[2])
    handler = dispatch.resolve(row[0])
    for _ in range(3):
        with pytest.raises(Errno) as raised:
            handler(task, 1, 2, 3, 4, 5, 6)
        assert raised.value.errno == ENOSYS
    assert len(task.kernel.log.lines) == 1
    assert f"sys_{row[1]}" in task.kernel.log.lines[0]


@pytest.mark.parametrize("nr", [335, 423, 451, 512, 2**32, -1, -(2**31), 2**64 - 1])
def test_a_number_outside_the_table_is_enosys(nr: int) -> None:
    task = make_task()
    with pytest.raises(Errno) as raised:
        dispatch.resolve(nr)(task, 0, 0, 0, 0, 0, 0)
    assert raised.value.errno == ENOSYS
    assert not task.kernel.log.lines
    assert dispatch.resolve(nr) is dispatch.resolve(5000)


def test_i386_casts(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("emukernel.kernel.fs.read_write")
    module.sys_lseek = lambda task, *args: args  # type: ignore[attr-defined]
    module.sys_read = lambda task, *args: args  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "emukernel.kernel.fs.read_write", module)
    # off_t is signed and has 32 bits; a size_t is not signed.
    assert i386.resolve(19)(None, 3, 0xFFFFFFFF, 2, 0, 0, 0) == (3, -1, 2)
    assert i386.resolve(3)(None, 3, 0xFFFFF000, 0xFFFFFFFF, 0, 0, 0) == (3, 0xFFFFF000, 0xFFFFFFFF)
    with pytest.raises(Errno):
        i386.resolve(2)(make_task(), 0, 0, 0, 0, 0, 0)


def test_levels(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("emukernel.kernel.fs.read_write")
    module.sys_read = lambda task, *args: args  # type: ignore[attr-defined]
    monkeypatch.setitem(__import__("sys").modules, "emukernel.kernel.fs.read_write", module)
    read = next(row for row in SYSCALLS if row[1] == "read")
    none = next(row for row in SYSCALLS if not row[2])
    assert levels.level(read, {}) == levels.PARTIAL
    assert levels.level(read, {"read": ["read_errno"]}) == levels.FULL
    assert levels.level(none, {none[1]: ["x"]}) == levels.NONE
    assert levels.evidence(f"{tmp_path}/absent.json") == {}
