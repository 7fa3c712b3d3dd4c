"""sysinfo(2) (kernel/sys.c)."""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.sched.loadavg import FSHIFT
from emukernel.kernel.time.timekeeping import NSEC_PER_SEC
from emukernel.kernel.uaccess import copy_to_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

_SYSINFO = Struct("<q3Q6QHxx4xQQI4x")
_PAGE_SHIFT = 12
_SI_LOAD_SHIFT = 16


def sys_sysinfo(task: Task, info: int) -> int:
    """sysinfo(2). The machine has no swap and no high memory."""
    from emukernel.kernel.fs.proc.system import shmem_pages

    kernel = task.kernel
    memory = kernel.memory
    shared = shmem_pages(kernel)
    kernel.loadavg.sample(kernel.clock.monotonic(), len(kernel.sched.run_queue) + 1)
    answer = _SYSINFO.pack(
        -(-kernel.clock.boottime() // NSEC_PER_SEC),
        *(load << _SI_LOAD_SHIFT - FSHIFT for load in kernel.loadavg.avenrun),
        memory.size,
        memory.free_frames << _PAGE_SHIFT,
        shared << _PAGE_SHIFT,
        *(0, 0, 0),
        min(len(kernel.tasks), 0xFFFF),
        *(0, 0),
        1,
    )
    copy_to_user(task, info, answer)
    return 0
