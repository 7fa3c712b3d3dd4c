"""Seeded damage to ELF files: in headers, program headers, lengths and anywhere."""

from __future__ import annotations

import random
import struct

#: Numbers at which checks of sizes and addresses tend to be wrong.
EDGES = (
    0,
    1,
    7,
    0xFFF,
    0x1000,
    0x1001,
    0xFFFF,
    0x1_0000,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
    0x7FFF_FFFF_EFFF,
    0x7FFF_FFFF_F000,
    0x8000_0000_0000,
    0x7FFF_FFFF_FFFF_FFFF,
    0x8000_0000_0000_0000,
    0xFFFF_8000_0000_0000,
    0xFFFF_FFFF_FFFF_F000,
    0xFFFF_FFFF_FFFF_FFFF,
)

# (offset, struct format) of the fields of the file header and of a program header.
_EHDR_FIELDS = (
    (4, "B"), (5, "B"), (6, "B"), (7, "B"), (16, "H"), (18, "H"), (20, "I"), (24, "Q"),
    (32, "Q"), (40, "Q"), (48, "I"), (52, "H"), (54, "H"), (56, "H"), (58, "H"), (60, "H"),
)  # fmt: skip
_PHDR_FIELDS = (
    (0, "I"), (4, "I"), (8, "Q"), (16, "Q"), (24, "Q"), (32, "Q"), (40, "Q"), (48, "Q"),
)  # fmt: skip
_PHDR_TYPES = (0, 1, 2, 3, 4, 6, 7, 0x6474_E551, 0x6474_E552, 0x6474_E553)
_PHDR_SIZE = 56


def mutate(original: bytes, rng: random.Random) -> bytes:
    """One to four kinds of damage, mostly to the headers."""
    data = bytearray(original)
    for _ in range(rng.choice((1, 1, 2, 4))):
        rng.choice((_file_header, _program_header, _program_header, _bytes, _truncate, _swap))(
            data, rng
        )
    return bytes(data)


def _number(rng: random.Random, old: int, size: int) -> int:
    mask = (1 << 8 * size) - 1
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(EDGES) & mask
    if kind == 1:
        return old ^ 1 << rng.randrange(8 * size)
    if kind == 2:
        return (old + rng.choice((-4096, -1, 1, 8, 4096, 1 << 20, 1 << 30))) & mask
    return rng.getrandbits(8 * size)


def _field(data: bytearray, at: int, form: str, rng: random.Random) -> None:
    size = struct.calcsize(form)
    if at + size <= len(data):
        (old,) = struct.unpack_from("<" + form, data, at)
        struct.pack_into("<" + form, data, at, _number(rng, old, size))


def _file_header(data: bytearray, rng: random.Random) -> None:
    _field(data, *rng.choice(_EHDR_FIELDS), rng)


def _program_headers(data: bytearray) -> range:
    if len(data) < 64:
        return range(0)
    (start,) = struct.unpack_from("<Q", data, 32)
    (count,) = struct.unpack_from("<H", data, 56)
    end = min(start + count * _PHDR_SIZE, len(data) - _PHDR_SIZE)
    return range(start, end, _PHDR_SIZE) if start < len(data) else range(0)


def _program_header(data: bytearray, rng: random.Random) -> None:
    headers = _program_headers(data)
    if not headers:
        return
    at = rng.choice(headers)
    if rng.randrange(4):
        offset, form = rng.choice(_PHDR_FIELDS)
        _field(data, at + offset, form, rng)
    else:
        struct.pack_into("<I", data, at, rng.choice(_PHDR_TYPES))


def _swap(data: bytearray, rng: random.Random) -> None:
    """Two program headers change places, or one is doubled."""
    headers = _program_headers(data)
    if not headers:
        return
    one, other = rng.choice(headers), rng.choice(headers)
    first = data[one : one + _PHDR_SIZE]
    if rng.randrange(2):
        data[one : one + _PHDR_SIZE] = data[other : other + _PHDR_SIZE]
    data[other : other + _PHDR_SIZE] = first


def _bytes(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 8, 64))):
        data[rng.randrange(len(data))] = rng.randrange(256)


def _truncate(data: bytearray, rng: random.Random) -> None:
    del data[rng.choice((rng.randrange(64), rng.randrange(1024), rng.randrange(len(data)))) + 1 :]
