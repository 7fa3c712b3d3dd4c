"""personality(2)."""

from __future__ import annotations

from emukernel.strace.names import enum, more_flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

PER_MASK = 0xFF
QUERY = 0xFFFFFFFF


def _names(value: int) -> str:
    rest = value & ~PER_MASK
    domain = enum("process.persona", value & PER_MASK)
    return f"{domain}|{more_flags('process.persona', rest)}" if rest else domain


def persona(call: Call, i: int) -> str:
    value = call.value(i)
    return "0xffffffff" if value == QUERY else _names(value)


def result(call: Call) -> str:
    assert call.ret is not None
    return f"{call.ret:#x} ({_names(call.ret)})" if call.ret else f"0 ({_names(0)})"
