"""futex(2): six arguments whose meaning depends on the operation."""

from __future__ import annotations

from struct import unpack_from

from emukernel.strace.call import pointer
from emukernel.strace.kinds import array, memory
from emukernel.strace.names import enum, enum_set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

FUTEX_PRIVATE_FLAG = 128
FUTEX_CLOCK_REALTIME = 256
FUTEX_BITSET_MATCH_ANY = 0xFFFFFFFF
FUTEX_OP_OPARG_SHIFT = 8
FUTEX_32, FUTEX2_SIZE_MASK, WAITV_SIZE = 2, 3, 24

ARGUMENTS = {
    "FUTEX_WAIT": "val timeout",
    "FUTEX_WAKE": "val",
    "FUTEX_FD": "val",
    "FUTEX_REQUEUE": "val val2 uaddr2",
    "FUTEX_CMP_REQUEUE": "val val2 uaddr2 val3",
    "FUTEX_WAKE_OP": "val val2 uaddr2 wake_op",
    "FUTEX_LOCK_PI": "- timeout",
    "FUTEX_LOCK_PI2": "- timeout",
    "FUTEX_UNLOCK_PI": "",
    "FUTEX_TRYLOCK_PI": "",
    "FUTEX_WAIT_BITSET": "val timeout - bitset",
    "FUTEX_WAKE_BITSET": "val - - bitset",
    "FUTEX_WAIT_REQUEUE_PI": "val timeout uaddr2",
    "FUTEX_CMP_REQUEUE_PI": "val val2 uaddr2 val3",
}
"""What the third to sixth arguments are, by operation; `-` for one that is not looked at."""


def op(call: Call, i: int) -> str:
    """`FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME`."""
    value = call.value(i)
    name = _operation(value)
    if name is None:
        return enum("process.futex", value)
    private = "_PRIVATE" if value & FUTEX_PRIVATE_FLAG else ""
    clock = "|FUTEX_CLOCK_REALTIME" if value & FUTEX_CLOCK_REALTIME else ""
    return f"{name}{private}{clock}"


def arg(call: Call, i: int) -> str:
    """The arguments behind the operation."""
    name = _operation(call.value(1))
    if name is None:
        return str(call.value(i)) if i == 2 else f"{call.args[i]:#x}"
    roles = ARGUMENTS[name].split()
    role = roles[i - 2] if i - 2 < len(roles) else "-"
    return _show(call, i, role)


def _show(call: Call, i: int, role: str) -> str:
    if role == "-":
        return ""
    if role == "timeout":
        return memory(call, "timespec", call.args[i])
    if role == "uaddr2":
        return pointer(call.args[i])
    value = call.args[i] & 0xFFFFFFFF
    if role == "bitset":
        return "FUTEX_BITSET_MATCH_ANY" if value == FUTEX_BITSET_MATCH_ANY else f"{value:#x}"
    if role == "wake_op":
        return wake_op(value)
    return str(value)


def wake_op(value: int) -> str:
    """How FUTEX_WAKE_OP is put together (FUTEX_OP of linux/futex.h)."""
    shift = "FUTEX_OP_OPARG_SHIFT<<28|" if value >> 28 & FUTEX_OP_OPARG_SHIFT else ""
    operation = enum("process.futex_op", value >> 28 & 7)
    compare = enum("process.futex_cmp", value >> 24 & 15)
    return f"{shift}{operation}<<28|{value >> 12 & 0xFFF:#x}<<12|{compare}<<24|{value & 0xFFF:#x}"


def waitv(call: Call, address: int, count: int | None) -> str | None:
    """The struct futex_waitv of futex_waitv(2)."""

    def element(at: int) -> str | None:
        data = call.read(at, WAITV_SIZE)
        if data is None:
            return None
        value, uaddr, bits, reserved = unpack_from("<QQII", data)
        text = f"{{val={value:#x}" if value else "{val=0"
        text += f", uaddr={pointer(uaddr)}, flags={_size(bits)}"
        return f"{text}, __reserved={reserved:#x}}}" if reserved else f"{text}}}"

    return array(address, count or 0, WAITV_SIZE, element)


def _size(bits: int) -> str:
    """The flags of a struct futex_waitv: the futex's size and others."""
    words = ["FUTEX_32"] if bits & FUTEX2_SIZE_MASK == FUTEX_32 else []
    rest = bits & ~FUTEX_32 if words else bits
    if rest & FUTEX_PRIVATE_FLAG:
        words.append("FUTEX_PRIVATE_FLAG")
        rest &= ~FUTEX_PRIVATE_FLAG
    if rest:
        words.append(f"{rest:#x}" if words else f"{rest:#x} /* FUTEX_??? */")
    return "|".join(words) or "0"


def _operation(value: int) -> str | None:
    command = value & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)
    return enum_set("process.futex")[1].get(command)
