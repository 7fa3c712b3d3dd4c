"""The page cache of one file: guest frames by page index (Linux: struct address_space).

read(2), write(2) and mappings of a file all use these frames, so they see the same bytes and the
PC's RAM bounds them.
"""

from __future__ import annotations

from emukernel.kernel.errno import EFAULT, ENOMEM, Errno
from emukernel.machine.physmem import OutOfMemory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from emukernel.kernel.fs.inode import Inode
    from emukernel.kernel.uaccess import BytesIter, IovIter
    from emukernel.machine.physmem import PhysicalMemory

    Iter: TypeAlias = IovIter | BytesIter

PAGE_SHIFT = 12
PAGE_SIZE = 4096
PAGE_MASK = PAGE_SIZE - 1

_WRITE_CHUNK = 1 << 20
_ZEROS = bytes(1 << 16)


class AddressSpace:
    """The cached pages of `inode`, in frames of `memory`.

    `pages` maps a page index to a frame on which this cache holds a reference. `mmaps` lists the
    VMAs that map the file. The base class is the cache of a file that has no other storage: a
    page that is not there reads as zeros.
    """

    __slots__ = ("inode", "memory", "mmaps", "pages")

    def __init__(self, inode: Inode, memory: PhysicalMemory) -> None:
        self.inode = inode
        self.memory = memory
        self.pages: dict[int, int] = {}
        self.mmaps: dict[Any, None] = {}

    def blocks(self) -> int:
        """st_blocks: units of 512 bytes."""
        return len(self.pages) * 8

    # For mm

    def get_page(self, index: int) -> int:
        """The frame of page `index`, made if need be; the caller takes its own reference.

        Raises Errno(ENOSPC) when the file system is full, Errno(EIO) when storage can't be read,
        OutOfMemory.
        """
        pfn = self.pages.get(index)
        if pfn is None:
            self.charge(1)
            try:
                pfn = self.memory.alloc_frame()
            except OutOfMemory:
                self.charge(-1)
                raise
            try:
                self.fill(index, pfn)
            except Errno:
                self.memory.put(pfn)
                self.charge(-1)
                raise
            self.pages[index] = pfn
        return pfn

    def unmap(self, first: int) -> None:
        """Takes the pages from index `first` on out of every address space that maps them."""
        for vma in list(self.mmaps):
            vma.mm.zap_file_range(vma, first)

    # What file systems override

    def charge(self, count: int) -> None:
        """Accounts for `count` pages more (or, negative, less). Raises Errno(ENOSPC)."""

    def fill(self, index: int, pfn: int) -> None:
        """Gives a new, zeroed frame the contents that page `index` has in storage."""

    def page_dirtied(self, index: int) -> None:
        """Page `index` was changed through a shared mapping."""

    def read_hole(self, it: Iter, pos: int, n: int) -> int:
        """Copies `n` bytes that are not in cache; how many were copied."""
        done = 0
        while done < n:
            size = min(n - done, len(_ZEROS))
            copied = it.copy_to_iter(_ZEROS if size == len(_ZEROS) else _ZEROS[:size])
            done += copied
            if copied < size:
                break
        return done

    # Reading and writing

    def read(self, it: Iter, pos: int, n: int) -> int:
        """Copies up to `n` bytes at `pos` (below the end of file) out; short when `it` faults."""
        pages = self.pages
        view = self.memory.view
        index = pos >> PAGE_SHIFT
        last = pos + n - 1 >> PAGE_SHIFT
        offset = pos & PAGE_MASK
        done = 0
        while done < n:
            # A run: frames that are neighbours in RAM, or a hole.
            pfn = pages.get(index)
            following = index + 1
            if pfn is None:
                while following <= last and following not in pages:
                    following += 1
            else:
                following_pfn = pfn + 1
                while following <= last and pages.get(following) == following_pfn:
                    following += 1
                    following_pfn += 1
            size = (following - index << PAGE_SHIFT) - offset
            if size > n - done:
                size = n - done
            if pfn is None:
                copied = self.read_hole(it, pos + done, size)
            else:
                start = (pfn << PAGE_SHIFT) + offset
                copied = it.copy_to_iter(view[start : start + size])
            done += copied
            if copied < size:
                break
            index = following
            offset = 0
        return done

    def write(self, it: Iter, pos: int, n: int) -> int:
        """Copies `n` bytes from `it` to `pos`; the size is the caller's affair.

        Short when `it` faults or no page is left; raises Errno(EFAULT, ENOSPC or ENOMEM) only
        when nothing was written.
        """
        done = 0
        while done < n:
            want = min(n - done, _WRITE_CHUNK)
            data = it.copy_from_iter(want)
            if not data:
                break
            copied = self.write_bytes(data, pos + done, done == 0)
            done += copied
            if copied < len(data):
                it.revert(len(data) - copied)
                break
            if copied < want:
                break
        if not done and n:
            raise Errno(EFAULT)
        return done

    def write_bytes(self, data: bytes | memoryview, pos: int, raising: bool = True) -> int:
        """Puts `data` at `pos`; short, or an error when `raising`, if no page is left."""
        pages = self.pages
        view = self.memory.view
        n = len(data)
        index = pos >> PAGE_SHIFT
        last = pos + n - 1 >> PAGE_SHIFT
        offset = pos & PAGE_MASK
        try:
            self.prepare_write(pos, n)
        except Errno:
            if raising and pages.get(index) is None:
                raise
        except OutOfMemory:
            if raising and pages.get(index) is None:
                raise Errno(ENOMEM) from None
        if self.memory.written is not None:
            self.note_written(index, last)
        if offset == 0 and n == PAGE_SIZE:
            pfn = pages.get(index)
            if pfn is None:
                return 0
            view[pfn << PAGE_SHIFT : pfn + 1 << PAGE_SHIFT] = data
            return n
        source = memoryview(data)
        done = 0
        while index <= last:
            pfn = pages.get(index)
            if pfn is None:
                break
            following = index + 1
            following_pfn = pfn + 1
            while following <= last and pages.get(following) == following_pfn:
                following += 1
                following_pfn += 1
            size = (following - index << PAGE_SHIFT) - offset
            if size > n - done:
                size = n - done
            start = (pfn << PAGE_SHIFT) + offset
            view[start : start + size] = source[done : done + size]
            done += size
            index = following
            offset = 0
        return done

    def note_written(self, first: int, last: int) -> None:
        """Tells a snapshot that the cached pages from `first` to `last` are about to change."""
        written = self.memory.written
        if written is not None:
            pages = self.pages
            written.update(pages[i] for i in range(first, last + 1) if i in pages)

    def prepare_write(self, pos: int, n: int) -> None:
        """Makes the pages that [pos, pos+n) needs. What could be made stays when one can't be."""
        pages = self.pages
        first = pos >> PAGE_SHIFT
        end = (pos + n - 1 >> PAGE_SHIFT) + 1
        missing = [i for i in range(first, end) if i not in pages]
        if not missing:
            return
        memory = self.memory
        if len(missing) == end - first and len(missing) > 1:
            try:
                self.charge(len(missing))
            except Errno:
                pass
            else:
                try:
                    pages.update(zip(missing, memory.alloc_frames(len(missing)), strict=True))
                    return
                except OutOfMemory:
                    self.charge(-len(missing))
        for index in missing:
            self.get_page(index)

    # Size changes

    def truncate(self, size: int) -> None:
        """Drops what lies at or beyond byte `size`, in cache and in mappings."""
        first = size + PAGE_MASK >> PAGE_SHIFT
        if self.mmaps:
            self.unmap(first)
        pages = self.pages
        if pages:
            if first == 0:
                gone = list(pages)
            else:
                gone = [index for index in pages if index >= first]
            self.drop(gone)
            self.zero_tail(size)

    def zero_tail(self, size: int) -> None:
        """Zeros the rest of the page in which a file of `size` bytes ends."""
        tail = size & PAGE_MASK
        if tail:
            pfn = self.pages.get(size >> PAGE_SHIFT)
            if pfn is not None:
                self.note_written(size >> PAGE_SHIFT, size >> PAGE_SHIFT)
                start = (pfn << PAGE_SHIFT) + tail
                self.memory.view[start : pfn + 1 << PAGE_SHIFT] = _ZEROS[: PAGE_SIZE - tail]

    def drop(self, indices: list[int]) -> None:
        """Gives up the pages with these indices."""
        pages = self.pages
        put = self.memory.put
        for index in indices:
            put(pages.pop(index))
        self.charge(-len(indices))

    def punch_hole(self, start: int, end: int) -> None:
        """Makes the bytes [start, end) zeros, freeing whole pages (FALLOC_FL_PUNCH_HOLE)."""
        first = start + PAGE_MASK >> PAGE_SHIFT
        after = end >> PAGE_SHIFT
        pages = self.pages
        if first < after:
            for vma in list(self.mmaps):
                vma.mm.zap_file_range(vma, first)
            if after - first < len(pages):
                gone = [index for index in range(first, after) if index in pages]
            else:
                gone = [index for index in pages if first <= index < after]
            self.drop(gone)
        self.zero_range(start, min(end, first << PAGE_SHIFT))
        if after >= first:
            self.zero_range(after << PAGE_SHIFT, end)

    def zero_range(self, start: int, end: int) -> None:
        """Zeros the bytes [start, end) of one cached page."""
        if start < end:
            pfn = self.pages.get(start >> PAGE_SHIFT)
            if pfn is not None:
                self.note_written(start >> PAGE_SHIFT, start >> PAGE_SHIFT)
                at = (pfn << PAGE_SHIFT) + (start & PAGE_MASK)
                self.memory.view[at : at + end - start] = _ZEROS[: end - start]

    def seek_data(self, pos: int, size: int) -> int | None:
        """The first byte from `pos` on that lies in a page that is there; None: no more."""
        index = pos >> PAGE_SHIFT
        if index in self.pages:
            return pos
        following = min((i for i in self.pages if i > index), default=None)
        if following is None or following << PAGE_SHIFT >= size:
            return None
        return following << PAGE_SHIFT

    def seek_hole(self, pos: int, size: int) -> int:
        """The first byte from `pos` on that lies in no page, at the latest the end of file."""
        index = pos >> PAGE_SHIFT
        if index not in self.pages:
            return pos
        while index in self.pages:
            index += 1
        return min(index << PAGE_SHIFT, size)
