"""madvise (mm/madvise.c)."""

from __future__ import annotations

from emukernel.kernel.errno import EACCES, EINVAL, ENOMEM, EPERM, Errno
from emukernel.kernel.mm.mm import page_align
from emukernel.kernel.mm.mmap import populate_range
from emukernel.kernel.mm.vma import (
    VM_DONTCOPY,
    VM_DONTDUMP,
    VM_LOCKED,
    VM_MAYWRITE,
    VM_READ,
    VM_SHARED,
    VM_WIPEONFORK,
    VM_WRITE,
    Vma,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_NORMAL, _RANDOM, _SEQUENTIAL, _WILLNEED, _DONTNEED = range(5)
_FREE, _REMOVE, _DONTFORK, _DOFORK, _MERGEABLE, _UNMERGEABLE = 8, 9, 10, 11, 12, 13
_HUGEPAGE, _NOHUGEPAGE, _DONTDUMP, _DODUMP, _WIPEONFORK, _KEEPONFORK = 14, 15, 16, 17, 18, 19
_COLD, _PAGEOUT, _POPULATE_READ, _POPULATE_WRITE, _DONTNEED_LOCKED, _COLLAPSE = range(20, 26)
_HWPOISON = 100

# Advice that changes nothing the guest can see: there is no swap and no readahead, and the kernel
# finds no occasion to use huge pages. (It answers as one without CONFIG_KSM does.)
_HINTS = frozenset(
    (_NORMAL, _RANDOM, _SEQUENTIAL, _WILLNEED, _COLD, _PAGEOUT, _HUGEPAGE, _NOHUGEPAGE)
)
_FLAGS = {
    _DONTFORK: (VM_DONTCOPY, 0),
    _DOFORK: (0, VM_DONTCOPY),
    _DONTDUMP: (VM_DONTDUMP, 0),
    _DODUMP: (0, VM_DONTDUMP),
    _WIPEONFORK: (VM_WIPEONFORK, 0),
    _KEEPONFORK: (0, VM_WIPEONFORK),
}
_PAGES = frozenset((_DONTNEED, _DONTNEED_LOCKED, _FREE, _REMOVE, _POPULATE_READ, _POPULATE_WRITE))


def sys_madvise(task: Task, start: int, length: int, advice: int) -> int:
    """madvise(2). A hole in the range is ENOMEM after the rest was done, as in Linux."""
    if advice == _HWPOISON or advice == _HWPOISON + 1:
        raise Errno(EINVAL if task.cred.capable(21) else EPERM)
    if advice not in _HINTS and advice not in _FLAGS and advice not in _PAGES:
        raise Errno(EINVAL)
    if start & 4095:
        raise Errno(EINVAL)
    end = start + page_align(length)
    if end >= 1 << 64:
        raise Errno(EINVAL)
    if advice in (_POPULATE_READ, _POPULATE_WRITE):
        _populate(task, start, end, advice == _POPULATE_WRITE)
        return 0
    mm = task.mm
    hole = False
    while start < end:
        # An area may be merged with what was done before: go on by address.
        vma = mm.find_vma(start)
        if vma is None:
            raise Errno(ENOMEM)
        if vma.start > start:
            hole = True
            start = vma.start
            if start >= end:
                break
        stop = min(vma.end, end)
        _advise(task, vma, start, stop, advice)
        start = stop
    if hole:
        raise Errno(ENOMEM)
    return 0


def _advise(task: Task, vma: Vma, start: int, end: int, advice: int) -> None:
    mm = task.mm
    if advice in _HINTS:
        if advice in (_COLD, _PAGEOUT) and vma.flags & VM_LOCKED:
            raise Errno(EINVAL)
        return
    if advice in _FLAGS:
        add, remove = _FLAGS[advice]
        if add == VM_WIPEONFORK and (vma.file is not None or vma.flags & VM_SHARED):
            raise Errno(EINVAL)
        flags = vma.flags & ~remove | add
        if flags != vma.flags:
            (part,) = mm.isolate(start, end)
            mm.set_flags(part, flags)
            mm.merge(part)
        return
    if vma.flags & VM_LOCKED and advice != _DONTNEED_LOCKED:
        raise Errno(EINVAL)
    if advice == _FREE and (vma.file is not None or vma.flags & VM_SHARED):
        raise Errno(EINVAL)
    if advice == _REMOVE:
        if vma.file is None:
            raise Errno(EINVAL)
        if vma.flags & (VM_SHARED | VM_MAYWRITE) != VM_SHARED | VM_MAYWRITE:
            raise Errno(EACCES)
        first = vma.file_page(start >> 12)
        vma.file.punch_hole(first << 12, end - start)
        return
    mm.zap_range(vma, start >> 12, end >> 12)


def _populate(task: Task, start: int, end: int, write: bool) -> None:
    """Faults in what the program may access so; EINVAL where it may not, EFAULT for SIGBUS."""
    mm = task.mm
    while start < end:
        vma = mm.vma_at(start)
        if vma is None:
            raise Errno(ENOMEM)
        if not vma.flags & (VM_WRITE if write else VM_READ):
            raise Errno(EINVAL)
        stop = min(vma.end, end)
        populate_range(task, vma, start, stop, write)
        start = stop
