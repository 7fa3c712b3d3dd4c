"""mprotect and the protection-key calls (mm/mprotect.c)."""

from __future__ import annotations

from emukernel.kernel.errno import EACCES, EINVAL, ENOMEM, ENOSPC, Errno
from emukernel.kernel.mm.mm import TASK_SIZE, page_align
from emukernel.kernel.mm.mmap import (
    READ_IMPLIES_EXEC,
    may_commit,
    may_expand_vm,
)
from emukernel.kernel.mm.vma import (
    PROT_GROWSDOWN,
    PROT_GROWSUP,
    VM_ACCESS,
    VM_EXEC,
    VM_GROWSDOWN,
    VM_MAYWRITE,
    VM_NORESERVE,
    VM_READ,
    VM_SHARED,
    VM_WRITE,
    Vma,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_PROT_SEM = 8


def sys_mprotect(task: Task, start: int, length: int, prot: int) -> int:
    """mprotect(2). Areas before the first bad one are changed, as in Linux."""
    grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP)
    prot &= ~(PROT_GROWSDOWN | PROT_GROWSUP)
    if grows == PROT_GROWSDOWN | PROT_GROWSUP or start & 4095:
        raise Errno(EINVAL)
    if not length:
        return 0
    end = start + page_align(length)
    if end <= start or end >= 1 << 64:
        raise Errno(ENOMEM)
    if prot & ~(VM_ACCESS | _PROT_SEM):
        raise Errno(EINVAL)
    mm = task.mm
    first = mm.find_vma(start) if start < TASK_SIZE else None
    if first is None:
        raise Errno(ENOMEM)
    if grows == PROT_GROWSDOWN:
        if first.start >= end:
            raise Errno(ENOMEM)
        start = first.start
        if not first.flags & VM_GROWSDOWN:
            raise Errno(EINVAL)
    elif first.start > start:
        raise Errno(ENOMEM)
    elif grows == PROT_GROWSUP:
        raise Errno(EINVAL)
    prot &= VM_ACCESS
    implied = prot & VM_READ and task.personality & READ_IMPLIES_EXEC
    changed = False
    try:
        while start < end:
            vma = mm.vma_at(start)
            if vma is None:
                raise Errno(ENOMEM)
            wanted = prot
            if implied and not _noexec(vma):
                wanted |= VM_EXEC
            stop = min(vma.end, end)
            flags = vma.flags & ~VM_ACCESS | wanted
            if flags != vma.flags:
                _mprotect_fixup(task, vma, start, stop, flags)
                changed = True
            start = stop
    finally:
        if changed:
            mm.flush_tlb()
    return 0


def _noexec(vma: Vma) -> bool:
    return vma.file is not None and vma.file.noexec


def _mprotect_fixup(task: Task, vma: Vma, start: int, end: int, flags: int) -> None:
    """Gives the part [start, end) of an area new flags, merging it with equal neighbours."""
    mm = task.mm
    if flags & VM_WRITE and vma.flags & VM_SHARED and not vma.flags & VM_MAYWRITE:
        raise Errno(EACCES)
    if flags & VM_EXEC and _noexec(vma):
        raise Errno(EACCES)
    if flags & VM_WRITE:
        pages = (end - start) >> 12
        if not may_expand_vm(task, flags, pages) and may_expand_vm(task, vma.flags, pages):
            raise Errno(ENOMEM)
        if not vma.flags & (VM_WRITE | VM_SHARED | VM_NORESERVE):
            may_commit(task, pages)
    (part,) = mm.isolate(start, end)
    mm.set_flags(part, flags)
    mm.change_protection(part)
    mm.merge(part)


def sys_pkey_mprotect(task: Task, start: int, length: int, prot: int, pkey: int) -> int:
    """pkey_mprotect(2) on a CPU without protection keys: only key -1 is one."""
    if pkey != -1:
        raise Errno(EINVAL)
    return sys_mprotect(task, start, length, prot)


def sys_pkey_alloc(task: Task, flags: int, access_rights: int) -> int:
    """pkey_alloc(2): this CPU has no protection keys, which Linux reports as none left."""
    if flags or access_rights & ~3:
        raise Errno(EINVAL)
    raise Errno(ENOSPC)


def sys_pkey_free(task: Task, pkey: int) -> int:
    """pkey_free(2): no key was ever allocated."""
    raise Errno(EINVAL)
