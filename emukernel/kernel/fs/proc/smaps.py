"""/proc/PID/smaps and smaps_rollup (Linux: fs/proc/task_mmu.c)."""

from __future__ import annotations

from emukernel.kernel.fs.proc.maps import map_line
from emukernel.kernel.mm.vma import (
    VM_DONTCOPY,
    VM_DONTDUMP,
    VM_DONTEXPAND,
    VM_EXEC,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_MAYWRITE,
    VM_NORESERVE,
    VM_READ,
    VM_SHARED,
    VM_WIPEONFORK,
    VM_WRITE,
)
from emukernel.machine.pagetable import ACCESSED, ADDRESS, DIRTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.mm.mm import Mm
    from emukernel.kernel.mm.vma import Vma
    from emukernel.kernel.task import Task

_PAGE = 4096
#: Pss is summed in units of 1/4096 byte, so that shares do not get lost.
_PSS_SHIFT = 12

_FLAG_NAMES = (
    (VM_READ, "rd"),
    (VM_WRITE, "wr"),
    (VM_EXEC, "ex"),
    (VM_SHARED, "sh"),
    (-1, "mr"),
    (VM_MAYWRITE, "mw"),
    (-1, "me"),
    (VM_SHARED, "ms"),
    (VM_GROWSDOWN, "gd"),
    (VM_LOCKED, "lo"),
    (VM_DONTCOPY, "dc"),
    (VM_DONTEXPAND, "de"),
    (VM_NORESERVE, "nr"),
    (VM_WIPEONFORK, "wf"),
    (VM_DONTDUMP, "dd"),
)

_FIELDS = (
    "Rss",
    "Pss",
    "Pss_Dirty",
    "Pss_Anon",
    "Pss_File",
    "Pss_Shmem",
    "Shared_Clean",
    "Shared_Dirty",
    "Private_Clean",
    "Private_Dirty",
    "Referenced",
    "Anonymous",
    "LazyFree",
    "AnonHugePages",
    "ShmemPmdMapped",
    "FilePmdMapped",
    "Shared_Hugetlb",
    "Private_Hugetlb",
    "Swap",
    "SwapPss",
    "Locked",
)
_ROLLUP_ONLY = ("Pss_Anon", "Pss_File", "Pss_Shmem")


def count_area(mm: Mm, vma: Vma, sums: dict[str, int]) -> None:
    """Adds an area's pages to `sums`: bytes, those of Pss in bytes << 12."""
    from emukernel.kernel.fs.shmem import ShmemMapping

    mapping = vma.mapping
    shared_kind = "Pss_Shmem" if isinstance(mapping, ShmemMapping) else "Pss_File"
    refcount = mm.memory.refcount
    zero = mm.kernel.zero_pfn
    for vpn, _, entry in mm.page_table.entries(vma.start >> 12, vma.end >> 12):
        pfn = (entry & ADDRESS) >> 12
        if pfn == zero:
            continue
        users = refcount[pfn]
        cached = mapping is not None and mapping.pages.get(vma.file_page(vpn)) == pfn
        if cached:
            # One reference is the page cache's.
            users -= 1
        users = max(users, 1)
        share = (_PAGE << _PSS_SHIFT) // users
        dirty = not cached or bool(entry & DIRTY)
        sums["Rss"] += _PAGE
        sums["Pss"] += share
        sums[shared_kind if cached else "Pss_Anon"] += share
        if dirty:
            sums["Pss_Dirty"] += share
        who = "Shared" if users > 1 else "Private"
        sums[f"{who}_{'Dirty' if dirty else 'Clean'}"] += _PAGE
        if entry & ACCESSED:
            sums["Referenced"] += _PAGE
        if not cached:
            sums["Anonymous"] += _PAGE
        if vma.flags & VM_LOCKED:
            sums["Locked"] += share


def _lines(sums: dict[str, int], *, rollup: bool) -> str:
    text = ""
    for name in _FIELDS:
        if rollup or name not in _ROLLUP_ONLY:
            shift = _PSS_SHIFT if name.startswith("Pss") or name == "Locked" else 0
            text += f"{name + ':':<16}{sums[name] >> shift >> 10:>8} kB\n"
    return text


def _names(flags: int) -> str:
    return "".join(f"{name} " for bit, name in _FLAG_NAMES if flags & bit)


def smaps(task: Task, reader: Task) -> bytes:
    """/proc/PID/smaps"""
    mm = task.mm
    if mm is None or task.state in "ZX":
        return b""
    parts = []
    for vma in mm.vmas:
        sums = dict.fromkeys(_FIELDS, 0)
        count_area(mm, vma, sums)
        size = vma.end - vma.start >> 10
        parts.append(map_line(mm, vma, reader))
        text = f"Size:           {size:>8} kB\nKernelPageSize:        4 kB\n"
        text += "MMUPageSize:           4 kB\n" + _lines(sums, rollup=False)
        parts.append(f"{text}THPeligible:           0\nVmFlags: {_names(vma.flags)}\n".encode())
    return b"".join(parts)


def smaps_rollup(task: Task, reader: Task) -> bytes:
    """/proc/PID/smaps_rollup: the sums over all areas"""
    mm = task.mm
    if mm is None or task.state in "ZX" or not mm.vmas:
        return b""
    sums = dict.fromkeys(_FIELDS, 0)
    for vma in mm.vmas:
        count_area(mm, vma, sums)
    head = f"{mm.vmas[0].start:08x}-{mm.vmas[-1].end:08x} ---p 00000000 00:00 0 "
    return f"{head:<73}[rollup]\n{_lines(sums, rollup=True)}".encode()
