"""capget(2) and capset(2)."""

from __future__ import annotations

from struct import unpack_from

from emukernel.strace.names import enum, enum_set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

VERSION_1 = 0x19980330
HEADER_SIZE = 8
DATA_SIZE = 12


def header(call: Call, address: int, count: int | None) -> str | None:
    data = call.read(address, HEADER_SIZE)
    if data is None:
        return None
    version, pid = unpack_from("<Ii", data)
    return f"{{version={enum('process.cap_version', version)}, pid={pid}}}"


def data(call: Call, address: int, count: int | None) -> str | None:
    """The sets: 32 capabilities each in version 1, 64 in two halves from version 2 on."""
    version = call.integer(call.args[0], 4)
    halves = 1 if version == VERSION_1 else 2
    memory = call.read(address, DATA_SIZE * halves)
    if memory is None:
        return None
    words = unpack_from(f"<{3 * halves}I", memory)
    texts = []
    for i, name in enumerate(("effective", "permitted", "inheritable")):
        bits = words[i] | (words[i + 3] << 32 if halves == 2 else 0)
        texts.append(f"{name}={sets(bits)}")
    return f"{{{', '.join(texts)}}}"


def sets(bits: int) -> str:
    """`1<<CAP_CHOWN|1<<CAP_KILL`."""
    names = enum_set("process.cap")[1]
    texts = [f"1<<{name}" for number, name in sorted(names.items()) if bits >> number & 1]
    rest = bits & ~sum(1 << number for number in names)
    if rest:
        texts.append(f"{rest:#x}")
    return "|".join(texts) or "0"
