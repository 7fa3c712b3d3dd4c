"""Bytes as `hexdump -C` shows them."""

from __future__ import annotations


def hexdump(data: bytes, limit: int = 4096) -> str:
    """16 bytes a line with offset and ASCII, `*` for lines like the one before.

    The lines that are shown have `limit` bytes together; what is beyond them is counted.
    """
    lines: list[str] = []
    before = None
    at = shown = 0
    while at < len(data) and shown < limit:
        row = data[at : at + 16]
        # The last line is shown in any case: it says how long the whole is.
        if row == before and at + 16 < len(data):
            if lines[-1] != "*":
                lines.append("*")
        else:
            left, right = row[:8].hex(" "), row[8:].hex(" ")
            text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
            lines.append(f"{at:08x}  {left:<23}  {right:<23}  |{text}|")
            shown += len(row)
        before = row
        at += 16
    if at < len(data):
        lines.append(f"... and {len(data) - at:,} bytes more")
    return "\n".join(lines)
