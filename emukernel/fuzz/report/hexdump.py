"""Bytes as `hexdump -C` shows them."""

from __future__ import annotations


def hexdump(data: bytes, limit: int = 4096) -> str:
    """16 bytes a line with offset and ASCII; what is beyond `limit` is counted."""
    lines = []
    for at in range(0, min(len(data), limit), 16):
        row = data[at : min(at + 16, limit)]
        left, right = row[:8].hex(" "), row[8:].hex(" ")
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:08x}  {left:<23}  {right:<23}  |{text}|")
    if len(data) > limit:
        lines.append(f"... and {len(data) - limit:,} bytes more")
    return "\n".join(lines)
