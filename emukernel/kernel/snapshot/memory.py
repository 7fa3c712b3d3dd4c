"""Guest memory at a moment, and the way back to it.

A page that changed shows in a page table: the CPU and the kernel's user accesses set its entry's
Dirty bit, and whatever takes a page out of a table changes the entry. The bits are cleared when
the snapshot is made. What changes behind the tables' back is logged by `PhysicalMemory.written`:
writes to the page cache, pages whose Dirty bit the kernel took back, frames given out anew.
So a restore looks at the tables' words and copies the pages behind those that differ.

Nor are all tables looked at: the CPU sets the Accessed bit of the entry that leads to a last-level
table when it first uses it, and `PageTable.touched` logs those that the kernel wrote to. A table
that was used once is looked at from then on.
"""

from __future__ import annotations

from emukernel.machine.pagetable import ACCESSED, ADDRESS, DIRTY, PRESENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.kernel.kernel import Kernel
    from emukernel.machine.pagetable import PageTable

_PAGE = 4096
_USED = ACCESSED | DIRTY


class MemoryImage:
    """RAM, its allocator and all page tables of `kernel` as they are now."""

    __slots__ = (
        "_active",
        "_allocator",
        "_hot",
        "_hot_indices",
        "_kernel",
        "_leaves",
        "_levels",
        "_memory",
        "_refcount",
        "_refcounts",
        "_saved",
        "_size",
        "_tables",
        "_words",
    )

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        memory = self._memory = kernel.memory
        tables = _page_tables(kernel)
        for task in kernel.tasks.values():
            _report_shared(task.mm)
        words = memory.words
        # A table's frame -> its level; 1 has the entries of pages.
        levels: dict[int, int] = {}
        for table in tables:
            levels[table.root >> 12] = 4
            for (level, _prefix), pfn in table._tables.items():
                levels[pfn] = level
            table.touched = set()
        for pfn, level in levels.items():
            for index in range(pfn << 9, pfn + 1 << 9):
                entry = words[index]
                if not entry & PRESENT:
                    words[index] = entry & ~DIRTY
                elif level == 2:
                    words[index] = entry & ~(DIRTY | ACCESSED)
                else:
                    words[index] = entry & ~DIRTY | ACCESSED
        kernel.cpu.flush_tlb()
        self._size = memory._next << 12
        self._saved = memoryview(bytearray(memory.view[: self._size]))
        self._words = self._saved.cast("Q")
        self._refcounts = memory.refcount[: memory._next]
        self._refcount = memoryview(bytes(self._refcounts)).cast("I")
        self._allocator = (
            memory._free.copy(),
            memory._next,
            memory.free_frames,
            memory.code_frames.copy(),
        )
        self._leaves = {id(table): (table, table.leaves.copy()) for table in tables}
        self._levels = levels
        self._tables: list[tuple[int, memoryview, bytes]] = []
        self._active: set[int] = set()
        for pfn, level in levels.items():
            if level > 1:
                self._look_at(pfn)
        # Entries that a run has changed before: (index, entry, page or None, its contents).
        self._hot: list[tuple[int, int, memoryview | None, memoryview | None]] = []
        self._hot_indices: set[int] = set()
        memory.written = set()

    def restore(self) -> None:
        """Makes memory what it was, in time for what was changed since."""
        memory = self._memory
        words = memory.words
        written = memory.written
        assert written is not None
        self._find_aliases(written)
        for index, entry, page, contents in self._hot:
            if words[index] != entry:
                words[index] = entry
                if page is not None:
                    page[:] = contents  # type: ignore[assignment]
        for table, leaves in self._leaves.values():
            touched = table.touched
            if touched:
                for number in touched:
                    if number in leaves:
                        self._look_at(leaves[number] >> 9)
                touched.clear()
        # Restoring one may find more to look at, which are then at the end of the list.
        for pfn, now, then in self._tables:
            if bytes(now) != then:
                self._restore_table(pfn, written)
        if written:
            self._restore_frames(written)
        self._restore_allocator()

    def _look_at(self, pfn: int) -> None:
        """Has a table compared at every restore."""
        if pfn in self._active or pfn not in self._levels:
            return
        self._active.add(pfn)
        start = pfn << 12
        then = bytes(self._saved[start : start + _PAGE])
        self._tables.append((pfn, self._memory.page(pfn), then))

    def _find_aliases(self, written: set[int]) -> None:
        """Adds the pages that were written through tables which did not exist then."""
        known = self._leaves
        words = self._memory.words
        for task in self._kernel.tasks.values():
            if task.mm is None:
                continue
            table = task.mm.page_table
            saved = known.get(id(table))
            if saved is None:
                new = list(table.leaves.values())
            elif table.leaves != saved[1]:
                old = set(saved[1].values())
                new = [leaf for leaf in table.leaves.values() if leaf not in old]
            else:
                continue
            for leaf in new:
                for entry in words[leaf : leaf + 512].tolist():
                    if entry & DIRTY:
                        written.add((entry & ADDRESS) >> 12)

    def _restore_table(self, pfn: int, written: set[int]) -> None:
        """A table of which more changed than before: puts it right and remembers what changed."""
        memory = self._memory
        words, saved = memory.words, self._words
        level = self._levels[pfn]
        used = False
        for index in range(pfn << 9, pfn + 1 << 9):
            entry, now = saved[index], words[index]
            if now == entry:
                continue
            if level == 2:
                self._look_at((entry & ADDRESS) >> 12)
                if now == entry | ACCESSED:
                    # From now on it counts as used from the start.
                    saved[index] = now
                    used = True
                    continue
            words[index] = entry
            page = contents = None
            start = entry & ADDRESS
            if level == 1 and entry and start < self._size:
                written.add(start >> 12)
                # A page of code is left to `_restore_frames`, which has translations dropped.
                if start >> 12 not in memory.code_frames:
                    page = memory.view[start : start + _PAGE]
                    contents = self._saved[start : start + _PAGE]
            hot = page is not None or level > 1 or not entry
            if hot and index not in self._hot_indices:
                self._hot_indices.add(index)
                self._hot.append((index, entry, page, contents))
        if used:
            at = next(i for i, table in enumerate(self._tables) if table[0] == pfn)
            self._active.discard(pfn)
            self._look_at(pfn)
            self._tables[at] = self._tables.pop()

    def _restore_frames(self, frames: set[int]) -> None:
        memory = self._memory
        view, saved, refcount = memory.view, self._saved, self._refcount
        code = memory.code_frames
        for pfn in frames:
            if pfn >= len(refcount) or not refcount[pfn]:
                continue
            start = pfn << 12
            if pfn in code and view[start : start + _PAGE] != saved[start : start + _PAGE]:
                memory.on_stale_code()
            view[start : start + _PAGE] = saved[start : start + _PAGE]
        frames.clear()

    def _restore_allocator(self) -> None:
        memory = self._memory
        free, fresh, free_frames, code = self._allocator
        if memory._next != fresh:
            # Frames that were never given out are zero.
            start, end = fresh << 12, memory._next << 12
            memory.view[start:end] = bytes(end - start)
            refcount = memory.refcount
            refcount[fresh : memory._next] = memoryview(bytes(4 * (memory._next - fresh))).cast("I")
            memory._next = fresh
        memory._free[:] = free
        memory.free_frames = free_frames
        self._refcounts[:] = self._refcount
        if memory.code_frames != code:
            # Translations of those frames are still there.
            memory._stale_code |= memory.code_frames - code
            memory.code_frames.clear()
            memory.code_frames |= code

    def differences(self) -> list[str]:
        """What is not as it was, by comparing all of it; the CPU's Accessed bits don't count."""
        memory = self._memory
        free, fresh, free_frames, code = self._allocator
        found = [
            f"the allocator's {name}"
            for name, now, then in (
                ("free list", memory._free, free),
                ("next frame", memory._next, fresh),
                ("count", memory.free_frames, free_frames),
                ("code frames", memory.code_frames, code),
                ("references", bytes(self._refcounts), bytes(self._refcount)),
            )
            if now != then
        ]
        unused = set(free)
        for start in range(0, self._size, _PAGE):
            pfn = start >> 12
            now, then = memory.view[start : start + _PAGE], self._saved[start : start + _PAGE]
            if pfn in unused or now == then:
                continue
            if pfn in self._levels:
                pairs = zip(now.cast("Q"), then.cast("Q"), strict=True)
                if all(a | ACCESSED == b | ACCESSED for a, b in pairs):
                    continue
            found.append(f"frame {pfn:#x}")
        if any(memory.view[self._size : self._size + (1 << 20)]):
            found.append("frames that were never given out")
        return found


def _page_tables(kernel: Kernel) -> list[PageTable]:
    """Every page table there is, each once."""
    tables: dict[int, PageTable] = {id(kernel.boot_table): kernel.boot_table}
    for mm in _address_spaces(kernel):
        tables[id(mm.page_table)] = mm.page_table
    return list(tables.values())


def _address_spaces(kernel: Kernel) -> Iterator[Any]:
    for task in kernel.tasks.values():
        if task.mm is not None and task.mm.users > 0:
            yield task.mm


def _report_shared(mm: Any) -> None:
    """Tells files what shared mappings wrote so far, as the Dirty bits are about to be cleared."""
    from emukernel.kernel.mm.vma import VM_SHARED

    if mm is None or mm.users <= 0:
        return
    for vma in mm.vmas:
        if vma.flags & VM_SHARED and vma.mapping is not None:
            mm.write_back(vma, vma.start >> 12, vma.end >> 12)


if TYPE_CHECKING:
    from typing import Any
