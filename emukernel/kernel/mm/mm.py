"""An address space (struct mm_struct): its areas, its page table and its counts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

from emukernel.kernel.errno import EINVAL, ENOMEM, Errno
from emukernel.kernel.mm.slab import VMA_SIZE
from emukernel.kernel.mm.vma import (
    VM_ACCESS,
    VM_EXEC,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_SHARED,
    VM_WRITE,
    Vma,
)
from emukernel.machine.pagetable import (
    ACCESSED,
    ADDRESS,
    DIRTY,
    NX,
    PRESENT,
    USER,
    WRITE,
    PageTable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.kernel import Kernel

PAGE_SIZE = 4096
TASK_SIZE = (1 << 47) - PAGE_SIZE
MMAP_MIN_ADDR = 65536
MAX_MAP_COUNT = 65530
#: A stack area keeps this distance from the area below it (stack_guard_gap, 256 pages).
STACK_GUARD_GAP = 256 * PAGE_SIZE

#: Software bit of an entry without PRESENT: the page is there, its protection is PROT_NONE.
PTE_PROTNONE = 1 << 9
PTE_FLAGS = ~ADDRESS & (1 << 64) - 1


def vma_start(vma: Vma) -> int:
    """The key by which areas are in order."""
    return vma.start


class Mm:
    """An address space, shared by the tasks that have it in `users`.

    Numbers named as in struct mm_struct, in pages; `rss` leaves out the page of zeros.
    """

    __slots__ = (
        "arg_end",
        "arg_start",
        "brk",
        "data_vm",
        "def_flags",
        "end_code",
        "end_data",
        "env_end",
        "env_start",
        "exe_file",
        "flags",
        "hiwater_rss",
        "hiwater_vm",
        "hole_limit",
        "hole_top",
        "id",
        "kernel",
        "locked_vm",
        "membarrier_state",
        "memory",
        "mmap_base",
        "page_table",
        "rss",
        "saved_auxv",
        "start_brk",
        "start_code",
        "start_data",
        "start_stack",
        "total_vm",
        "users",
        "vmas",
    )

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.memory = kernel.memory
        self.page_table = PageTable(kernel.memory, kernel.cpu.kernel_entry)
        self.vmas: list[Vma] = []
        kernel.mm_ids += 1
        self.id = kernel.mm_ids
        self.users = 1
        self.mmap_base = TASK_SIZE
        # No gap between `hole_top` and the top of the address space is larger than `hole_limit`.
        self.hole_top = TASK_SIZE
        self.hole_limit = 0
        self.total_vm = self.data_vm = self.locked_vm = 0
        self.hiwater_vm = 0
        self.rss = self.hiwater_rss = 0
        self.def_flags = 0
        #: What has been registered with membarrier(2).
        self.membarrier_state = 0
        #: MMF_ bits.
        self.flags = 0
        self.start_code = self.end_code = self.start_data = self.end_data = 0
        self.start_brk = self.brk = self.start_stack = 0
        self.arg_start = self.arg_end = self.env_start = self.env_end = 0
        self.saved_auxv = b""
        self.exe_file: File | None = None

    # -- look-up -----------------------------------------------------------------------------

    def find_vma(self, address: int) -> Vma | None:
        """The first area that ends above `address` (it may start above it too)."""
        vmas = self.vmas
        at = bisect_right(vmas, address, key=vma_start)
        if at and vmas[at - 1].end > address:
            return vmas[at - 1]
        return vmas[at] if at < len(vmas) else None

    def vma_at(self, address: int) -> Vma | None:
        """The area that holds `address`."""
        vmas = self.vmas
        at = bisect_right(vmas, address, key=vma_start) - 1
        if at >= 0 and vmas[at].end > address:
            return vmas[at]
        return None

    def overlapping(self, start: int, end: int) -> list[Vma]:
        """The areas that share an address with [start, end), in order."""
        vmas = self.vmas
        at = bisect_right(vmas, start, key=vma_start)
        if at and vmas[at - 1].end > start:
            at -= 1
        found = []
        while at < len(vmas) and vmas[at].start < end:
            found.append(vmas[at])
            at += 1
        return found

    def covered(self, start: int, end: int) -> bool:
        """Whether areas cover all of [start, end)."""
        for vma in self.overlapping(start, end):
            if vma.start > start:
                return False
            start = vma.end
        return start >= end

    def is_free(self, address: int, length: int) -> bool:
        """Whether nothing is mapped in a range, nor a stack too near above it."""
        following = self.find_vma(address)
        if following is None:
            return address + length <= TASK_SIZE
        gap = STACK_GUARD_GAP if following.flags & VM_GROWSDOWN else 0
        return address + length <= following.start - gap

    def get_unmapped_area(self, length: int) -> int:
        """The highest free gap of `length` bytes below `mmap_base`, else the lowest above it.

        Errno(ENOMEM) where there is none.
        """
        top = min(self.mmap_base, TASK_SIZE)
        limit = 0
        if self.hole_top < top and length > self.hole_limit:
            top, limit = self.hole_top, self.hole_limit
        vmas = self.vmas
        at = bisect_right(vmas, top - 1, key=vma_start)
        while True:
            gap_low = max(vmas[at - 1].end if at else 0, MMAP_MIN_ADDR)
            gap_top = top
            if at < len(vmas) and vmas[at].flags & VM_GROWSDOWN:
                gap_top = min(gap_top, vmas[at].start - STACK_GUARD_GAP)
            if gap_top - gap_low >= length:
                break
            limit = max(limit, gap_top - gap_low)
            if not at or vmas[at - 1].start <= MMAP_MIN_ADDR:
                return self.get_unmapped_area_above(self.mmap_base, TASK_SIZE, length)
            at -= 1
            top = min(top, vmas[at].start)
        if top <= self.hole_top:
            self.hole_top, self.hole_limit = top, limit
        return gap_top - length

    def get_unmapped_area_above(self, low: int, high: int, length: int) -> int:
        """The lowest free gap of `length` bytes in [low, high), or Errno(ENOMEM)."""
        for vma in self.overlapping(low, high):
            limit = vma.start - (STACK_GUARD_GAP if vma.flags & VM_GROWSDOWN else 0)
            if limit - low >= length:
                return low
            low = vma.end
        if high - low >= length:
            return low
        raise Errno(ENOMEM)

    def _gap_made(self, end: int) -> None:
        """Something below `end` became free: gaps up to there must be looked at again."""
        self.hole_top = max(self.hole_top, end)

    # -- changing areas ----------------------------------------------------------------------

    def insert(self, vma: Vma) -> Vma:
        """Adds an area where nothing is mapped, merging it with its neighbours if they allow."""
        self.kernel.slab.charge(VMA_SIZE)
        self._account(vma.flags, (vma.end - vma.start) >> 12)
        insort(self.vmas, vma, key=vma_start)
        _take_file(vma)
        return self.merge(vma)

    def append(self, vma: Vma) -> None:
        """Adds an area above all others, as fork does that copies them in order."""
        self.kernel.slab.charge(VMA_SIZE)
        self._account(vma.flags, (vma.end - vma.start) >> 12)
        self.vmas.append(vma)
        _take_file(vma)

    def merge(self, vma: Vma) -> Vma:
        """Joins `vma` with equal neighbours; returns the area that now holds it."""
        vmas = self.vmas
        at = bisect_right(vmas, vma.start, key=vma_start) - 1
        if at + 1 < len(vmas) and vmas[at + 1].follows(vma):
            after = vmas.pop(at + 1)
            vma.end = after.end
            _drop_file(after)
            self.kernel.slab.uncharge(VMA_SIZE)
        if at > 0 and vma.follows(vmas[at - 1]):
            before = vmas[at - 1]
            del vmas[at]
            before.end = vma.end
            _drop_file(vma)
            self.kernel.slab.uncharge(VMA_SIZE)
            return before
        return vma

    def split(self, vma: Vma, address: int) -> Vma:
        """Cuts `vma` in two at `address`; returns the upper part."""
        self.kernel.slab.charge(VMA_SIZE)
        upper = vma.copy(self)
        upper.start = address
        upper.pgoff = vma.file_page(address >> 12)
        vma.end = address
        insort(self.vmas, upper, key=vma_start)
        _take_file(upper)
        return upper

    def isolate(self, start: int, end: int) -> list[Vma]:
        """The areas in [start, end), cut so that none reaches over either end.

        Errno(ENOMEM) where a cut would make too many areas (split_vma).
        """
        found = self.overlapping(start, end)
        if not found:
            return found
        cuts = (found[0].start < start) + (found[-1].end > end)
        if cuts and len(self.vmas) + cuts > MAX_MAP_COUNT:
            raise Errno(ENOMEM)
        return self._cut(found, start, end)

    def _cut(self, found: list[Vma], start: int, end: int) -> list[Vma]:
        if found[0].start < start:
            found[0] = self.split(found[0], start)
        if found[-1].end > end:
            self.split(found[-1], end)
        return found

    def unmap(self, start: int, end: int) -> None:
        """Takes all areas out of [start, end), page-aligned (do_munmap)."""
        found = self.overlapping(start, end)
        if not found:
            return
        # One area cut in the middle makes two: refused before anything changed.
        inside = len(found) == 1 and found[0].start < start and found[0].end > end
        if inside and len(self.vmas) >= MAX_MAP_COUNT:
            raise Errno(ENOMEM)
        found = self._cut(found, start, end)
        at = bisect_left(self.vmas, start, key=vma_start)
        for vma in found:
            self.zap_range(vma, vma.start >> 12, vma.end >> 12)
            self._account(vma.flags, -((vma.end - vma.start) >> 12))
            _drop_file(vma)
        del self.vmas[at : at + len(found)]
        self.kernel.slab.uncharge(VMA_SIZE * len(found))
        below = self.vmas[at - 1].end if at else 0
        above = self.vmas[at].start if at < len(self.vmas) else TASK_SIZE
        self._gap_made(above)
        self.page_table.free_tables(below >> 12, above >> 12)

    def _account(self, flags: int, pages: int) -> None:
        self.total_vm += pages
        if self.total_vm > self.hiwater_vm:
            self.hiwater_vm = self.total_vm
        if flags & (VM_WRITE | VM_SHARED) == VM_WRITE and not flags & VM_GROWSDOWN:
            self.data_vm += pages
        if flags & VM_LOCKED:
            self.locked_vm += pages

    def set_flags(self, vma: Vma, flags: int) -> None:
        """Changes an area's flags and the counts that depend on them."""
        pages = (vma.end - vma.start) >> 12
        self._account(vma.flags, -pages)
        vma.flags = flags
        self._account(flags, pages)

    def resize(self, vma: Vma, end: int) -> None:
        """Moves the end of an area up where nothing is mapped."""
        self._account(vma.flags, (end - vma.end) >> 12)
        vma.end = end

    def grow_down(self, vma: Vma, start: int) -> None:
        """Moves the start of an area down where nothing is mapped."""
        pages = (vma.start - start) >> 12
        self._account(vma.flags, pages)
        vma.pgoff -= pages
        vma.start = start

    # -- pages -------------------------------------------------------------------------------

    def zap_range(self, vma: Vma, first: int, last: int) -> None:
        """Takes the pages [first, last) of an area out of the page table."""
        if vma.flags & VM_SHARED:
            self.write_back(vma, first, last)
        table = self.page_table
        gone = zeros = 0
        for _vpn, index, count in table.leaf_ranges(first, last):
            pfns = table.frames_at(index, count)
            if pfns:
                table.clear_entries(index, count)
                self.memory.put_all(pfns)
                gone += len(pfns)
                zeros += pfns.count(self.kernel.zero_pfn)
        if gone:
            self.rss -= gone - zeros
            self.flush_tlb()

    def write_back(self, vma: Vma, first: int, last: int) -> None:
        """Tells the file which of its pages a shared mapping wrote to since the last time."""
        assert vma.mapping is not None
        words = self.page_table.words
        dirtied = False
        for vpn, index, entry in self.page_table.entries(first, last):
            if entry & DIRTY:
                words[index] = entry & ~DIRTY
                if self.memory.written is not None:
                    self.memory.written.add((entry & ADDRESS) >> 12)
                vma.mapping.page_dirtied(vma.file_page(vpn))
                dirtied = True
        if dirtied:
            self.flush_tlb()

    def zap_file_range(self, vma: Vma, first_index: int, end_index: int | None = None) -> None:
        """Takes out the pages that show the file from page `first_index` on (truncate).

        With `end_index` only the pages before it, and the file's own, not private copies of them:
        a hole was punched.
        """
        base = (vma.start >> 12) - vma.pgoff
        first = max(vma.start >> 12, base + first_index)
        if end_index is None:
            if first < vma.end >> 12:
                self.zap_range(vma, first, vma.end >> 12)
            return
        last = min(vma.end >> 12, base + end_index)
        assert vma.mapping is not None
        cached = vma.mapping.pages
        for vpn, _index, entry in list(self.page_table.entries(first, last)):
            if cached.get(vpn - base) == (entry & ADDRESS) >> 12:
                self.zap_range(vma, vpn, vpn + 1)

    def flush_tlb(self) -> None:
        """Has the CPU forget this address space's translations if it runs it."""
        if self.kernel.active_mm is self:
            self.kernel.cpu.flush_tlb()

    def entry_for(self, pfn: int, flags: int, writable: bool) -> int:
        """The page-table entry of a frame under an area's protection."""
        if not flags & VM_ACCESS:
            return pfn << 12 | PTE_PROTNONE | NX
        entry = pfn << 12 | PRESENT | USER
        if writable:
            entry |= WRITE
        if not flags & VM_EXEC:
            return entry | NX
        self.memory.map_code(pfn)
        return entry

    def change_protection(self, vma: Vma) -> None:
        """Rewrites the present entries of an area after its flags changed (mprotect)."""
        words = self.page_table.words
        refcount = self.memory.refcount
        flags = vma.flags
        for _vpn, index, entry in self.page_table.entries(vma.start >> 12, vma.end >> 12):
            pfn = (entry & ADDRESS) >> 12
            # A private page that others can see stays read-only: the write fault copies it.
            writable = bool(flags & VM_WRITE) and (
                bool(flags & VM_SHARED) or refcount[pfn] == 1
            )
            used = entry & (ACCESSED | DIRTY)
            words[index] = self.entry_for(pfn, flags, writable) | used

    def release(self) -> None:
        """Drops one user; the last one gives all memory back (mmput)."""
        self.users -= 1
        if self.users:
            return
        for vma in self.vmas:
            self.zap_range(vma, vma.start >> 12, vma.end >> 12)
            _drop_file(vma)
        self.kernel.slab.uncharge(VMA_SIZE * len(self.vmas))
        self.vmas.clear()
        if self.kernel.active_mm is self:
            self.kernel.leave_mm()
        self.page_table.free()
        if self.exe_file is not None:
            from emukernel.kernel.fs.filp_open import close_exec

            close_exec(self.exe_file)
            self.exe_file = None


def _take_file(vma: Vma) -> None:
    """An area holds its file open and is known to the file's page cache."""
    if vma.file is not None:
        vma.file.get()
    if vma.mapping is not None:
        vma.mapping.mmaps[vma] = None


def _drop_file(vma: Vma) -> None:
    if vma.mapping is not None:
        del vma.mapping.mmaps[vma]
    if vma.file is not None:
        vma.file.put()


def page_align(value: int) -> int:
    """`value` rounded up to a whole page."""
    return (value + PAGE_SIZE - 1) & -PAGE_SIZE


def check_range(start: int, length: int) -> int:
    """End of a page-aligned user range given by a call, or EINVAL as munmap and friends give."""
    if start & (PAGE_SIZE - 1) or start > TASK_SIZE or length > TASK_SIZE - start:
        raise Errno(EINVAL)
    return start + page_align(length)
