"""getdents(2) and getdents64(2)."""

from __future__ import annotations

from emukernel.strace.call import pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

RECLEN = 16
"""Where d_reclen lies in both kinds of entries."""

MAX_ENTRIES = 4096


def dirents(call: Call, address: int, size: int | None) -> str | None:
    """How many entries were read: `0x4a2010 /* 8 entries */`."""
    count = 0
    at = 0
    end = size or 0
    while at < end and count < MAX_ENTRIES:
        length = call.integer(address + at + RECLEN, 2)
        if not length:
            return None
        at += length
        count += 1
    more = " or more" if at < end else ""
    return f"{pointer(address)} /* {count}{more} entr{'y' if count == 1 else 'ies'} */"


dirents64 = dirents
