"""Lists of system calls as inputs, and the little program that makes them.

The program stands in for a guest: an ELF image of a few instructions, written here. It makes the
calls of a table in its memory one after the other, and keeps their results, which later calls may
have as arguments. Then it ends by an invalid instruction.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

CODE = 0x40_0000
RESULTS = 0x50_0000
"""Eight bytes for each call."""
COUNT = 0x50_0FF8
RECORDS = 0x50_1000
"""64 bytes a call: number, six arguments, six bytes that say which result an argument is (1 is the
first call's; 0: none)."""
DATA = 0x50_2000
DATA_SIZE = 0xE000
MAX_CALLS = 64

_MASK64 = (1 << 64) - 1
_RECORD = struct.Struct("<Q6Q6B2x")


@dataclass(frozen=True, slots=True)
class Step:
    """One call. `results` names, for each argument, the earlier step whose result it is, or -1."""

    nr: int
    args: tuple[int, ...]
    results: tuple[int, ...] = (-1,) * 6

    def record(self) -> bytes:
        """The step as the program reads it."""
        args = [value & _MASK64 for value in self.args]
        return _RECORD.pack(self.nr & _MASK64, *args, *[at + 1 for at in self.results])

    def moved(self, after: int, by: int) -> Step:
        """The same where steps from `after` on have moved by `by` places; a result that is gone is
        a plain argument."""
        if all(at < after for at in self.results):
            return self
        results = tuple(
            at if at < after else -1 if by < 0 and at == after else at + by
            for at in self.results
        )
        return replace(self, results=results)


@dataclass(frozen=True, slots=True)
class CallList:
    """Steps, and the bytes at DATA that their pointers lead to."""

    steps: tuple[Step, ...]
    data: bytes = b""

    def pack(self) -> bytes:
        """Everything from COUNT on, as one input."""
        steps = self.steps[:MAX_CALLS]
        table = b"".join(step.record() for step in steps).ljust(DATA - RECORDS, b"\0")
        return len(steps).to_bytes(8, "little") + table + self.data[:DATA_SIZE]

    @classmethod
    def unpack(cls, packed: bytes) -> CallList:
        """The sequence that `pack` made. ValueError."""
        count = int.from_bytes(packed[:8], "little")
        start = 8 + DATA - RECORDS
        if count > MAX_CALLS or len(packed) < start:
            raise ValueError("not a packed list of calls")
        steps = []
        for at in range(count):
            nr, *rest = _RECORD.unpack_from(packed, 8 + at * _RECORD.size)
            steps.append(Step(nr, tuple(rest[:6]), tuple(place - 1 for place in rest[6:])))
        return cls(tuple(steps), packed[start:])

    def without(self, at: int) -> CallList:
        """The sequence without one step."""
        steps = [step.moved(at, -1) for step in self.steps]
        del steps[at]
        return replace(self, steps=tuple(steps))

    def inserted(self, at: int, step: Step) -> CallList:
        """The sequence with one step more."""
        steps = [old.moved(at, 1) if place >= at else old for place, old in enumerate(self.steps)]
        steps.insert(at, step)
        return replace(self, steps=tuple(steps[:MAX_CALLS]))


def program() -> bytes:
    """The ELF image."""
    code = _code()
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, CODE + 0x1000, 64, 0, 0, 64, 56, 2, 0, 0, 0
    )
    text = struct.pack(
        "<IIQQQQQQ", 1, 5, 0x1000, CODE + 0x1000, CODE + 0x1000, len(code), len(code), 0x1000
    )
    size = DATA + DATA_SIZE - RESULTS
    data = struct.pack("<IIQQQQQQ", 1, 6, 0x2000, RESULTS, RESULTS, 0, size, 0x1000)
    return (head + text + data).ljust(0x1000, b"\0") + code.ljust(0x1000, b"\0")


# mov disp8(%rbx),%reg and mov -8(%rbp,%rax,8),%reg for rdi, rsi, rdx, r10, r8, r9.
_LOADS: tuple[tuple[bytes, bytes], ...] = (
    (b"\x48\x8b\x7b", b"\x48\x8b\x7c\xc5\xf8"),
    (b"\x48\x8b\x73", b"\x48\x8b\x74\xc5\xf8"),
    (b"\x48\x8b\x53", b"\x48\x8b\x54\xc5\xf8"),
    (b"\x4c\x8b\x53", b"\x4c\x8b\x54\xc5\xf8"),
    (b"\x4c\x8b\x43", b"\x4c\x8b\x44\xc5\xf8"),
    (b"\x4c\x8b\x4b", b"\x4c\x8b\x4c\xc5\xf8"),
)


def _code() -> bytes:
    start = b"\xbb" + struct.pack("<I", RECORDS)  # mov $RECORDS,%ebx
    start += b"\xbd" + struct.pack("<I", RESULTS)  # mov $RESULTS,%ebp
    start += b"\x45\x31\xe4"  # xor %r12d,%r12d
    start += b"\x4c\x8b\x2c\x25" + struct.pack("<I", COUNT)  # mov COUNT,%r13
    body = b""
    for at, (load, load_result) in enumerate(_LOADS):
        body += b"\x0f\xb6\x43" + bytes([56 + at])  # movzbl 56+at(%rbx),%eax
        body += load + bytes([8 + 8 * at])
        body += b"\x85\xc0\x74\x05" + load_result  # test %eax,%eax; je over
    body += b"\x48\x8b\x03"  # mov (%rbx),%rax
    body += b"\x0f\x05"  # syscall
    body += b"\x4a\x89\x44\xe5\x00"  # mov %rax,(%rbp,%r12,8)
    body += b"\x49\xff\xc4\x48\x83\xc3\x40"  # inc %r12; add $64,%rbx
    # cmp %r13,%r12 and back while below; it stands before the first call as well.
    check = b"\x4d\x39\xec"
    size = len(body) + len(check) + 6
    jump = b"\xeb" + bytes([len(body)])  # jmp to the check
    loop = body + check + b"\x0f\x82" + struct.pack("<i", -size)
    return start + jump + loop + b"\x0f\x0b"  # ud2


#: Where the program's last instruction is.
END = CODE + 0x1000 + len(_code()) - 2
