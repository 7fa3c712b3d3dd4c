"""Who called whom when a guest was stopped: return addresses, their functions, source lines."""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.mm.vma import VM_EXEC
from emukernel.machine.pagetable import ADDRESS, PRESENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.fuzz.source import LineTable
    from emukernel.kernel.mm.mm import Mm
    from emukernel.kernel.task import Task

_WORDS = 512
"""How far up the stack return addresses are looked for."""

MAX_FRAMES = 16

WILD = 0
"""Stands in a backtrace for an address where there is no code: another one each time, mostly."""

_Q = Struct("<Q")
_RSP, _RBP, _RIP = 4, 5, 16


def read_memory(mm: Mm, address: int, size: int) -> bytes:
    """What is mapped of [address, address + size), from its start; touches nothing."""
    parts = []
    table, view = mm.page_table, mm.memory.view
    while size > 0 and 0 <= address < 1 << 47:
        entry = table.get(address >> 12)
        if not entry & PRESENT:
            break
        step = min(4096 - (address & 4095), size)
        start = (entry & ADDRESS) + (address & 4095)
        parts.append(bytes(view[start : start + step]))
        address += step
        size -= step
    return b"".join(parts)


def _is_code(mm: Mm, address: int) -> bool:
    vma = mm.vma_at(address)
    return vma is not None and bool(vma.flags & VM_EXEC)


def _returns_to(mm: Mm, address: int) -> bool:
    """Whether an address is one behind a call instruction."""
    if not _is_code(mm, address):
        return False
    before = read_memory(mm, address - 7, 7)
    if len(before) < 7:
        return False
    # e8 rel32; ff /2 with no more than a SIB byte and a displacement.
    if before[2] == 0xE8:
        return True
    return any(
        before[-n] == 0xFF and before[-n + 1] & 0x38 == 0x10 for n in (2, 3, 4, 6, 7)
    )


def backtrace(task: Task, ip: int) -> list[int]:
    """Code addresses, innermost first: `ip` and the calls that led there.

    `ip` is WILD where the program jumped to no code. The others are found by frame pointers where
    RBP leads up the stack from call to call; otherwise they are whatever on the stack looks like
    the address behind a call, and may name functions that have returned.
    """
    regs = task.kernel.cpu.regs
    mm = task.mm
    frames = [ip if _is_code(mm, ip) else WILD]
    by_pointer = _by_frame_pointer(mm, regs[_RSP], regs[_RBP])
    if len(by_pointer) >= 2:
        return frames + by_pointer[: MAX_FRAMES - 1]
    stack = read_memory(mm, regs[_RSP], _WORDS * 8)
    for (word,) in _Q.iter_unpack(stack[: len(stack) & ~7]):
        if word >> 12 and _returns_to(mm, word):
            frames.append(word - 1)
            if len(frames) == MAX_FRAMES:
                break
    return frames


def _by_frame_pointer(mm: Mm, sp: int, bp: int) -> list[int]:
    found: list[int] = []
    while len(found) < MAX_FRAMES and sp <= bp < sp + (1 << 20):
        frame = read_memory(mm, bp, 16)
        if len(frame) < 16:
            break
        sp = bp
        bp, address = _Q.unpack_from(frame)[0], _Q.unpack_from(frame, 8)[0]
        if not _returns_to(mm, address):
            break
        found.append(address - 1)
        if bp <= sp:
            break
    return found


def function_names(task: Task, addresses: list[int]) -> list[str]:
    """`name+0x12` of each address, the bare address where there is no symbol, `?` for WILD."""
    from emukernel.symbols import symbol_at

    return [
        "?" if address == WILD else symbol_at(task, address) or f"{address:#x}"
        for address in addresses
    ]


def plausible(task: Task, addresses: list[int]) -> list[int]:
    """Those of a backtrace that can have called one another.

    A direct call must lead to the function that the next inner address is in; what was left on the
    stack by earlier calls mostly doesn't. Without symbols all are kept.
    """
    from emukernel.symbols import symbol_at

    inner = _function(symbol_at(task, addresses[0]))
    kept = addresses[:1]
    for address in addresses[1:]:
        name = symbol_at(task, address)
        code = read_memory(task.mm, address - 4, 5)
        if name and inner and len(code) == 5 and code[0] == 0xE8:
            target = address + 1 + int.from_bytes(code[1:], "little", signed=True)
            called = _function(symbol_at(task, target))
            if called != inner and not _jumps_on(task, target):
                continue
        kept.append(address)
        inner = _function(name)
    return kept


def _jumps_on(task: Task, start: int) -> bool:
    """Whether the function at `start` may end in a jump to another one, and leave no trace."""
    from emukernel.symbols import symbol_at

    own = _function(symbol_at(task, start))
    code = read_memory(task.mm, start, 256)
    at = code.find(b"\xe9")
    while 0 <= at <= len(code) - 5:
        if _function(symbol_at(task, start + at)) != own:
            return False
        target = start + at + 5 + int.from_bytes(code[at + 1 : at + 5], "little", signed=True)
        name = _function(symbol_at(task, target))
        if name and name != own:
            return True
        at = code.find(b"\xe9", at + 1)
    return False


def _function(symbol: str) -> str:
    """A function's name without offset and without what a compiler appends to its parts."""
    return symbol.partition("+")[0].partition(".")[0]


def source_lines(task: Task, addresses: list[int]) -> list[str]:
    """`file.c:12` of each address, "" where the program's DWARF doesn't say."""
    from emukernel.fuzz.source import line_table
    from emukernel.symbols import linked_address

    tables: dict[int, LineTable] = {}
    lines = []
    for address in addresses:
        found = linked_address(task, address)
        if found is None:
            lines.append("")
            continue
        linked, data = found
        key = hash(data)
        if key not in tables:
            tables[key] = line_table(data)
        lines.append(tables[key].find(linked))
    return lines
