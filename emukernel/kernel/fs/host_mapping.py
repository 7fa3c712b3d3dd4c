"""The page cache of a file whose contents lie in a host file.

Pages come into the cache when they are mapped or changed; plain reading goes past it, so that a
large file doesn't fill the PC's RAM. What was changed stays here and never reaches the host.
"""

from __future__ import annotations

import os

from emukernel.kernel.errno import EIO, Errno
from emukernel.kernel.fs.address_space import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, AddressSpace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.inode import Inode
    from emukernel.machine.physmem import PhysicalMemory

_CHUNK = 1 << 18


class HostMapping(AddressSpace):
    """`limit` is how many of the host file's bytes still show: truncation only lowers it."""

    __slots__ = ("dirty", "limit")

    def __init__(self, inode: Inode, memory: PhysicalMemory, limit: int) -> None:
        super().__init__(inode, memory)
        self.limit = limit
        self.dirty: set[int] = set()

    def fd(self) -> int:
        """A host descriptor to read from. Errno."""
        raise NotImplementedError

    def blocks(self) -> int:
        return (self.inode.size + PAGE_MASK >> PAGE_SHIFT) * 8

    def _pread(self, offset: int, size: int) -> bytes:
        try:
            return os.pread(self.fd(), size, offset)
        except OSError as error:
            raise Errno(error.errno or EIO) from None

    def fill(self, index: int, pfn: int) -> None:
        offset = index << PAGE_SHIFT
        size = min(PAGE_SIZE, self.limit - offset)
        if size > 0:
            start = pfn << PAGE_SHIFT
            try:
                os.preadv(self.fd(), [self.memory.view[start : start + size]], offset)
            except OSError:
                raise Errno(EIO) from None

    def page_dirtied(self, index: int) -> None:
        self.dirty.add(index)

    def read_hole(self, it: Iter, pos: int, n: int) -> int:
        done = 0
        while done < n:
            at = pos + done
            size = min(n - done, _CHUNK, self.limit - at)
            if size <= 0:
                return done + super().read_hole(it, at, n - done)
            data = self._pread(at, size)
            if len(data) < size:
                # The host file shrank: what is missing reads as zeros.
                data += bytes(size - len(data))
            copied = it.copy_to_iter(data)
            done += copied
            if copied < size:
                break
        return done

    def prepare_write(self, pos: int, n: int) -> None:
        pages = self.pages
        end = pos + n
        for index in range(pos >> PAGE_SHIFT, (end - 1 >> PAGE_SHIFT) + 1):
            if index not in pages:
                start = index << PAGE_SHIFT
                if pos <= start and start + PAGE_SIZE <= end:
                    self.charge(1)
                    pages[index] = self.memory.alloc_frame()
                else:
                    self.get_page(index)
            self.dirty.add(index)

    def truncate(self, size: int) -> None:
        if size < self.limit:
            self.limit = size
        super().truncate(size)

    def drop(self, indices: list[int]) -> None:
        self.dirty.difference_update(indices)
        super().drop(indices)

    def reclaim(self) -> int:
        """Gives up the pages that are as in the host file and not mapped; how many."""
        refcount = self.memory.refcount
        dirty = self.dirty
        clean = [i for i, pfn in self.pages.items() if i not in dirty and refcount[pfn] == 1]
        self.drop(clean)
        return len(clean)

    def seek_data(self, pos: int, size: int) -> int | None:
        return pos

    def seek_hole(self, pos: int, size: int) -> int:
        return size


class ProgramMapping(HostMapping):
    """A single host file that stays open, as the guest program does."""

    __slots__ = ("descriptor",)

    def __init__(self, inode: Inode, memory: PhysicalMemory, limit: int, descriptor: int) -> None:
        super().__init__(inode, memory, limit)
        self.descriptor = descriptor

    def fd(self) -> int:
        return self.descriptor
