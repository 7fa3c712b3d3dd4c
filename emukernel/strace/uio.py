"""struct iovec of readv(2), writev(2) and their kind."""

from __future__ import annotations

from emukernel.strace.call import pointer
from emukernel.strace.kinds import array, bytes_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

IOVEC_SIZE = 16


def iovec(call: Call, address: int, count: int | None) -> str | None:
    """The segments with what is in them: of a call that is back, with the bytes it moved."""
    left = call.ret

    def element(at: int) -> str | None:
        nonlocal left
        data = call.read(at, IOVEC_SIZE)
        if data is None:
            return None
        base = int.from_bytes(data[:8], "little")
        length = int.from_bytes(data[8:], "little")
        filled = length if left is None else min(length, left)
        if left is not None:
            left -= filled
        text = bytes_at(call, base, filled) if base else None
        return f"{{iov_base={text or pointer(base)}, iov_len={length}}}"

    return array(address, count or 0, IOVEC_SIZE, element)


def iovec_addresses(call: Call, address: int, count: int | None) -> str | None:
    """The segments as addresses: another task's, or of a call that failed."""

    def element(at: int) -> str | None:
        data = call.read(at, IOVEC_SIZE)
        if data is None:
            return None
        base = int.from_bytes(data[:8], "little")
        return f"{{iov_base={pointer(base)}, iov_len={int.from_bytes(data[8:], 'little')}}}"

    return array(address, count or 0, IOVEC_SIZE, element)


def filled(call: Call, i: int) -> str | None:
    """The segments that a read fills; the argument behind them says how many."""
    if not call.exited:
        return None
    address = call.args[i]
    if not address:
        return "NULL"
    show = iovec_addresses if call.failed else iovec
    return show(call, address, call.value(i + 1)) or pointer(address)
