"""mlock and its family (mm/mlock.c). Nothing is ever swapped; limits and faults are real."""

from __future__ import annotations

from emukernel.kernel.errno import EINVAL, ENOMEM, EPERM, Errno
from emukernel.kernel.mm.mm import page_align
from emukernel.kernel.mm.mmap import RLIMIT_MEMLOCK, populate, populate_range
from emukernel.kernel.mm.vma import VM_ACCESS, VM_LOCKED, VM_SHARED, VM_WRITE, Vma

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_CAP_IPC_LOCK = 14
_MASK64 = (1 << 64) - 1
MLOCK_ONFAULT = 1
MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4


def _can_lock(task: Task) -> None:
    if not task.rlimits[RLIMIT_MEMLOCK][0] and not task.cred.capable(_CAP_IPC_LOCK):
        raise Errno(EPERM)


def _range(start: int, length: int) -> tuple[int, int]:
    """The whole pages that a range touches: first address and length, as wrapped as in C."""
    return start & -4096, page_align(length + (start & 4095)) & _MASK64


def _do_mlock(task: Task, start: int, length: int, populated: bool) -> int:
    _can_lock(task)
    mm = task.mm
    start, length = _range(start, length)
    end = start + length
    limit = task.rlimits[RLIMIT_MEMLOCK][0]
    if not task.cred.capable(_CAP_IPC_LOCK) and length + (mm.locked_vm << 12) > limit:
        already = sum(
            min(v.end, end) - max(v.start, start)
            for v in mm.overlapping(start, end)
            if v.flags & VM_LOCKED
        )
        if length + (mm.locked_vm << 12) - already > limit:
            raise Errno(ENOMEM)
    if end >= 1 << 64:
        raise Errno(EINVAL)
    _apply(task, start, end, True)
    if populated:
        for vma in mm.overlapping(start, end):
            if not vma.flags & VM_ACCESS:
                raise Errno(ENOMEM)
            try:
                write = vma.flags & (VM_WRITE | VM_SHARED) == VM_WRITE
                populate_range(task, vma, max(vma.start, start), min(vma.end, end), write)
            except Errno:
                raise Errno(ENOMEM) from None
    return 0


def _apply(task: Task, start: int, end: int, lock: bool) -> None:
    """Sets or clears VM_LOCKED in a range; a hole is ENOMEM after what lies before it."""
    while start < end:
        vma = task.mm.vma_at(start)
        if vma is None:
            raise Errno(ENOMEM)
        stop = min(vma.end, end)
        _set(task, vma, start, stop, lock)
        start = stop


def _set(task: Task, vma: Vma, start: int, end: int, lock: bool) -> None:
    mm = task.mm
    if bool(vma.flags & VM_LOCKED) != lock:
        (part,) = mm.isolate(start, end)
        mm.set_flags(part, part.flags ^ VM_LOCKED)
        mm.merge(part)


def sys_mlock(task: Task, start: int, length: int) -> int:
    """mlock(2)."""
    return _do_mlock(task, start, length, True)


def sys_mlock2(task: Task, start: int, length: int, flags: int) -> int:
    """mlock2(2)."""
    if flags & ~MLOCK_ONFAULT:
        raise Errno(EINVAL)
    return _do_mlock(task, start, length, not flags & MLOCK_ONFAULT)


def sys_munlock(task: Task, start: int, length: int) -> int:
    """munlock(2)."""
    start, length = _range(start, length)
    end = start + length
    if end >= 1 << 64:
        raise Errno(EINVAL)
    _apply(task, start, end, False)
    return 0


def sys_mlockall(task: Task, flags: int) -> int:
    """mlockall(2)."""
    if not flags or flags & ~7 or flags == MCL_ONFAULT:
        raise Errno(EINVAL)
    _can_lock(task)
    mm = task.mm
    limit = task.rlimits[RLIMIT_MEMLOCK][0]
    over = mm.total_vm << 12 > limit
    if flags & MCL_CURRENT and over and not task.cred.capable(_CAP_IPC_LOCK):
        raise Errno(ENOMEM)
    mm.def_flags = VM_LOCKED if flags & MCL_FUTURE else 0
    if flags & MCL_CURRENT:
        for vma in list(mm.vmas):
            if vma in mm.vmas:
                _set(task, vma, vma.start, vma.end, True)
        if not flags & MCL_ONFAULT:
            for vma in list(mm.vmas):
                populate(task, vma, vma.start, vma.end)
    return 0


def sys_munlockall(task: Task) -> int:
    """munlockall(2)."""
    task.mm.def_flags = 0
    for vma in list(task.mm.vmas):
        if vma in task.mm.vmas:
            _set(task, vma, vma.start, vma.end, False)
    return 0
