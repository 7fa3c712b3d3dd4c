"""Two things inside Unicorn that are looked for only when a run needs them.

They have no interface: the count of the instructions that a limited run has begun, and the
features that the CPU reports and decodes. Both are found as the CPU's state is (`boot`), by values
that are known to be there, and only a single place that behaves as it must is accepted.
"""

from __future__ import annotations

import os
import struct
from ctypes import c_uint64

from emukernel.machine.libunicorn import MachineError
from emukernel.machine.pagetable import PRESENT, USER, PageTable
from emukernel.machine.physmem import PAGE_SHIFT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.machine.cpu import Cpu

_CODE = 0x1000_0000
_LOOP = b"\xeb\xfe"  # l: jmp l
_CPUID = b"\x0f\xa2\xcc"  # cpuid; int3
_RDRAND = b"\x0f\xc7\xf0\xcc"  # rdrand %eax; int3
_RDSEED = b"\x0f\xc7\xf8\xcc"  # rdseed %eax; int3

#: How much is searched from the start of the `uc_struct`, and of the CPU's state.
_UC_STRUCT = 16 << 10
_CPU_STRUCT = 16 << 10

_LAST_LIMIT = 0x357

_ECX_RDRAND = 1 << 30
_ECX_OSXSAVE = 1 << 27
_EBX_RDSEED = 1 << 18

_RAX, _RCX, _RDX, _RBX, _RIP = 0, 1, 2, 3, 16
_INVALID_OPCODE = 6


def instruction_counter(cpu: Cpu) -> memoryview:
    """Two words: how many instructions the last limited run has begun, and its limit.

    Raises MachineError where they can't be found.
    """
    uc = cpu._uc.value or 0
    found: set[int] = set(range(0, _UC_STRUCT, 8))
    for limit in (0x1234, 0x2345, 0x789):
        _try(cpu, _LOOP, instructions=limit)
        # The instruction that is one too many is counted, and not executed.
        found &= _find(uc, _UC_STRUCT, struct.pack("<QQ", limit + 1, limit))
    # What was read may itself have been laid down right behind: a copy, which does not change.
    _try(cpu, _LOOP, instructions=_LAST_LIMIT)
    live = [at for at in found if list(_words(uc + at, 2)) == [_LAST_LIMIT + 1, _LAST_LIMIT]]
    if len(live) != 1:
        raise MachineError("this libunicorn counts instructions in an unknown way")
    return _words(uc + live[0], 2)


def hide_random_instructions(cpu: Cpu) -> None:
    """Takes RDRAND and RDSEED out of the CPU: CPUID denies them, and they are invalid opcodes.

    Raises MachineError where that can't be done.
    """
    edx, ecx, ebx = _features(cpu)
    state = cpu.state_address
    pattern = struct.pack("<QQQ", edx, ecx & ~_ECX_OSXSAVE, ebx)
    wanted = (edx, ecx & ~_ECX_RDRAND, ebx & ~_EBX_RDSEED)
    hidden = False
    # Behind the CPU's own words there can be remains of another one's: those change nothing.
    for at in sorted(_find(state, _CPU_STRUCT, pattern)) if state else ():
        words = _words(state + at, 3)
        words[1] &= ~_ECX_RDRAND
        words[2] &= ~_EBX_RDSEED
        hidden = _features(cpu) == wanted
        if hidden:
            break
        words[1] |= _ECX_RDRAND
        words[2] |= _EBX_RDSEED
    if not hidden or {_try(cpu, _RDRAND)[0], _try(cpu, _RDSEED)[0]} != {_INVALID_OPCODE}:
        raise MachineError("the CPU's random numbers can't be taken out of this libunicorn")


def _features(cpu: Cpu) -> tuple[int, int, int]:
    """EDX and ECX of CPUID leaf 1, EBX of leaf 7."""
    first = _try(cpu, _CPUID, rax=1)[1]
    seventh = _try(cpu, _CPUID, rax=7)[1]
    return first[_RDX], first[_RCX], seventh[_RBX]


def _try(cpu: Cpu, code: bytes, *, rax: int = 0, instructions: int = 0) -> tuple[int, list[int]]:
    """Runs a few instructions in an address space of their own: the vector, the registers."""
    memory = cpu.memory
    saved = cpu.save()
    table = PageTable(memory, cpu.kernel_entry)
    frame = memory.alloc_frame()
    table.set(_CODE >> PAGE_SHIFT, frame << PAGE_SHIFT | PRESENT | USER)
    memory.page(frame)[: len(code)] = code
    cpu.drop_code()
    cpu.load_page_table(table)
    cpu.regs[_RAX], cpu.regs[_RCX], cpu.regs[_RIP] = rax, 0, _CODE
    vector = cpu.run(instructions)
    registers = list(cpu.regs)
    cpu.restore(saved)
    cpu.flush_tlb()
    cpu.drop_code()
    table.free()
    memory.put(frame)
    return vector, registers


def _find(start: int, size: int, pattern: bytes) -> set[int]:
    """Aligned offsets from a host address at which the bytes stand."""
    try:
        with open("/proc/self/mem", "rb", 0) as mem:
            data = os.pread(mem.fileno(), size, start)
    except OSError:
        return set()
    found = set()
    at = data.find(pattern)
    while at >= 0:
        if not at % 8:
            found.add(at)
        at = data.find(pattern, at + 1)
    return found


def _words(address: int, count: int) -> memoryview:
    return memoryview((c_uint64 * count).from_address(address)).cast("B").cast("Q")
