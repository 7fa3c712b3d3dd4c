"""Smaller and plainer inputs that do the same."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: What unimportant bytes become.
_PLAIN = 0x30


def trim(
    data: bytes, same: Callable[[bytes], bool], tries: int, least: int = 1
) -> bytes:
    """`data` without the blocks that `same` doesn't need, after at most `tries` questions; no block
    is smaller than `least`."""
    size = _power(len(data)) // 2
    while size >= least and tries > 0:
        at = 0
        while at < len(data) and tries > 0:
            candidate = data[:at] + data[at + size :]
            tries -= 1
            if same(candidate):
                data = candidate
            else:
                at += size
        size //= 2
    return data


def minimize(data: bytes, same: Callable[[bytes], bool], tries: int) -> bytes:
    """`trim`, and then as many bytes as may be made the digit 0."""
    left = [tries]

    def asked(candidate: bytes) -> bool:
        left[0] -= 1
        return same(candidate)

    before = -1
    while before != len(data) and left[0] > 0:
        before = len(data)
        data = trim(data, asked, left[0])
    size = _power(len(data))
    while size and left[0] > 0:
        for at in range(0, len(data), size):
            block = data[at : at + size]
            plain = bytes([_PLAIN]) * len(block)
            if block != plain and left[0] > 0:
                candidate = data[:at] + plain + data[at + size :]
                if asked(candidate):
                    data = candidate
        size //= 2
    return data


def _power(number: int) -> int:
    """The smallest power of two that is not below `number`; 0 for 0."""
    return 1 << (number - 1).bit_length() if number else 0
