"""The alternate signal stack. `Task.altstack` is (address, size, flags as they were set)."""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.errno import EINVAL, ENOMEM, EPERM, Errno
from emukernel.kernel.signal.numbers import SS_AUTODISARM, SS_DISABLE, SS_ONSTACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

#: The least size that can be set (asm/signal.h). A frame of this CPU needs less.
MINSIGSTKSZ = 2048
NO_ALTSTACK = (0, 0, SS_DISABLE)

_STACK_T = Struct("<QI4xQ")
_RSP = 4


def within_altstack(task: Task, sp: int) -> bool:
    """Whether a stack pointer lies in the alternate stack."""
    start, size, _flags = task.altstack
    return 0 < sp - start <= size


def on_sig_stack(task: Task, sp: int) -> bool:
    """Whether a handler runs on it. With SS_AUTODISARM none does: it is not set meanwhile."""
    return not task.altstack[2] & SS_AUTODISARM and within_altstack(task, sp)


def sas_ss_flags(task: Task, sp: int) -> int:
    """SS_DISABLE without one, SS_ONSTACK on it, else 0."""
    if not task.altstack[1]:
        return SS_DISABLE
    return SS_ONSTACK if on_sig_stack(task, sp) else 0


def set_altstack(task: Task, address: int, size: int, flags: int, sp: int) -> None:
    """Sets it. EPERM while in use, EINVAL for unknown flags, ENOMEM when too small."""
    if on_sig_stack(task, sp):
        raise Errno(EPERM)
    mode = flags & ~SS_AUTODISARM
    if mode not in (0, SS_ONSTACK, SS_DISABLE):
        raise Errno(EINVAL)
    if (address, size, flags) == task.altstack:
        return
    if mode == SS_DISABLE:
        address = size = 0
    elif size < MINSIGSTKSZ:
        raise Errno(ENOMEM)
    task.altstack = (address, size, flags)


def restore_altstack(task: Task, address: int, size: int, flags: int, sp: int) -> None:
    """Sets it as a frame says, if that may be. `sp` is still the handler's: while that one ran on
    the alternate stack nothing changes."""
    if (address, size, flags) == task.altstack:
        return
    try:
        set_altstack(task, address, size, flags, sp)
    except Errno:
        return


def sys_sigaltstack(task: Task, uss: int, uoss: int) -> int:
    """sigaltstack(2)."""
    from emukernel.kernel.uaccess import copy_from_user, copy_to_user

    sp = task.kernel.cpu.regs[_RSP]
    address, size, flags = task.altstack
    old = _STACK_T.pack(address, sas_ss_flags(task, sp) | flags & SS_AUTODISARM, size)
    if uss:
        address, flags, size = _STACK_T.unpack(copy_from_user(task, uss, _STACK_T.size))
        set_altstack(task, address, size, flags, sp)
    if uoss:
        copy_to_user(task, uoss, old)
    return 0
