"""arch_prctl(2): the bases of FS and GS, and CPUID (arch/x86/kernel/process_64.c)."""

from __future__ import annotations

from emukernel.kernel.errno import EINVAL, ENODEV, EPERM, Errno
from emukernel.kernel.uaccess import put_user_u64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

ARCH_SET_GS = 0x1001
ARCH_SET_FS = 0x1002
ARCH_GET_FS = 0x1003
ARCH_GET_GS = 0x1004
ARCH_GET_CPUID = 0x1011
ARCH_SET_CPUID = 0x1012

TASK_SIZE_MAX = (1 << 47) - 4096


def sys_arch_prctl(task: Task, option: int, arg2: int) -> int:
    """arch_prctl(2). EINVAL for what needs a CPU with AMX or shadow stacks, which this one is not.

    CPUID can't be made to fault (ENODEV), so that ARCH_GET_CPUID is always 1.
    """
    cpu = task.kernel.cpu
    if option == ARCH_SET_FS:
        if arg2 >= TASK_SIZE_MAX:
            raise Errno(EPERM)
        cpu.fs_base = arg2
    elif option == ARCH_SET_GS:
        if arg2 >= TASK_SIZE_MAX:
            raise Errno(EPERM)
        cpu.gs_base = arg2
    elif option == ARCH_GET_FS:
        put_user_u64(task, arg2, cpu.fs_base)
    elif option == ARCH_GET_GS:
        put_user_u64(task, arg2, cpu.gs_base)
    elif option == ARCH_GET_CPUID:
        return 1
    elif option == ARCH_SET_CPUID:
        raise Errno(ENODEV)
    else:
        raise Errno(EINVAL)
    return 0
