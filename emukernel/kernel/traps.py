"""Exceptions: from the CPU's vector to a page mapped or a signal (arch/x86/kernel/traps.c)."""

from __future__ import annotations

from emukernel.kernel.mm.fault import (
    PF_INSTR,
    PF_USER,
    PF_WRITE,
    Fault,
    handle_mm_fault,
)
from emukernel.machine.cpu import (
    BREAKPOINT,
    DEBUG,
    DIVIDE_ERROR,
    GENERAL_PROTECTION,
    INT80,
    INVALID_OPCODE,
    PAGE_FAULT,
)
from emukernel.machine.physmem import OutOfMemory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV = 4, 5, 7, 8, 11
ILL_ILLOPN, TRAP_BRKPT, TRAP_TRACE, FPE_INTDIV, SI_KERNEL, SEGV_ACCERR = 2, 1, 2, 1, 0x80, 2
BUS_ADRALN = 1
_RIP = 16
_OVERFLOW, _BOUND, _X87_ERROR, _ALIGNMENT, _SIMD_ERROR = 4, 5, 16, 17, 19


def make_page_fault_handler(kernel: Kernel) -> Callable[[int, int], bool]:
    """The function that the CPU calls at a page fault, inside Unicorn's hook."""

    def page_fault(address: int, code: int) -> bool:
        if not code & PF_USER:
            # `int $14` in the program: no fault at all, so a general protection one.
            return False
        task = kernel.current
        kernel.fault_count += 1
        try:
            handle_mm_fault(
                task, task.mm, address, bool(code & PF_WRITE), bool(code & PF_INSTR)
            )
        except (Fault, OutOfMemory) as fault:
            kernel.fault = fault
            kernel.fault_code = code
            return False
        return True

    return page_fault


def handle_trap(kernel: Kernel, task: Task, vector: int) -> None:
    """What the kernel does about a trap that ended `Cpu.run`."""
    from emukernel.kernel.signal.send import force_sig, force_sig_fault

    cpu = kernel.cpu
    regs = cpu.regs
    rip = regs[_RIP]
    task.orig_rax = -1
    if vector != INT80:
        task.trap_nr = vector
        task.error_code = kernel.fault_code if vector == PAGE_FAULT else 0
        kernel.last_fault = f"at {rip:#x}"
    if vector == PAGE_FAULT and kernel.fault is not None:
        fault, kernel.fault = kernel.fault, None
        if not isinstance(fault, Fault):
            from emukernel.kernel.oom import out_of_memory

            out_of_memory(task)
        else:
            task.cr2 = cpu.fault_address
            kernel.last_fault += f", address {task.cr2:#x}"
            force_sig_fault(task, fault.signal, fault.code, task.cr2)
    elif vector == INT80:
        int80(kernel, task)
    elif vector == INVALID_OPCODE:
        force_sig_fault(task, SIGILL, ILL_ILLOPN, rip)
    elif vector == DIVIDE_ERROR:
        force_sig_fault(task, SIGFPE, FPE_INTDIV, rip)
    elif vector == BREAKPOINT:
        force_sig(task, SIGTRAP)
    elif vector == DEBUG:
        force_sig_fault(task, SIGTRAP, TRAP_TRACE, rip)
    elif vector in (_X87_ERROR, _SIMD_ERROR):
        force_sig_fault(task, SIGFPE, fpu_code(kernel, vector), rip)
    elif vector == _ALIGNMENT:
        force_sig_fault(task, SIGBUS, BUS_ADRALN, 0)
    elif vector in (_OVERFLOW, _BOUND):
        force_sig(task, SIGSEGV)
    else:
        if vector != GENERAL_PROTECTION:
            # `int n` with a vector that ring 3 may not raise faults at the instruction.
            regs[_RIP] = rip - 2
        force_sig(task, SIGSEGV)


def fpu_code(kernel: Kernel, vector: int) -> int:
    """si_code of an unmasked floating-point exception (fpu__exception_code)."""
    from emukernel.machine import libunicorn

    if vector == _X87_ERROR:
        status = kernel.cpu.read_register(libunicorn.FPSW)
        pending = status & ~kernel.cpu.read_register(libunicorn.FPCW)
    else:
        mxcsr = kernel.cpu.read_register(libunicorn.MXCSR)
        pending = mxcsr & ~(mxcsr >> 7)
    for bit, code in ((0x001, 7), (0x004, 3), (0x008, 4), (0x012, 5), (0x020, 6)):
        if pending & bit:
            return code
    return 0


def int80(kernel: Kernel, task: Task) -> None:
    """`int $0x80`: a 32-bit system call by whatever program (entry_INT80_compat)."""
    from emukernel.kernel.entry import slow_entry

    regs = kernel.cpu.regs
    mask = 0xFFFF_FFFF
    task.compat = True
    task.orig_rax = regs[0] & mask
    # ebx ecx edx esi edi ebp
    task.args = (
        regs[3] & mask,
        regs[1] & mask,
        regs[2] & mask,
        regs[6] & mask,
        regs[7] & mask,
        regs[5] & mask,
    )
    slow_entry(kernel, task)


__all__ = ["SEGV_ACCERR", "TRAP_BRKPT", "handle_trap", "make_page_fault_handler"]
