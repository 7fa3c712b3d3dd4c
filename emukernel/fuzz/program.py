"""Small programs, made without a compiler: system calls one after the other, and their data.

    program = Program([Call(1, (1, 0x500000, 3))], {0x500000: b"hi\\n"})
    program.elf()       # a static x86-64 executable

What a program is made of is decided before it runs: every register of every call is a number that
stands in its code, so that a person can read off what it does.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PAGE = 4096
CODE = 0x400000
"""Where the code lies."""

MASK = (1 << 64) - 1
_EXIT_GROUP = 231
_PF_X, _PF_W, _PF_R = 1, 2, 4

# mov $imm64, %reg for rdi, rsi, rdx, r10, r8, r9; and for what `int $0x80` takes, ebx, ecx, edx,
# esi, edi, ebp.
_MOVES = (b"\x48\xbf", b"\x48\xbe", b"\x48\xba", b"\x49\xba", b"\x49\xb8", b"\x49\xb9")
_MOVES_32 = (b"\x48\xbb", b"\x48\xb9", b"\x48\xba", b"\x48\xbe", b"\x48\xbf", b"\x48\xbd")
_MOVE_RAX = b"\x48\xb8"
_SYSCALL, _INT80, _TRAP = b"\x0f\x05", b"\xcd\x80", b"\x0f\x0b"
_STORE_RAX = b"\x48\xa3"  # mov %rax, addr64


class Call:
    """One system call: what RAX and the argument registers hold. `compat` makes it by `int $0x80`,
    which looks at their low halves."""

    __slots__ = ("args", "compat", "nr")

    def __init__(self, nr: int, args: Sequence[int] = (), *, compat: bool = False) -> None:
        self.nr = nr & MASK
        self.args = tuple(value & MASK for value in args) + (0,) * (6 - len(args))
        self.compat = compat

    def code(self) -> bytes:
        moves = _MOVES_32 if self.compat else _MOVES
        loads = [
            move + struct.pack("<Q", value) for move, value in zip(moves, self.args, strict=True)
        ]
        load_nr = _MOVE_RAX + struct.pack("<Q", self.nr)
        return b"".join(loads) + load_nr + (_INT80 if self.compat else _SYSCALL)


class Store:
    """Writes bytes to memory, eight at a time (zeros up to a multiple of eight)."""

    __slots__ = ("address", "data")

    def __init__(self, address: int, data: bytes) -> None:
        self.address = address
        self.data = data

    def code(self) -> bytes:
        pieces = []
        for offset in range(0, len(self.data), 8):
            word = self.data[offset : offset + 8].ljust(8, b"\0")
            pieces.append(_MOVE_RAX + word)
            pieces.append(_STORE_RAX + struct.pack("<Q", self.address + offset))
        return b"".join(pieces)


class Program:
    """`steps` in order, then exit_group(0). `data` are bytes by address, writable unless the
    address is in `constant`: then their page is readable only."""

    __slots__ = ("constant", "data", "steps")

    def __init__(
        self,
        steps: Iterable[Call | Store],
        data: Mapping[int, bytes] | None = None,
        constant: Iterable[int] = (),
    ) -> None:
        self.steps = list(steps)
        self.data = dict(data or {})
        self.constant = frozenset(constant)

    def elf(self) -> bytes:
        """The executable. ValueError where data overlap, or lie where a program can't have any."""
        steps = [*self.steps, Call(_EXIT_GROUP, (0,))]
        code = b"".join(step.code() for step in steps) + _TRAP
        segments = [(CODE, code, _PF_R | _PF_X), *self._segments(CODE, CODE + len(code))]
        headers = []
        body = b""
        start = -(64 + 56 * len(segments)) % PAGE + 64 + 56 * len(segments)
        for address, content, flags in segments:
            offset = start + len(body)
            size = len(content)
            headers.append(
                struct.pack("<IIQQQQQQ", 1, flags, offset, address, address, size, size, PAGE)
            )
            body += content + bytes(-size % PAGE)
        ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
        head = ident + struct.pack(
            "<HHIQQQIHHHHHH", 2, 62, 1, CODE, 64, 0, 0, 64, 56, len(segments), 0, 0, 0
        )
        table = head + b"".join(headers)
        return table + bytes(start - len(table)) + body

    def _segments(self, code_start: int, code_end: int) -> list[tuple[int, bytes, int]]:
        """(address, bytes, flags), whole pages, of all data."""
        pages: dict[int, bytearray] = {}
        taken: list[tuple[int, int]] = [(code_start & -PAGE, (code_end + PAGE - 1) & -PAGE)]
        fixed = {address & -PAGE for address in self.constant}
        for address, data in sorted(self.data.items()):
            end = address + max(len(data), 1)
            if address < 0x10000 or end > 0x7FFF_0000_0000:
                raise ValueError(f"no program has data at {address:#x}")
            if any(address < other_end and other < end for other, other_end in taken):
                raise ValueError(f"the data at {address:#x} overlap others")
            taken.append((address, end))
            for offset, byte in enumerate(data):
                place = address + offset
                page = pages.setdefault(place & -PAGE, bytearray(PAGE))
                page[place & (PAGE - 1)] = byte
        return [
            (page, bytes(content), _PF_R if page in fixed else _PF_R | _PF_W)
            for page, content in sorted(pages.items())
        ]
