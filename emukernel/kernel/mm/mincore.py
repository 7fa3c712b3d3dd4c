"""mincore (mm/mincore.c)."""

from __future__ import annotations

from emukernel.kernel.errno import EFAULT, EINVAL, ENOMEM, Errno
from emukernel.kernel.mm.mm import TASK_SIZE
from emukernel.kernel.uaccess import access_ok, copy_to_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task


def sys_mincore(task: Task, start: int, length: int, vector: int) -> int:
    """mincore(2): pages in the page table, and pages of mapped files that are cached."""
    if start & 4095:
        raise Errno(EINVAL)
    if start > TASK_SIZE or length > TASK_SIZE - start:
        raise Errno(ENOMEM)
    if not access_ok(vector, (length + 4095) >> 12):
        raise Errno(EFAULT)
    mm = task.mm
    end = start + ((length + 4095) & -4096)
    # A page of answers at a time, so that a wild length costs what is mapped, not what is asked.
    for block in range(start, end, 4096 << 12):
        block_end = min(block + (4096 << 12), end)
        answer = bytearray((block_end - block) >> 12)
        at = block
        for vma in mm.overlapping(block, block_end):
            if vma.start > at:
                break
            at = min(vma.end, block_end)
            low, high = max(vma.start, block), at
            for vpn, _index, _entry in mm.page_table.entries(low >> 12, high >> 12):
                answer[vpn - (block >> 12)] = 1
            if vma.mapping is not None:
                for vpn in range(low >> 12, high >> 12):
                    if vma.file_page(vpn) in vma.mapping.pages:
                        answer[vpn - (block >> 12)] = 1
        copy_to_user(task, vector + ((block - start) >> 12), bytes(answer[: (at - block) >> 12]))
        if at < block_end:
            raise Errno(ENOMEM)
    return 0
