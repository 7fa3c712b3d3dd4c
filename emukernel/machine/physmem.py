"""Guest RAM: one anonymous host mapping, handed out in reference-counted 4 KiB frames.

The host commits a page of it when it is first touched, so a large `--memory` costs nothing by
itself. Frame numbers ("pfn") are physical addresses divided by 4096, as in Linux.
"""

from __future__ import annotations

import mmap
import sys
from ctypes import addressof, c_char

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT
PAGE_MASK = ~(PAGE_SIZE - 1)

#: Linux: what is never touched needs no backing (the mmap module has the name from 3.13 on).
_MAP_NORESERVE = 0x4000 if sys.platform == "linux" else 0

_ZERO_PAGE = bytes(PAGE_SIZE)


class OutOfMemory(Exception):
    """No free frame is left: all of the PC's RAM is in use."""


class PhysicalMemory:
    """`size` bytes of RAM (a multiple of 4096) and its frame allocator."""

    __slots__ = (
        "_counts",
        "_free",
        "_host",
        "_next",
        "_stale_code",
        "code_frames",
        "frames",
        "free_frames",
        "host_address",
        "on_stale_code",
        "refcount",
        "size",
        "view",
        "words",
        "written",
    )

    def __init__(self, size: int) -> None:
        if size % PAGE_SIZE or size < 1 << 20:
            raise ValueError("memory size must be a multiple of 4096 and at least 1 MiB")
        self.size = size
        self.frames = size >> PAGE_SHIFT
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
        try:
            self._host = mmap.mmap(-1, size, flags)
        except OSError:
            from emukernel.machine.libunicorn import MachineError

            raise MachineError(f"the host can't give {size >> 20} MiB to a machine") from None
        if hasattr(mmap, "MADV_HUGEPAGE"):
            # Fresh frames come a few times faster when the host commits 2 MiB at once.
            self._host.madvise(mmap.MADV_HUGEPAGE)
        self.view = memoryview(self._host)
        self.words = self.view.cast("Q")
        self.host_address = addressof(c_char.from_buffer(self._host))
        self._counts = memoryview(bytearray(self.frames * 4))
        self.refcount = self._counts.cast("I")
        self._free: list[int] = []
        # Frame 0 is never handed out: pfn 0 means "none" to the users of frames.
        self._next = 1
        self.free_frames = self.frames - 1
        # Frames that are mapped executable, and freed ones that were. The CPU keeps translations
        # by physical address: they must be dropped before other bytes run from such a frame.
        self.code_frames: set[int] = set()
        self._stale_code: set[int] = set()
        self.on_stale_code: Callable[[], None] = lambda: None
        # While there is a snapshot: frames that changed though no Dirty bit may say so.
        self.written: set[int] | None = None

    def alloc_frame(self) -> int:
        """A zeroed frame with one reference; raises OutOfMemory."""
        if self._free:
            pfn = self._free.pop()
            start = pfn << PAGE_SHIFT
            self.view[start : start + PAGE_SIZE] = _ZERO_PAGE
            if self.written is not None:
                self.written.add(pfn)
        elif self._next < self.frames:
            pfn = self._next
            self._next = pfn + 1
        else:
            raise OutOfMemory
        self.refcount[pfn] = 1
        self.free_frames -= 1
        return pfn

    def alloc_frames(self, count: int) -> range | list[int]:
        """`count` zeroed frames with one reference each, adjacent while RAM is fresh."""
        first = self._next
        if count <= self.frames - first and not self._free:
            self._next = first + count
            for pfn in range(first, first + count):
                self.refcount[pfn] = 1
            self.free_frames -= count
            return range(first, first + count)
        if count > self.free_frames:
            raise OutOfMemory
        return [self.alloc_frame() for _ in range(count)]

    def get(self, pfn: int) -> None:
        """Takes one more reference to a frame."""
        self.refcount[pfn] += 1

    def put(self, pfn: int) -> None:
        """Drops one reference; the last one gives the frame back."""
        left = self.refcount[pfn] - 1
        self.refcount[pfn] = left
        if not left:
            self._free.append(pfn)
            self.free_frames += 1
            if pfn in self.code_frames:
                self.code_frames.discard(pfn)
                self._stale_code.add(pfn)

    def get_all(self, pfns: range | list[int]) -> None:
        """Takes one more reference to each of these frames."""
        if type(pfns) is range:
            self._add(pfns, 1)
            return
        refcount = self.refcount
        for pfn in pfns:
            refcount[pfn] += 1

    def put_all(self, pfns: range | list[int]) -> None:
        """Drops one reference to each of these frames."""
        if type(pfns) is range:
            counts = self.refcount[pfns.start : pfns.stop].tolist()
            if max(counts) == 1 and self.code_frames.isdisjoint(pfns):
                self._add(pfns, -1)
                self._free.extend(pfns)
                self.free_frames += len(pfns)
                return
            if min(counts) > 1:
                self._add(pfns, -1)
                return
        put = self.put
        for pfn in pfns:
            put(pfn)

    def _add(self, pfns: range, number: int) -> None:
        """Adds to the counts of adjacent frames, all at once; none may go below 0."""
        part = self._counts[pfns.start << 2 : pfns.stop << 2]
        ones = ((1 << 32 * len(pfns)) - 1) // 0xFFFF_FFFF
        counts = int.from_bytes(part, "little") + number * ones
        part[:] = counts.to_bytes(len(part), "little")

    def map_code(self, pfn: int) -> None:
        """Notes that a frame becomes executable; has stale translations of it dropped."""
        if pfn in self._stale_code:
            self._stale_code.clear()
            self.on_stale_code()
        self.code_frames.add(pfn)

    def close(self) -> None:
        """Gives the host its pages back; what is in RAM is lost."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._host.madvise(mmap.MADV_DONTNEED)

    @property
    def peak(self) -> int:
        """The most frames that were ever in use at once, about: those that were ever handed out."""
        return self._next

    def page(self, pfn: int) -> memoryview:
        """The 4096 bytes of a frame, writable."""
        start = pfn << PAGE_SHIFT
        return self.view[start : start + PAGE_SIZE]
