"""mmap, munmap, brk, remap_file_pages (mm/mmap.c)."""

from __future__ import annotations

from contextlib import suppress
from stat import S_ISREG

from emukernel.kernel.errno import (
    EACCES,
    EAGAIN,
    EEXIST,
    EFAULT,
    EINVAL,
    ENODEV,
    ENOMEM,
    EOPNOTSUPP,
    EOVERFLOW,
    EPERM,
    Errno,
)
from emukernel.kernel.mm.mm import (
    MAX_MAP_COUNT,
    MMAP_MIN_ADDR,
    STACK_GUARD_GAP,
    TASK_SIZE,
    Mm,
    check_range,
    page_align,
)
from emukernel.kernel.mm.vma import (
    VM_ACCESS,
    VM_EXEC,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_MAYWRITE,
    VM_NORESERVE,
    VM_READ,
    VM_SHARED,
    VM_WRITE,
    Vma,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.task import Task

MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE, MAP_TYPE = 1, 2, 3, 15
MAP_FIXED, MAP_ANONYMOUS, MAP_32BIT = 0x10, 0x20, 0x40
MAP_GROWSDOWN, MAP_LOCKED, MAP_NORESERVE = 0x100, 0x2000, 0x4000
MAP_POPULATE, MAP_NONBLOCK, MAP_HUGETLB = 0x8000, 0x10000, 0x40000
MAP_FIXED_NOREPLACE = 0x100000
#: Where MAP_32BIT puts mappings.
_LOW_32BIT, _TOP_32BIT = 0x4000_0000, 0x8000_0000
MAP_UNINITIALIZED, MAP_HUGE_2MB, MAP_HUGE_1GB = 0x4000000, 21 << 26, 30 << 26
# The flags that MAP_SHARED_VALIDATE knows. MAP_DENYWRITE, MAP_EXECUTABLE and MAP_STACK are taken
# and do nothing, as in Linux.
_LEGACY_MASK = (
    MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | 0x800 | 0x1000 | MAP_GROWSDOWN
    | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | 0x20000 | MAP_HUGETLB | MAP_32BIT
    | 0x80 | MAP_UNINITIALIZED | MAP_HUGE_2MB | MAP_HUGE_1GB
)  # fmt: skip

RLIMIT_DATA, RLIMIT_STACK, RLIMIT_MEMLOCK, RLIMIT_AS = 2, 3, 8, 9
FMODE_READ, FMODE_WRITE = 1, 2
READ_IMPLIES_EXEC = 0x0400000
_CAP_IPC_LOCK, _CAP_SYS_RAWIO = 14, 17
#: Pages faulted in before the host is asked whether it wants the machine's attention.
_POPULATE_CHUNK = 1024


def may_expand_vm(task: Task, flags: int, pages: int) -> bool:
    """RLIMIT_AS, and RLIMIT_DATA for private writable areas."""
    mm = task.mm
    if (mm.total_vm + pages) << 12 > task.rlimits[RLIMIT_AS][0]:
        return False
    is_data = flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN) == VM_WRITE
    return not is_data or (mm.data_vm + pages) << 12 <= task.rlimits[RLIMIT_DATA][0]


def may_commit(task: Task, pages: int) -> None:
    """The heuristic of vm.overcommit_memory 0: more than all of RAM at once is Errno(ENOMEM)."""
    if pages > task.mm.memory.frames:
        raise Errno(ENOMEM)


def mlock_future_ok(task: Task, flags: int, pages: int) -> bool:
    """RLIMIT_MEMLOCK for an area with these flags."""
    if not flags & VM_LOCKED or task.cred.capable(_CAP_IPC_LOCK):
        return True
    return (task.mm.locked_vm + pages) << 12 <= task.rlimits[RLIMIT_MEMLOCK][0]


def do_mmap(
    task: Task, address: int, length: int, prot: int, flags: int, file: File | None, pgoff: int
) -> int:
    """Makes a mapping; returns its address (do_mmap of mm/mmap.c, with its order of errors)."""
    mm = task.mm
    if not length:
        raise Errno(EINVAL)
    if prot & VM_READ and task.personality & READ_IMPLIES_EXEC and not (file and file.noexec):
        prot |= VM_EXEC
    if not flags & (MAP_FIXED | MAP_FIXED_NOREPLACE):
        address = 0 if not address else max(address & -4096, MMAP_MIN_ADDR)
    length = page_align(length)
    if length > TASK_SIZE or len(mm.vmas) > MAX_MAP_COUNT:
        raise Errno(ENOMEM)
    address = _place(task, mm, address, length, flags)
    pages = length >> 12
    vm_flags = prot & VM_ACCESS | mm.def_flags
    if flags & MAP_LOCKED:
        if not task.cred.capable(_CAP_IPC_LOCK) and not task.rlimits[RLIMIT_MEMLOCK][0]:
            raise Errno(EPERM)
        vm_flags |= VM_LOCKED
    if not mlock_future_ok(task, vm_flags, pages):
        raise Errno(EAGAIN)
    kind = flags & MAP_TYPE
    if file is not None:
        if S_ISREG(file.inode.mode) and pgoff + pages > file.inode.sb.max_bytes >> 12:
            raise Errno(EOVERFLOW)
        vm_flags = file.map_flags(vm_flags | _file_flags(file, kind, flags, prot))
    elif kind == MAP_SHARED:
        if flags & MAP_GROWSDOWN:
            raise Errno(EINVAL)
        vm_flags |= VM_SHARED | VM_MAYWRITE
        pgoff = 0
    elif kind == MAP_PRIVATE:
        vm_flags |= VM_MAYWRITE | (VM_GROWSDOWN if flags & MAP_GROWSDOWN else 0)
        pgoff = address >> 12
    else:
        raise Errno(EINVAL)
    if flags & MAP_NORESERVE:
        vm_flags |= VM_NORESERVE
    vma = _mmap_region(task, mm, address, length, vm_flags, file, pgoff)
    if vm_flags & VM_LOCKED or flags & (MAP_POPULATE | MAP_NONBLOCK) == MAP_POPULATE:
        populate(task, vma, address, address + length)
    return address


def _mmap_region(
    task: Task, mm: Mm, address: int, length: int, vm_flags: int, file: File | None, pgoff: int
) -> Vma:
    """Puts the new area in the place of what is there."""
    end = address + length
    replaced = sum(
        [min(v.end, end) - max(v.start, address) for v in mm.overlapping(address, end)]
    )
    if not may_expand_vm(task, vm_flags, (length - replaced) >> 12):
        raise Errno(ENOMEM)
    if vm_flags & (VM_WRITE | VM_SHARED | VM_NORESERVE) == VM_WRITE:
        may_commit(task, (length - replaced) >> 12)
    if file is not None and file.zero:
        # /dev/zero: anonymous memory by another name.
        file = None
        pgoff = 0 if vm_flags & VM_SHARED else address >> 12
    shared_zero = None
    if file is None and vm_flags & VM_SHARED:
        from emukernel.kernel.fs.shmem import shmem_zero_setup

        if not vm_flags & VM_NORESERVE:
            may_commit(task, length >> 12)
        file = shared_zero = shmem_zero_setup(task.kernel, length)
    try:
        mapping = None
        if file is not None:
            file.mmap(vm_flags)
            mapping = file.mapping
        mm.unmap(address, end)
        return mm.insert(Vma(mm, address, end, vm_flags, file, pgoff, mapping))
    finally:
        if shared_zero is not None:
            shared_zero.put()


def _place(task: Task, mm: Mm, address: int, length: int, flags: int) -> int:
    """Where the mapping goes (get_unmapped_area)."""
    if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE):
        if address > TASK_SIZE - length:
            raise Errno(ENOMEM)
        if address & 4095:
            raise Errno(EINVAL)
        if address < MMAP_MIN_ADDR and not task.cred.capable(_CAP_SYS_RAWIO):
            raise Errno(EPERM)
        if flags & MAP_FIXED_NOREPLACE and mm.overlapping(address, address + length):
            raise Errno(EEXIST)
        return address
    low, top = (_LOW_32BIT, _TOP_32BIT) if flags & MAP_32BIT else (0, TASK_SIZE)
    if address and address <= top - length and mm.is_free(address, length):
        return address
    if flags & MAP_32BIT:
        return mm.get_unmapped_area_above(low, top, length)
    return mm.get_unmapped_area(length)


def _file_flags(file: File, kind: int, flags: int, prot: int) -> int:
    """The checks of a file mapping and the area flags that follow from the file's mode."""
    writable = bool(file.mode & FMODE_WRITE)
    vm_flags = VM_MAYWRITE
    if kind in (MAP_SHARED, MAP_SHARED_VALIDATE):
        if kind == MAP_SHARED_VALIDATE and flags & ~_LEGACY_MASK:
            raise Errno(EOPNOTSUPP)
        if prot & VM_WRITE and not writable:
            raise Errno(EACCES)
        vm_flags = VM_SHARED | (VM_MAYWRITE if writable else 0)
    elif kind != MAP_PRIVATE:
        raise Errno(EINVAL)
    if not file.mode & FMODE_READ:
        raise Errno(EACCES)
    if prot & VM_EXEC and file.noexec:
        raise Errno(EPERM)
    if file.mapping is None and not file.zero:
        raise Errno(ENODEV)
    if flags & MAP_GROWSDOWN:
        raise Errno(EINVAL)
    return vm_flags


def populate(task: Task, vma: Vma, start: int, end: int) -> None:
    """Faults pages in ahead of use (mm_populate); a failure is not one of the mapping."""
    if vma.flags & VM_ACCESS:
        with suppress(Errno):
            write = vma.flags & (VM_WRITE | VM_SHARED) == VM_WRITE
            populate_range(task, vma, start, end, write)


def populate_range(task: Task, vma: Vma, start: int, end: int, write: bool) -> None:
    """Faults in the pages of an area; Errno(EFAULT) where the program itself would fault.

    Ends early, which no program can tell, when the host has a signal or the time is up.
    """
    from emukernel.kernel.mm.fault import Fault, fault_in

    interrupts = task.kernel.interrupts
    try:
        for chunk in range(start, end, _POPULATE_CHUNK << 12):
            for address in range(chunk, min(chunk + (_POPULATE_CHUNK << 12), end), 4096):
                fault_in(task, vma.mm, address, write)
            if interrupts.has_signals() or interrupts.expired():
                return
    except Fault:
        raise Errno(EFAULT) from None


def sys_mmap(
    task: Task, address: int, length: int, prot: int, flags: int, fd: int, offset: int
) -> int:
    """mmap(2)."""
    if offset & 4095:
        raise Errno(EINVAL)
    file = None
    if not flags & MAP_ANONYMOUS:
        file = task.files.get(fd & 0xFFFF_FFFF)
        if flags & MAP_HUGETLB:
            raise Errno(EINVAL)
    elif flags & MAP_HUGETLB:
        # No huge pages are reserved: what hugetlbfs says of an empty pool.
        raise Errno(ENOMEM)
    return do_mmap(task, address, length, prot, flags, file, offset >> 12)


def sys_munmap(task: Task, address: int, length: int) -> int:
    """munmap(2)."""
    end = check_range(address, length)
    if end == address:
        raise Errno(EINVAL)
    task.mm.unmap(address, end)
    return 0


def sys_brk(task: Task, brk: int) -> int:
    """brk(2): the system call returns the break whether or not it could move it."""
    mm = task.mm
    if brk < mm.start_brk:
        return mm.brk
    data = mm.end_data - mm.start_data
    if brk - mm.start_brk + data > task.rlimits[RLIMIT_DATA][0]:
        return mm.brk
    old, new = page_align(mm.brk), page_align(brk)
    if new > TASK_SIZE:
        return mm.brk
    try:
        if new < old:
            top = mm.find_vma(old - 1)
            if top is None or top.start >= old:
                return mm.brk
            mm.unmap(new, old)
        elif new > old:
            _brk_expand(task, mm, old, new)
    except Errno:
        return mm.brk
    mm.brk = brk
    return brk


def _brk_expand(task: Task, mm: Mm, old: int, new: int) -> None:
    """do_brk_flags: more heap, or Errno."""
    pages = (new - old) >> 12
    flags = VM_READ | VM_WRITE | VM_MAYWRITE | mm.def_flags
    if task.personality & READ_IMPLIES_EXEC:
        flags |= VM_EXEC
    if not mlock_future_ok(task, flags, pages):
        raise Errno(EAGAIN)
    following = mm.find_vma(old)
    if following is not None:
        gap = STACK_GUARD_GAP if following.flags & VM_GROWSDOWN else 0
        if following.start - gap < new + 4096:
            raise Errno(ENOMEM)
    if not may_expand_vm(task, flags, pages) or len(mm.vmas) > MAX_MAP_COUNT:
        raise Errno(ENOMEM)
    may_commit(task, pages)
    vma = mm.insert(Vma(mm, old, new, flags, None, old >> 12))
    if flags & VM_LOCKED:
        populate(task, vma, old, new)


def sys_remap_file_pages(
    task: Task, start: int, size: int, prot: int, pgoff: int, flags: int
) -> int:
    """remap_file_pages(2), emulated by a new mapping since Linux 4.0."""
    start &= -4096
    size &= -4096
    if prot or not size or start + size >= 1 << 64 or pgoff + (size >> 12) >= 1 << 64:
        raise Errno(EINVAL)
    vma = task.mm.vma_at(start)
    if vma is None or not vma.flags & VM_SHARED or vma.file is None or start + size > vma.end:
        raise Errno(EINVAL)
    keep = MAP_SHARED | MAP_FIXED | MAP_POPULATE | flags & MAP_NONBLOCK
    if vma.flags & VM_LOCKED:
        keep |= MAP_LOCKED
    # The old mapping may be the file's last user.
    file = vma.file.get()
    try:
        do_mmap(task, start, size, vma.flags & VM_ACCESS, keep, file, pgoff)
    finally:
        file.put()
    return 0
