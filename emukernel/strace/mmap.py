"""mmap(2), mremap(2), mincore(2), membarrier(2)."""

from __future__ import annotations

from emukernel.strace.call import MAX_READ, PAGE, pointer
from emukernel.strace.kinds import ARRAY_LIMIT
from emukernel.strace.names import enum_set, more_flags
from emukernel.strace.names import flags as flag_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

MAP_TYPE = 0xF
MAP_HUGETLB = 0x40000
MAP_HUGE_SHIFT = 26
MAP_HUGE_MASK = 0x3F << MAP_HUGE_SHIFT
MREMAP_FIXED = 2
MREMAP_DONTUNMAP = 4
MEMBARRIER_CMD_FLAG_CPU = 1


def flags(call: Call, i: int) -> str:
    """`MAP_PRIVATE|MAP_ANONYMOUS`: the type of mapping, which is no bit, and the flags."""
    value = call.value(i)
    names = enum_set("mm.map_type")[1]
    type = value & MAP_TYPE
    rest = value & ~MAP_TYPE
    texts = [names.get(type) or f"{type:#x} /* MAP_??? */"]
    huge = rest & MAP_HUGE_MASK if rest & MAP_HUGETLB else 0
    if rest & ~huge:
        texts.append(more_flags("mm.map", rest & ~huge))
    if huge:
        texts.append(f"{huge >> MAP_HUGE_SHIFT}<<MAP_HUGE_SHIFT")
    return "|".join(texts)


def new_addr(call: Call, i: int) -> str:
    """mremap(2)'s fifth argument, which it looks at where the flags before it say so."""
    if call.value(i - 1) & (MREMAP_FIXED | MREMAP_DONTUNMAP):
        return pointer(call.args[i])
    return ""


def residence(call: Call, address: int, length: int | None) -> str | None:
    """mincore(2)'s answer: a byte a page, of which one bit counts."""
    pages = ((length or 0) + PAGE - 1) // PAGE
    data = call.read(address, min(pages, ARRAY_LIMIT, MAX_READ))
    if data is None:
        return None
    texts = [str(byte & 1) for byte in data]
    if pages > ARRAY_LIMIT:
        texts.append("...")
    return f"[{', '.join(texts)}]"


def membarrier_cpu(call: Call, i: int) -> str:
    """The CPU that membarrier(2) is for, where the flags say that there is one."""
    return str(call.value(i)) if call.value(i - 1) & MEMBARRIER_CMD_FLAG_CPU else ""


def membarrier(call: Call) -> str:
    """What membarrier(2) returned: for a query, the commands that there are."""
    assert call.ret is not None
    if call.value(0) == 0 and call.ret > 0:
        return f"{call.ret:#x} ({flag_names('mm.membarrier', call.ret)})"
    return str(call.ret)
