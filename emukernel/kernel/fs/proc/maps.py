"""/proc/PID/maps (Linux: fs/proc/task_mmu.c)."""

from __future__ import annotations

from emukernel.kernel.fs.dcache import d_path
from emukernel.kernel.fs.inode import dev_major, dev_minor
from emukernel.kernel.mm.vma import VM_EXEC, VM_READ, VM_SHARED, VM_WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.mm.mm import Mm
    from emukernel.kernel.mm.vma import Vma
    from emukernel.kernel.task import Task

_NAME_COLUMN = 73


def vma_name(mm: Mm, vma: Vma, reader: Task) -> bytes:
    """What an area is called: its file, or its use."""
    if vma.file is not None:
        return d_path(vma.file.path, reader.fs.root).replace(b"\n", b"\\012")
    if vma.start <= mm.brk and vma.end >= mm.start_brk and mm.brk > mm.start_brk:
        return b"[heap]"
    if vma.start <= mm.start_stack <= vma.end:
        return b"[stack]"
    return b""


def map_line(mm: Mm, vma: Vma, reader: Task) -> bytes:
    """The line of one area."""
    flags = vma.flags
    dev = ino = offset = 0
    if vma.file is not None:
        inode = vma.file.inode
        dev, ino, offset = inode.sb.dev, inode.ino, vma.pgoff << 12
    head = b"%08x-%08x %c%c%c%c %08x %02x:%02x %d " % (
        vma.start,
        vma.end,
        b"r" if flags & VM_READ else b"-",
        b"w" if flags & VM_WRITE else b"-",
        b"x" if flags & VM_EXEC else b"-",
        b"s" if flags & VM_SHARED else b"p",
        offset,
        dev_major(dev),
        dev_minor(dev),
        ino,
    )
    name = vma_name(mm, vma, reader)
    return (head.ljust(_NAME_COLUMN) + name if name else head) + b"\n"


def maps(task: Task, reader: Task) -> bytes:
    """/proc/PID/maps"""
    mm = task.mm
    if mm is None or task.state in "ZX":
        return b""
    return b"".join([map_line(mm, vma, reader) for vma in mm.vmas])
