"""mremap (mm/mremap.c, as of Linux 6.17)."""

from __future__ import annotations

from emukernel.kernel.errno import EAGAIN, EFAULT, EINVAL, ENOMEM, Errno
from emukernel.kernel.mm.mm import MAX_MAP_COUNT, TASK_SIZE, Mm, page_align
from emukernel.kernel.mm.mmap import may_commit, may_expand_vm, mlock_future_ok, populate
from emukernel.kernel.mm.vma import (
    VM_DONTEXPAND,
    VM_LOCKED,
    VM_NORESERVE,
    VM_SHARED,
    VM_WRITE,
    Vma,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP = 1, 2, 4


def sys_mremap(
    task: Task, address: int, old_length: int, new_length: int, flags: int, new_address: int
) -> int:
    """mremap(2)."""
    mm = task.mm
    old_length, new_length = page_align(old_length), page_align(new_length)
    _check_params(mm, address, old_length, new_length, flags, new_address)
    if flags & MREMAP_FIXED and old_length == new_length:
        return _move_all(task, mm, address, old_length, flags, new_address)
    vma = mm.vma_at(address)
    if vma is None:
        raise Errno(EFAULT)
    _check_area(task, vma, address, old_length, new_length, flags)
    if flags & (MREMAP_FIXED | MREMAP_DONTUNMAP):
        return _mremap_to(task, mm, vma, address, old_length, new_length, flags, new_address)
    if new_length <= old_length:
        if new_length < old_length:
            mm.unmap(address + new_length, address + old_length)
        return address
    return _expand(task, mm, vma, address, old_length, new_length, flags)


def _check_params(
    mm: Mm, address: int, old_length: int, new_length: int, flags: int, new_address: int
) -> None:
    if flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) or address & 4095:
        raise Errno(EINVAL)
    if not new_length or new_length > TASK_SIZE:
        raise Errno(EINVAL)
    if not flags & (MREMAP_FIXED | MREMAP_DONTUNMAP):
        return
    if new_address > TASK_SIZE - new_length or new_address & 4095:
        raise Errno(EINVAL)
    if not flags & MREMAP_MAYMOVE or (flags & MREMAP_DONTUNMAP and old_length != new_length):
        raise Errno(EINVAL)
    if address + old_length > new_address and new_address + new_length > address:
        raise Errno(EINVAL)
    # A move can split two areas: room for that is asked for at once.
    if len(mm.vmas) + 2 >= MAX_MAP_COUNT - 3:
        raise Errno(ENOMEM)


def _check_area(
    task: Task, vma: Vma, address: int, old_length: int, new_length: int, flags: int
) -> None:
    """check_prep_vma: whether this piece may grow or move so."""
    if new_length <= old_length and not flags & (MREMAP_FIXED | MREMAP_DONTUNMAP):
        return
    if not old_length and not vma.flags & VM_SHARED:
        raise Errno(EINVAL)
    if flags & MREMAP_DONTUNMAP and vma.flags & VM_DONTEXPAND:
        raise Errno(EINVAL)
    if min(old_length, new_length) > vma.end - address:
        raise Errno(EFAULT)
    if new_length <= old_length:
        return
    if vma.flags & VM_DONTEXPAND:
        raise Errno(EFAULT)
    pages = (new_length - old_length) >> 12
    if not mlock_future_ok(task, vma.flags, pages):
        raise Errno(EAGAIN)
    if not may_expand_vm(task, vma.flags, pages):
        raise Errno(ENOMEM)


def _move_all(
    task: Task, mm: Mm, address: int, length: int, flags: int, target: int
) -> int:
    """A move without a change of size takes all areas of the range, and the gaps between them."""
    end = address + length
    start = address
    result = 0
    previous_end = 0
    for vma in mm.overlapping(address, end):
        if not result and vma.start > start:
            raise Errno(EFAULT)
        part = max(vma.start, start)
        size = min(vma.end, end) - part
        target += part - previous_end if result else 0
        previous_end = vma.end
        _check_area(task, vma, part, size, size, flags)
        moved = _mremap_to(task, mm, vma, part, size, size, flags, target)
        result = result or moved
        target += size
    if not previous_end:
        raise Errno(EFAULT)
    return result


def _charge(task: Task, vma: Vma, pages: int) -> None:
    if vma.flags & (VM_WRITE | VM_SHARED | VM_NORESERVE) == VM_WRITE:
        may_commit(task, pages)


def _expand(
    task: Task, mm: Mm, vma: Vma, address: int, old_length: int, new_length: int, flags: int
) -> int:
    """In place if nothing is in the way, else by a move if that is allowed."""
    extra = new_length - old_length
    end = vma.end + extra
    if old_length == vma.end - address and end <= TASK_SIZE and not mm.overlapping(vma.end, end):
        _charge(task, vma, extra >> 12)
        mm.resize(vma, end)
        vma = mm.merge(vma)
        target = address
    else:
        if not flags & MREMAP_MAYMOVE:
            raise Errno(ENOMEM)
        target = mm.get_unmapped_area(new_length)
        vma = _move_vma(task, mm, vma, address, old_length, target, new_length, False)
    if vma.flags & VM_LOCKED:
        populate(task, vma, target + old_length, target + new_length)
    return target


def _mremap_to(
    task: Task,
    mm: Mm,
    vma: Vma,
    address: int,
    old_length: int,
    new_length: int,
    flags: int,
    target: int,
) -> int:
    """MREMAP_FIXED and MREMAP_DONTUNMAP."""
    if flags & MREMAP_FIXED:
        mm.unmap(target, target + new_length)
        vma = _lookup(mm, address)
    if old_length > new_length:
        mm.unmap(address + new_length, address + old_length)
        old_length = new_length
        vma = _lookup(mm, address)
    keep = bool(flags & MREMAP_DONTUNMAP)
    if keep and not may_expand_vm(task, vma.flags, old_length >> 12):
        raise Errno(ENOMEM)
    if not flags & MREMAP_FIXED and not (target and mm.is_free(target, new_length)):
        target = mm.get_unmapped_area(new_length)
    vma = _move_vma(task, mm, vma, address, old_length, target, new_length, keep)
    if vma.flags & VM_LOCKED:
        populate(task, vma, target + old_length, target + new_length)
    return target


def _lookup(mm: Mm, address: int) -> Vma:
    vma = mm.vma_at(address)
    if vma is None:
        raise Errno(EFAULT)
    return vma


def _move_vma(
    task: Task,
    mm: Mm,
    vma: Vma,
    address: int,
    old_length: int,
    target: int,
    new_length: int,
    keep: bool,
) -> Vma:
    """The same backing at another address, with the pages that are there."""
    if len(mm.vmas) >= MAX_MAP_COUNT - 3:
        raise Errno(ENOMEM)
    _charge(task, vma, (new_length if keep else new_length - old_length) >> 12)
    table = mm.page_table
    moved = list(table.entries(address >> 12, (address + old_length) >> 12))
    shift = (target - address) >> 12
    # Every table is made before anything moves: then nothing can fail half-way.
    slots = [table.slot(vpn + shift) for vpn, _index, _entry in moved]
    copy = vma.copy(mm)
    copy.start, copy.end = target, target + new_length
    touched = vma.mapping is not None or any(table.entries(vma.start >> 12, vma.end >> 12))
    copy.pgoff = vma.file_page(address >> 12) if touched else target >> 12
    copy = mm.insert(copy)
    words = table.words
    for slot, (_vpn, index, entry) in zip(slots, moved, strict=True):
        words[slot] = entry
        words[index] = 0
    if moved:
        mm.flush_tlb()
    if keep:
        for part in mm.overlapping(address, address + old_length):
            mm.set_flags(part, part.flags & ~VM_LOCKED)
    elif old_length:
        mm.unmap(address, address + old_length)
    return copy
