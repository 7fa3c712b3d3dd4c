"""Page faults: demand-zero, copy-on-write, file pages, growing stacks (mm/memory.c)."""

from __future__ import annotations

from bisect import bisect_left

from emukernel.kernel.errno import Errno
from emukernel.kernel.mm.mm import (
    MMAP_MIN_ADDR,
    STACK_GUARD_GAP,
    TASK_SIZE,
    Mm,
    vma_start,
)
from emukernel.kernel.mm.vma import (
    VM_ACCESS,
    VM_EXEC,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_SHARED,
    VM_WRITE,
    Vma,
)
from emukernel.machine.pagetable import ACCESSED, ADDRESS, DIRTY, NX, PRESENT, USER, WRITE
from emukernel.machine.physmem import OutOfMemory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

# Bits of the page-fault error code.
PF_PROT, PF_WRITE, PF_USER, PF_INSTR = 1, 2, 4, 16

SIGBUS, SIGSEGV = 7, 11
SEGV_MAPERR, SEGV_ACCERR = 1, 2
BUS_ADRERR = 2

#: Pages mapped at once around a file fault when they are cached anyway (fault_around_bytes).
FAULT_AROUND = 16

_RLIMIT_STACK, _RLIMIT_MEMLOCK, _RLIMIT_AS = 3, 8, 9
_CAP_IPC_LOCK = 14


class Fault(Exception):
    """An access that ends in a signal: number and si_code. The address is the caller's."""

    def __init__(self, signal: int, code: int) -> None:
        super().__init__(signal, code)
        self.signal = signal
        self.code = code


def _maperr() -> Fault:
    return Fault(SIGSEGV, SEGV_MAPERR)


def _accerr() -> Fault:
    return Fault(SIGSEGV, SEGV_ACCERR)


def _buserr() -> Fault:
    return Fault(SIGBUS, BUS_ADRERR)


def expand_stack(task: Task, mm: Mm, vma: Vma, address: int) -> bool:
    """Grows a VM_GROWSDOWN area down to `address`; false where it may not (expand_downwards)."""
    start = address & -4096
    if start < MMAP_MIN_ADDR:
        return False
    at = bisect_left(mm.vmas, vma.start, key=vma_start)
    if at:
        below = mm.vmas[at - 1]
        gap = STACK_GUARD_GAP if below.flags & VM_ACCESS and not below.flags & VM_GROWSDOWN else 0
        if start - below.end < gap:
            return False
    # acct_stack_growth
    pages = (vma.start - start) >> 12
    limits = task.rlimits
    if vma.end - start > limits[_RLIMIT_STACK][0]:
        return False
    if (mm.total_vm + pages) << 12 > limits[_RLIMIT_AS][0]:
        return False
    if (
        vma.flags & VM_LOCKED
        and (mm.locked_vm + pages) << 12 > limits[_RLIMIT_MEMLOCK][0]
        and not task.cred.capable(_CAP_IPC_LOCK)
    ):
        return False
    mm.grow_down(vma, start)
    return True


def handle_mm_fault(task: Task, mm: Mm, address: int, write: bool, execute: bool) -> None:
    """Makes one page accessible, or raises Fault (or OutOfMemory)."""
    if address >= TASK_SIZE:
        raise _maperr()
    vma = mm.find_vma(address)
    if vma is None:
        raise _maperr()
    if vma.start > address and (
        not vma.flags & VM_GROWSDOWN or not expand_stack(task, mm, vma, address)
    ):
        raise _maperr()
    flags = vma.flags
    if write:
        if not flags & VM_WRITE:
            raise _accerr()
    elif not flags & VM_ACCESS:
        raise _accerr()
    vpn = address >> 12
    table = mm.page_table
    entry = table.get(vpn)
    if execute and not flags & VM_EXEC and entry & PRESENT:
        # A page that is not there yet is fetched as if to be read: only then, at a second fault,
        # is the protection looked at (access_error in arch/x86/mm/fault.c).
        raise _accerr()
    if entry:
        if entry & PRESENT and write and not entry & WRITE:
            _wp_page(mm, vma, vpn, entry)
        elif not entry & PRESENT or (execute and entry & NX):
            used = entry & (ACCESSED | DIRTY)
            table.set(vpn, mm.entry_for((entry & ADDRESS) >> 12, flags, False) | used)
            mm.flush_tlb()
        return
    task.min_flt += 1
    if vma.mapping is None:
        _anonymous_page(mm, flags, vpn, write)
    else:
        _file_page(mm, vma, vpn, write)
    if mm.rss > mm.hiwater_rss:
        mm.hiwater_rss = mm.rss


def _anonymous_page(mm: Mm, flags: int, vpn: int, write: bool) -> None:
    memory = mm.memory
    # The tables come first: when they can't be had, no frame is lost.
    index = mm.page_table.slot(vpn)
    if write:
        pfn = memory.alloc_frame()
        mm.rss += 1
    else:
        # A page only read so far is the one page of zeros, copied at the first write. It counts
        # as nobody's memory.
        pfn = mm.kernel.zero_pfn
        memory.get(pfn)
    mm.page_table.words[index] = mm.entry_for(pfn, flags, write)


def _file_page(mm: Mm, vma: Vma, vpn: int, write: bool) -> None:
    """do_fault: a page of a mapped file; beyond the file's end it is SIGBUS."""
    mapping = vma.mapping
    assert mapping is not None
    memory = mm.memory
    page = vma.file_page(vpn)
    if page >= (mapping.inode.size + 4095) >> 12:
        raise _buserr()
    slot = mm.page_table.slot(vpn)
    try:
        pfn = mapping.get_page(page)
    except Errno:
        raise _buserr() from None
    shared = vma.flags & VM_SHARED
    if write and not shared:
        copy = memory.alloc_frame()
        memory.page(copy)[:] = memory.page(pfn)
        mm.page_table.words[slot] = mm.entry_for(copy, vma.flags, True)
        mm.rss += 1
        return
    memory.get(pfn)
    writable = bool(shared and vma.flags & VM_WRITE)
    mm.page_table.words[slot] = mm.entry_for(pfn, vma.flags, writable)
    mm.rss += 1
    if not write:
        _fault_around(mm, vma, vpn, writable)


def _fault_around(mm: Mm, vma: Vma, vpn: int, writable: bool) -> None:
    """Maps the neighbours of a file page that need no reading."""
    mapping = vma.mapping
    assert mapping is not None
    cached = mapping.pages
    table = mm.page_table
    around = vpn & -FAULT_AROUND
    base = vma.start >> 12
    end_of_file = base + ((mapping.inode.size + 4095) >> 12) - vma.pgoff
    last = min(around + FAULT_AROUND, vma.end >> 12, end_of_file)
    for neighbour in range(max(around, base), last):
        pfn = cached.get(vma.file_page(neighbour))
        # A block of FAULT_AROUND pages has one last-level table, which the first page made.
        if pfn is not None and not table.get(neighbour):
            mm.memory.get(pfn)
            table.set(neighbour, mm.entry_for(pfn, vma.flags, writable))
            mm.rss += 1


def _wp_page(mm: Mm, vma: Vma, vpn: int, entry: int) -> None:
    """do_wp_page: a write to a page that is mapped read-only in a writable area."""
    memory = mm.memory
    pfn = (entry & ADDRESS) >> 12
    if not vma.flags & VM_SHARED and memory.refcount[pfn] != 1:
        copy = memory.alloc_frame()
        if pfn == mm.kernel.zero_pfn:
            mm.rss += 1
        else:
            memory.page(copy)[:] = memory.page(pfn)
        memory.put(pfn)
        mm.page_table.set(vpn, mm.entry_for(copy, vma.flags, True))
        # The CPU may still read through the old translation.
        mm.flush_tlb()
        return
    mm.page_table.set(vpn, mm.entry_for(pfn, vma.flags, True) | entry & (ACCESSED | DIRTY))


def fault_in(task: Task, mm: Mm, address: int, write: bool) -> None:
    """Makes one page accessible on the kernel's own account; raises Fault.

    That is also what is raised when memory ran out and the task was chosen to be ended for it.
    """
    while True:
        try:
            handle_mm_fault(task, mm, address, write, False)
            return
        except OutOfMemory:
            from emukernel.kernel.oom import out_of_memory

            if not out_of_memory(task):
                raise _maperr() from None


def user_page(task: Task, mm: Mm, address: int, write: bool) -> int:
    """The present entry of a user page for the kernel's own access, faulting it in.

    Raises Fault as `fault_in`. A page that is written counts as dirty from then on.
    """
    wanted = PRESENT | USER | WRITE if write else PRESENT | USER
    table = mm.page_table
    vpn = address >> 12
    entry = table.get(vpn)
    while entry & wanted != wanted:
        fault_in(task, mm, address, write)
        entry = table.get(vpn)
    if write and not entry & DIRTY:
        entry |= DIRTY
        table.set(vpn, entry)
    return entry


__all__ = ["Fault", "expand_stack", "fault_in", "handle_mm_fault", "user_page"]
