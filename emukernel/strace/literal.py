"""Bytes and strings as C literals, the way strace shows them."""

from __future__ import annotations

STRING_LIMIT = 32
"""Bytes that are shown of a string that is data (strace's -s)."""

PATH_LIMIT = 1024
"""Bytes that are shown of a path."""

_NAMED = {9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
_LITERAL = [_NAMED.get(byte) or (chr(byte) if 32 <= byte < 127 else None) for byte in range(256)]


def quote(data: bytes, more: bool = False) -> str:
    r"""`"hello\n\0"`, with `...` behind it where there was more. Bytes that do not print are octal
    escapes, as short as the next byte allows."""
    words = ['"']
    for i, byte in enumerate(data):
        word = _LITERAL[byte]
        if word is None:
            # A digit behind it would be taken for part of the escape.
            following = data[i + 1] if i + 1 < len(data) else 0
            word = f"\\{byte:03o}" if 48 <= following < 56 else f"\\{byte:o}"
        words.append(word)
    words.append('"...' if more else '"')
    return "".join(words)


def quote_hex(data: bytes, more: bool = False) -> str:
    r"""`"\x12\xab"`: every byte as a number, for data that is no text."""
    escapes = "".join([f"\\x{byte:02x}" for byte in data])
    return f'"{escapes}"...' if more else f'"{escapes}"'
