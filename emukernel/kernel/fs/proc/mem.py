"""/proc/PID/mem: another task's memory as a file, and files that are about one address space.

What they show is the memory that the task had when the file was opened: after an execve, or once
the last task that used it has ended, nothing is left to see (Linux: mem_open, m_start).
"""

from __future__ import annotations

from emukernel.kernel.errno import EACCES, EFAULT, EINVAL, EIO, Errno
from emukernel.kernel.fs.file import SEEK_CUR, SEEK_SET, File
from emukernel.kernel.fs.inode import SuperBlock
from emukernel.kernel.fs.kernfs import KernFile, TextFile
from emukernel.kernel.fs.proc.base import TaskFile, check_ptrace, own
from emukernel.kernel.mm.fault import Fault, user_page
from emukernel.kernel.mm.mm import TASK_SIZE, Mm
from emukernel.kernel.mm.vma import VM_MAYWRITE, VM_READ, VM_SHARED, VM_WRITE
from emukernel.machine.pagetable import ADDRESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.task import Task

_U64 = (1 << 64) - 1


def access_page(task: Task, mm: Mm, address: int, write: bool) -> int | None:
    """The physical address of a page of `mm`, as a debugger reaches it: also where the program may
    not read, or not write its own copy (FOLL_FORCE). None where it can't be had."""
    try:
        return user_page(task, mm, address, write) & ADDRESS
    except Fault:
        pass
    vma = mm.vma_at(address)
    if vma is None or (write and (vma.flags & VM_SHARED or not vma.flags & VM_MAYWRITE)):
        return None
    flags = vma.flags
    vma.flags |= VM_READ | (VM_WRITE if write else 0)
    try:
        found = user_page(task, mm, address, write) & ADDRESS
    except Fault:
        return None
    finally:
        vma.flags = flags
    mm.page_table.set(address >> 12, mm.entry_for(found >> 12, flags, False))
    mm.flush_tlb()
    return found


class MemoryFile(TaskFile):
    """A text about an address space. The right to look is asked for when it is opened."""

    __slots__ = ()

    def open(self, task: Task, path: Path, flags: int) -> File:
        check_ptrace(task, self.task)
        return MemoryText(path, flags, self.task.mm)


class MemoryText(TextFile):
    """An open MemoryFile."""

    __slots__ = ("mm",)

    def __init__(self, path: Path, flags: int, mm: Mm) -> None:
        super().__init__(path, flags)
        self.mm = mm

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        inode = self.inode
        assert isinstance(inode, MemoryFile)
        if inode.task.mm is not self.mm or not self.mm.users:
            return 0
        return super().read_iter(task, it, pos)


class MemInode(KernFile):
    """/proc/PID/mem"""

    __slots__ = ("task",)

    def __init__(self, sb: SuperBlock, task: Task) -> None:
        super().__init__(sb, 0o600)
        self.task = task
        own(self, task)

    def refresh(self, task: Task) -> None:
        own(self, self.task)

    def open(self, task: Task, path: Path, flags: int) -> File:
        check_ptrace(task, self.task)
        if self.task.state in "ZX":
            # A process without memory is one that can't be looked into.
            raise Errno(EACCES)
        return Mem(path, flags, self.task)


class Mem(File):
    """An open /proc/PID/mem; the position is the address."""

    __slots__ = ("mm", "task")

    def __init__(self, path: Path, flags: int, task: Task) -> None:
        super().__init__(path, flags)
        self.task = task
        self.mm = task.mm

    def _pages(self, address: int, count: int, write: bool) -> list[tuple[int, int]]:
        """(physical address, length) of the pages from `address` on, as far as they can be had."""
        mm = self.mm
        pieces: list[tuple[int, int]] = []
        if not mm.users:
            return pieces
        end = min(address + count, TASK_SIZE)
        while address < end:
            found = access_page(self.task, mm, address, write)
            if found is None:
                break
            offset = address & 4095
            size = min(4096 - offset, end - address)
            pieces.append((found + offset, size))
            address += size
        return pieces

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        if not it.count or not self.mm.users:
            return 0
        view = self.mm.memory.view
        done = 0
        while it.count:
            pieces = self._pages(pos + done, min(it.count, 1 << 16), False)
            if not pieces:
                break
            data = b"".join([view[start : start + size] for start, size in pieces])
            copied = it.copy_to_iter(data)
            done += copied
            if copied != len(data):
                break
        if not done:
            raise Errno(EIO if it.count else EFAULT)
        return done

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        if not it.count or not self.mm.users:
            return 0
        memory = self.mm.memory
        done = 0
        while it.count:
            address = pos + done
            data = it.copy_from_iter(min(it.count, 4096 - (address & 4095)))
            if not data:
                raise Errno(EFAULT)
            pieces = self._pages(address, len(data), True)
            if not pieces:
                break
            ((start, _),) = pieces
            if start >> 12 in memory.code_frames:
                memory.on_stale_code()
            memory.view[start : start + len(data)] = data
            done += len(data)
        if not done:
            raise Errno(EIO)
        return done

    def llseek(self, task: Task, offset: int, whence: int) -> int:
        if whence == SEEK_CUR:
            offset += self.pos
        elif whence != SEEK_SET:
            raise Errno(EINVAL)
        self.pos = offset & _U64
        return self.pos
