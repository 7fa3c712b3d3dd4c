"""mount(2)."""

from __future__ import annotations

from emukernel.strace.kinds import decode_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

WITHOUT_DATA = 0x1000 | 0x2000 | 0x20000 | 0x40000 | 0x80000 | 0x100000
"""MS_BIND, MS_MOVE and the kinds of propagation."""


def data(call: Call, i: int) -> str | None:
    """The file system's options; the flags stand before them."""
    return decode_as(call, i, "address" if call.value(i - 1) & WITHOUT_DATA else "string")
