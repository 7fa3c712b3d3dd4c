"""Memory of the kernel's own objects (mm/slub.c, as far as it matters): what a guest can have the
kernel make without end is paid for in frames of the machine's RAM.

The objects themselves are Python's. Their charge keeps the host's memory in proportion to the
machine's: who hoards descriptors or areas runs out of memory as on Linux.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.machine.physmem import PhysicalMemory

_PAGE_SHIFT = 12
_PAGE = 1 << _PAGE_SHIFT

# Bytes, about what Linux takes: an area (struct vm_area_struct), an open file with its inode and
# dentry, a record lock. (Of tasks there is a limit that follows from the RAM anyway.)
VMA_SIZE, FILE_SIZE, LOCK_SIZE = 200, 1024, 216


class Slab:
    """Objects' bytes, and the frames that hold them."""

    __slots__ = ("_frames", "_memory", "used")

    def __init__(self, memory: PhysicalMemory) -> None:
        self._memory = memory
        self._frames: list[int] = []
        self.used = 0

    @property
    def frames(self) -> int:
        """How many frames the objects take."""
        return len(self._frames)

    def charge(self, size: int) -> None:
        """An object is made. OutOfMemory: then nothing was charged."""
        self.used += size
        frames = self._frames
        while self.used > len(frames) << _PAGE_SHIFT:
            try:
                frames.append(self._memory.alloc_frame())
            except BaseException:
                self.used -= size
                self._trim()
                raise

    def uncharge(self, size: int) -> None:
        """An object is gone."""
        self.used -= size
        self._trim()

    def _trim(self) -> None:
        frames = self._frames
        while (len(frames) - 1) << _PAGE_SHIFT >= self.used + _PAGE:
            self._memory.put(frames.pop())
