"""execve(2)'s vectors."""

from __future__ import annotations

from emukernel.strace.call import MAX_READ, PAGE, pointer
from emukernel.strace.kinds import array, text_at
from emukernel.strace.literal import STRING_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

MAX_STRINGS = 8192
"""Strings that are counted of a vector."""


def argv(call: Call, i: int) -> str:
    """The strings of a vector that ends in NULL."""
    address = call.args[i]
    count, whole = _count(call, address)
    if not whole and not count:
        return pointer(address)

    def element(at: int) -> str | None:
        string = call.integer(at, 8)
        if string is None:
            return None
        return text_at(call, string, STRING_LIMIT) or pointer(string)

    return array(address, count + (not whole), 8, element) or pointer(address)


def envp(call: Call, i: int) -> str:
    """How many strings a vector has: `0x7ffe0000 /* 24 vars */`."""
    address = call.args[i]
    count, whole = _count(call, address)
    if not whole and not count:
        return pointer(address)
    more = "" if whole else " or more"
    return f"{pointer(address)} /* {count}{more} var{'s' if count != 1 else ''} */"


def _count(call: Call, address: int) -> tuple[int, bool]:
    """The strings before the NULL, and whether there was one within reach."""
    count = 0
    while address and count < MAX_STRINGS:
        size = min((PAGE - address % PAGE) // 8 * 8 or 8, MAX_READ)
        data = call.read(address, size)
        if data is None:
            break
        for at in range(0, size, 8):
            if not any(data[at : at + 8]):
                return count, True
            count += 1
        address += size
    return count, False
