"""What the kinds of a signature mean: an argument as text.

The table's docstring (kernel/syscalls/table.py) lists the kinds. A kind with a dot is a function of
the subject's module: `fcntl.arg` is `arg` of strace/fcntl.py. There are three sorts:

    of an argument      f(call, i) -> text, "" to leave it out, None for "when the call is back"
    of pointed-to data  f(call, address, count) -> text, None where the memory can't be read
    of the result       f(call) -> text, from `call.ret`
"""

from __future__ import annotations

from emukernel.strace import layout
from emukernel.strace.call import pointer
from emukernel.strace.literal import PATH_LIMIT, STRING_LIMIT, quote, quote_hex
from emukernel.strace.scalar import scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.strace.call import Call

ARRAY_LIMIT = 32
"""Elements that are shown of an array."""

INTEGERS = {
    "int": (4, True, ""),
    "unsigned": (4, False, ""),
    "length": (4, True, ""),
    "uid": (4, False, "uid"),
    "long": (8, True, ""),
    "offset": (8, True, ""),
    "unsigned long": (8, False, ""),
    "address_at": (8, False, "address"),
    "signal": (4, True, "signal"),
    "tsc": (4, True, "enum process.tsc"),
    "seccomp_ret": (4, False, "enum process.seccomp_ret"),
}
"""Types that are one integer: bytes, signed, kind."""

_functions: dict[str, Any] = {}


def function(kind: str) -> Any:
    """The function that a kind with a dot names."""
    found = _functions.get(kind)
    if found is None:
        module, _, name = kind.partition(".")
        found = getattr(__import__(f"emukernel.strace.{module}", fromlist=("*",)), name)
        _functions[kind] = found
    return found


def decode(call: Call, i: int) -> str | None:
    """Argument `i` as text; None as long as only the call's end will tell, "" to leave it out."""
    parameter = call.parameters[i]
    return decode_as(call, i, parameter.kind or ("address" if parameter.is_pointer else ""))


def decode_as(call: Call, i: int, kind: str) -> str | None:
    """Argument `i` as text, of another kind than the signature says."""
    word, _, rest = kind.partition(" ")
    if rest and word in ("in", "out", "inout"):
        return _pointed(call, i, word, rest)
    if kind in ("path", "string"):
        limit = PATH_LIMIT if kind == "path" else STRING_LIMIT
        return text_at(call, call.args[i], limit) or pointer(call.args[i])
    if kind == "omitted":
        return ""
    if "." in kind and not rest:
        text: str | None = function(kind)(call, i)
        return text
    return scalar(kind, call.value(i))


def result(call: Call) -> str:
    """What the call returned, where it was no error."""
    assert call.ret is not None
    kind = call.result
    if "." in kind:
        text: str = function(kind)(call)
        return text
    if kind == "address":
        return hex(call.ret & 0xFFFFFFFFFFFFFFFF)
    if kind == "mode":
        return scalar("mode", call.ret)
    if kind == "signal":
        return f"{call.ret} ({scalar('signal', call.ret)})"
    return str(call.ret)


def _pointed(call: Call, i: int, direction: str, type: str) -> str | None:
    address = call.args[i]
    if direction == "out" and not call.exited:
        return None
    if direction == "inout":
        if not call.exited:
            call.kept[i] = memory(call, type, address)
            return None
        before = call.kept[i]
        after = before if call.failed else memory(call, type, address)
        if after == before:
            return before
        if type == "offset":
            return f"{before} => {after}"
        return f"{before[:-1]} => {after[1:]}"
    if direction == "out" and call.failed:
        return pointer(address)
    return memory(call, type, address)


def memory(call: Call, type: str, address: int) -> str:
    """What is at `address`, as `type` says; the address itself where it can't be read."""
    if address == 0:
        return "NULL"
    base, bracket, length = type.partition("[")
    count = None
    if bracket:
        count = _count(call, length[:-1])
        if count is None:
            return pointer(address)
    text = _typed(call, base, address, count)
    return pointer(address) if text is None else text


def _count(call: Call, length: str) -> int | None:
    if length == "ret":
        return call.ret
    if length.isdigit():
        return int(length)
    if length[0] == "*":
        return call.integer(call.named(length[1:]), 4, signed=True)
    return call.named(length)


def _typed(call: Call, base: str, address: int, count: int | None) -> str | None:
    if base == "bytes":
        return bytes_at(call, address, 0 if count is None else count)
    if base == "random_bytes":
        return bytes_at(call, address, 0 if count is None else count, quote_hex)
    if base == "path":
        return text_at(call, address, PATH_LIMIT)
    if "." in base:
        text: str | None = function(base)(call, address, count)
        return text
    if base in INTEGERS:
        size, signed, kind = INTEGERS[base]

        def integer(at: int) -> str | None:
            value = call.integer(at, size, signed=signed)
            return None if value is None else scalar(kind, value)

        if count is None:
            one = integer(address)
            return None if one is None else f"[{one}]"
        return array(address, count, size, integer)

    struct = layout.struct(base)

    def record(at: int) -> str | None:
        data = call.read(at, struct.size)
        return None if data is None else struct.show(data)

    if count is None:
        return record(address)
    return array(address, count, struct.size, record)


def array(address: int, count: int, size: int, element: Any) -> str | None:
    """`[1, 2, 3]`: `count` elements of `size` bytes, 32 at most, each by `element(address)`. Where
    the memory ends in the middle it says so; None where it does at the start."""
    texts: list[str] = []
    for i in range(min(count, ARRAY_LIMIT)):
        text = element(address + i * size)
        if text is None:
            if not texts:
                return None
            texts.append(f"... /* {address + i * size:#x} */")
            break
        texts.append(text)
    else:
        if count > ARRAY_LIMIT:
            texts.append("...")
    return f"[{', '.join(texts)}]"


def bytes_at(call: Call, address: int, count: int, literal: Any = quote) -> str | None:
    """`count` bytes as a string, cut where strace cuts one."""
    data = call.read(address, min(count, STRING_LIMIT))
    if data is None or count < 0:
        return None
    text: str = literal(data, count > STRING_LIMIT)
    return text


def text_at(call: Call, address: int, limit: int) -> str | None:
    """The string at `address`, up to `limit` bytes of it; None where there is none."""
    found = call.string(address, limit) if address else None
    return quote(*found) if found else None
