"""4-level x86-64 page tables in guest RAM, as the CPU walks them (Intel SDM vol. 3, 4.5).

The kernel reads and writes entries through the host's mapping of RAM. `leaves` remembers where
the last-level table of each 2 MiB lies, so a look-up is one dictionary access and one load.
"""

from __future__ import annotations

from emukernel.machine.physmem import PAGE_SHIFT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.machine.physmem import PhysicalMemory

PRESENT = 1 << 0
WRITE = 1 << 1
USER = 1 << 2
ACCESSED = 1 << 5
DIRTY = 1 << 6
NX = 1 << 63

#: Bits of an entry that hold the frame's physical address.
ADDRESS = 0x000F_FFFF_FFFF_F000
TABLE = PRESENT | WRITE | USER

_ENTRIES = 512
#: One in each of a whole table's entries, and the addresses of as many adjacent frames from 0 on.
_ONES = sum(1 << 64 * n for n in range(_ENTRIES))
_ADJACENT = sum(n << PAGE_SHIFT + 64 * n for n in range(_ENTRIES))
_ADDRESSES = ADDRESS * _ONES
_WRITABLE = WRITE * _ONES

#: First index of the kernel's half in the top-level table.
KERNEL_SLOT = 256
USER_LIMIT = 1 << 47


class PageTable:
    """One address space's tables. Pages are named by virtual page number (address >> 12)."""

    __slots__ = ("_tables", "leaves", "memory", "root", "touched", "words")

    def __init__(self, memory: PhysicalMemory, kernel_entry: int = 0) -> None:
        self.memory = memory
        self.words = memory.words
        self.root = memory.alloc_frame() << PAGE_SHIFT
        # (level, address prefix) of each table below the root -> its frame.
        self._tables: dict[tuple[int, int], int] = {}
        # Address >> 21 -> index into `words` of that last-level table's entry 0.
        self.leaves: dict[int, int] = {}
        # While there is a snapshot: keys of `leaves` whose entries the kernel may have changed.
        self.touched: set[int] | None = None
        if kernel_entry:
            self.words[(self.root >> 3) + KERNEL_SLOT] = kernel_entry

    def kernel_entry(self) -> int:
        """The top-level entry of the kernel's half, to share with other address spaces."""
        return self.words[(self.root >> 3) + KERNEL_SLOT]

    def _leaf(self, vpn: int) -> int:
        """Index of the last-level table for `vpn`, made with its parents where missing."""
        words = self.words
        table = self.root >> 3
        for level, shift in ((3, 27), (2, 18), (1, 9)):
            index = table + ((vpn >> shift) & 511)
            entry = words[index]
            if not entry & PRESENT:
                pfn = self.memory.alloc_frame()
                self._tables[level, vpn >> shift] = pfn
                entry = pfn << PAGE_SHIFT | TABLE
                words[index] = entry
            table = (entry & ADDRESS) >> 3
        self.leaves[vpn >> 9] = table
        return table

    def slot(self, vpn: int) -> int:
        """Index into `words` of a page's entry; makes the tables it needs (OutOfMemory)."""
        leaf = self.leaves.get(vpn >> 9)
        if leaf is None:
            leaf = self._leaf(vpn)
        if self.touched is not None:
            self.touched.add(vpn >> 9)
        return leaf + (vpn & 511)

    def set(self, vpn: int, entry: int) -> None:
        """Writes the entry of a page (address bits and flags as the CPU reads them)."""
        leaf = self.leaves.get(vpn >> 9)
        if leaf is None:
            leaf = self._leaf(vpn)
        if self.touched is not None:
            self.touched.add(vpn >> 9)
        self.words[leaf + (vpn & 511)] = entry

    def get(self, vpn: int) -> int:
        """The entry of a page; 0 where there is none."""
        leaf = self.leaves.get(vpn >> 9)
        return 0 if leaf is None else self.words[leaf + (vpn & 511)]

    def leaf_ranges(self, first: int, last: int) -> Iterator[tuple[int, int, int]]:
        """(vpn, index into `words`, count) of the entries in [first, last), table by table.

        Where there is no last-level table there are no entries.
        """
        leaves = self.leaves
        low, high = first >> 9, (last + 511) >> 9
        if high - low > len(leaves):
            numbers = sorted(n for n in leaves if low <= n < high)
        else:
            numbers = [n for n in range(low, high) if n in leaves]
        if self.touched is not None:
            self.touched.update(numbers)
        for number in numbers:
            base = number << 9
            begin = max(first - base, 0)
            yield base + begin, leaves[number] + begin, min(last - base, _ENTRIES) - begin

    def entries(self, first: int, last: int) -> Iterator[tuple[int, int, int]]:
        """(vpn, index into `words`, entry) of each entry that is not 0 in [first, last)."""
        words = self.words
        for vpn, index, count in self.leaf_ranges(first, last):
            table = words[index : index + count].tolist()
            if any(table):
                for offset, entry in enumerate(table):
                    if entry:
                        yield vpn + offset, index + offset, entry

    def frames_at(self, index: int, count: int) -> range | list[int]:
        """The frames that `count` entries from an index into `words` on name."""
        if count == _ENTRIES:
            # As after writing to fresh memory in order, a few microseconds for the whole table.
            data = self.memory.view[index << 3 : index + count << 3]
            addresses = int.from_bytes(data, "little") & _ADDRESSES
            first = addresses & ADDRESS
            pfn = first >> PAGE_SHIFT
            if addresses == first * _ONES + _ADJACENT:
                return range(pfn, pfn + count)
            if addresses and addresses == first * _ONES - _ADJACENT:
                return range(pfn - count + 1, pfn + 1)
        table = self.words[index : index + count].tolist()
        return [(entry & ADDRESS) >> PAGE_SHIFT for entry in table if entry]

    def copy_entries(self, vpn: int, index: int, count: int, to: PageTable, *, cow: bool) -> None:
        """Gives `to` the entries from an index into `words` on, those of the pages from `vpn` on.

        With `cow` neither can write to the pages then. OutOfMemory; nothing was done in that case.
        """
        view = self.memory.view
        there = to.slot(vpn)
        data = view[index << 3 : index + count << 3]
        if cow:
            entries = int.from_bytes(data, "little")
            entries -= entries & _WRITABLE
            data[:] = entries.to_bytes(count << 3, "little")
        view[there << 3 : there + count << 3] = data

    def clear_entries(self, index: int, count: int) -> None:
        """Sets entries to 0."""
        self.memory.view[index << 3 : index + count << 3] = bytes(count << 3)

    def free_tables(self, first: int, last: int) -> None:
        """Gives back the tables that lie wholly in [first, last), where all entries are 0."""
        low, high = (first + 511) >> 9, last >> 9
        leaves = self.leaves
        if high <= low or not leaves:
            return
        if high - low > len(leaves):
            numbers = [number for number in leaves if low <= number < high]
        else:
            numbers = [number for number in range(low, high) if number in leaves]
        for number in numbers:
            del leaves[number]
            self._free_table(1, number)
        if not numbers:
            return
        for level in (2, 3):
            low, high = (low + 511) >> 9, high >> 9
            if high <= low:
                return
            for prefix in {number >> 9 * (level - 1) for number in numbers}:
                if low <= prefix < high and (level, prefix) in self._tables:
                    self._free_table(level, prefix)

    def _free_table(self, level: int, prefix: int) -> None:
        pfn = self._tables.pop((level, prefix))
        parent = self.root >> PAGE_SHIFT if level == 3 else self._tables[level + 1, prefix >> 9]
        self.words[(parent << PAGE_SHIFT >> 3) + (prefix & 511)] = 0
        self.memory.put(pfn)

    @property
    def frames(self) -> int:
        """How many frames the tables take."""
        return 1 + len(self._tables)

    def free(self) -> None:
        """Gives back every table; the frames that entries name are the caller's."""
        for pfn in self._tables.values():
            self.memory.put(pfn)
        self._tables.clear()
        self.leaves.clear()
        self.memory.put(self.root >> PAGE_SHIFT)
