"""Where Unicorn looks whether it shall stop: at the start of every block, and nowhere else.

It also does so after every memory access, by a call that costs a third of the CPU's speed. And a
stop that another thread asked for is then taken with RIP still at the instruction: one that reads,
changes and writes memory is executed twice, and locks break. Unicorn has a flag that leaves that
check out of what it translates; it has no interface, so it is read out of the function that looks
at it, and accepted only if a program then behaves as it must.
"""

from __future__ import annotations

from ctypes import c_uint8, c_void_p, cast, string_at
from struct import Struct

from emukernel.machine import libunicorn
from emukernel.machine.libunicorn import lib
from emukernel.machine.pagetable import PRESENT, USER, PageTable
from emukernel.machine.physmem import PAGE_SHIFT, PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.machine.cpu import Cpu

# mov uc(%rdi),%rsi; cmpb $0,flag(%rsi): how check_exit_request begins on an x86-64 host.
_ENTRY = Struct("<3sI2sIB")
_LOAD, _COMPARE = b"\x48\x8b\xb7", b"\x80\xbe"
#: The flag lies in the `uc_struct`.
_UC_STRUCT = 16 << 10

#: Where nothing was translated before.
_CODE = 0x1000_0800
# cpuid; mov (here),%al; mov $7,%ebp; l: jmp l
_PROGRAM = b"\x0f\xa2\x8a\x05\0\0\0\0\xbd\x07\0\0\0\xeb\xfe"
_RBP, _RIP = 5, 16


def check_between_blocks_only(cpu: Cpu) -> c_uint8 | None:
    """Sets the flag, to be called before anything was translated; None where it can't be found.

    The result is the flag: writing 0 and dropping all translated code takes it back.
    """
    flag = _find_flag(cpu)
    if flag is None or flag.value:
        return None
    flag.value = 1
    if _stops_late(cpu):
        return flag
    flag.value = 0
    return None


def _find_flag(cpu: Cpu) -> c_uint8 | None:
    try:
        function = cast(lib.check_exit_request_x86_64, c_void_p).value
    except AttributeError:
        return None
    if not function:
        return None
    load, _uc, compare, offset, zero = _ENTRY.unpack(string_at(function, _ENTRY.size))
    if load != _LOAD or compare != _COMPARE or zero or offset >= _UC_STRUCT:
        return None
    return c_uint8.from_address((cpu._uc.value or 0) + offset)


def _stops_late(cpu: Cpu) -> bool:
    """Whether a stop in the middle of a block is seen at its end, not at a memory access.

    To be asked once.
    """
    memory = cpu.memory
    saved = cpu.save()
    table = PageTable(memory, cpu.kernel_entry)
    frame = memory.alloc_frame()
    table.set(_CODE >> PAGE_SHIFT, frame << PAGE_SHIFT | PRESENT | USER)
    offset = _CODE & PAGE_SIZE - 1
    memory.page(frame)[offset : offset + len(_PROGRAM)] = _PROGRAM

    def stop(uc: int) -> int:
        lib.uc_emu_stop(uc)
        return 1

    callback = libunicorn.INSN_HOOK(stop)
    kind = libunicorn.UC_HOOK_INSN
    hook = cpu.add_hook(kind, callback, 1, 0, libunicorn.UC_X86_INS_CPUID)
    cpu.load_page_table(table)
    cpu.regs[_RBP], cpu.regs[_RIP] = 0, _CODE
    cpu.run()
    late = cpu.regs[_RBP] == 7
    cpu.remove_hook(hook)
    cpu.restore(saved)
    cpu.flush_tlb()
    table.free()
    # The frame stays: dropping the code translated from it would cost as much as all of this did.
    return late
