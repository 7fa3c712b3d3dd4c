"""msync (mm/msync.c)."""

from __future__ import annotations

from emukernel.kernel.errno import EBUSY, EINVAL, ENOMEM, Errno
from emukernel.kernel.mm.mm import page_align
from emukernel.kernel.mm.vma import VM_LOCKED, VM_SHARED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_MASK64 = (1 << 64) - 1
MS_ASYNC, MS_INVALIDATE, MS_SYNC = 1, 2, 4


def sys_msync(task: Task, start: int, length: int, flags: int) -> int:
    """msync(2): a hole in the range is ENOMEM after the rest was written."""
    if flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) or start & 4095:
        raise Errno(EINVAL)
    if flags & MS_ASYNC and flags & MS_SYNC:
        raise Errno(EINVAL)
    end = start + (page_align(length) & _MASK64)
    if end >= 1 << 64:
        raise Errno(ENOMEM)
    mm = task.mm
    hole = False
    at = start
    for vma in mm.overlapping(start, end):
        hole = hole or vma.start > at
        if flags & MS_INVALIDATE and vma.flags & VM_LOCKED:
            raise Errno(EBUSY)
        if vma.flags & VM_SHARED and vma.file is not None and vma.mapping is not None:
            mm.write_back(vma, max(vma.start, start) >> 12, min(vma.end, end) >> 12)
            if flags & MS_SYNC:
                vma.file.fsync(task)
        at = vma.end
    if hole or at < end:
        raise Errno(ENOMEM)
    return 0
