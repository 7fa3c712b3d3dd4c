"""One area of an address space (struct vm_area_struct)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.address_space import AddressSpace
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.mm.mm import Mm

PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
PROT_GROWSDOWN, PROT_GROWSUP = 0x0100_0000, 0x0200_0000

# include/linux/mm.h. The low three equal the PROT_ bits.
VM_READ, VM_WRITE, VM_EXEC, VM_SHARED = 0x1, 0x2, 0x4, 0x8
VM_MAYWRITE = 0x20
VM_GROWSDOWN = 0x100
VM_LOCKED = 0x2000
VM_DONTCOPY = 0x2_0000
VM_DONTEXPAND = 0x4_0000
VM_NORESERVE = 0x20_0000
VM_WIPEONFORK = 0x0200_0000
VM_DONTDUMP = 0x0400_0000
VM_ACCESS = VM_READ | VM_WRITE | VM_EXEC


class Vma:
    """[start, end) with one protection and one backing.

    `pgoff` is the page of the backing file (or, for anonymous memory, of the address at which it
    was made) that `start` shows; `mapping` is that file's page cache, None for anonymous memory.
    """

    __slots__ = ("end", "file", "flags", "mapping", "mm", "pgoff", "start")

    def __init__(
        self,
        mm: Mm,
        start: int,
        end: int,
        flags: int,
        file: File | None = None,
        pgoff: int = 0,
        mapping: AddressSpace | None = None,
    ) -> None:
        self.mm = mm
        self.start = start
        self.end = end
        self.flags = flags
        self.file = file
        self.pgoff = pgoff
        self.mapping = mapping

    def file_page(self, vpn: int) -> int:
        """The backing page that virtual page `vpn` shows."""
        return vpn - (self.start >> 12) + self.pgoff

    def follows(self, before: Vma) -> bool:
        """Whether this area can be merged with `before`, which ends where it starts."""
        return (
            before.end == self.start
            and before.flags == self.flags
            and before.file is self.file
            and before.pgoff + ((before.end - before.start) >> 12) == self.pgoff
        )

    def copy(self, mm: Mm) -> Vma:
        """The same area in another address space; the caller takes the file reference."""
        return Vma(mm, self.start, self.end, self.flags, self.file, self.pgoff, self.mapping)
