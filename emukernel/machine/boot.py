"""Brings the CPU from reset into ring 3 and finds where it keeps its state.

Page tables, GDT and a short stub that ends in `iretq` stand in supervisor pages of the kernel's
half. Ring 3 is entered by executing that `iretq`: writing CS would leave the privilege level at 0.
"""

from __future__ import annotations

import os
import struct
from ctypes import byref, c_int, c_uint8, c_uint64, c_void_p, create_string_buffer

from emukernel.machine import libunicorn
from emukernel.machine.libunicorn import MachineError, emu_start, lib
from emukernel.machine.pagetable import NX, PRESENT, USER, WRITE, PageTable
from emukernel.machine.physmem import PAGE_SHIFT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.machine.cpu import Cpu
    from emukernel.machine.physmem import PhysicalMemory

KERNEL_BASE = 0xFFFF_8000_0000_0000
# xor %ecx,%ecx; xor %edx,%edx; mov $3,%eax; xsetbv; iretq: XCR0 has x87 and SSE state.
_STUB = b"\x31\xc9\x31\xd2\xb8\x03\x00\x00\x00\x0f\x01\xd1\x48\xcf"
USER_CS, USER_SS = 0x33, 0x2B
RFLAGS_USER = 0x202

# 64-bit descriptors in Linux's order (arch/x86/include/asm/segment.h): the selectors are the
# index times 8 plus the privilege level.
_GDT = (
    0,
    0x00CF_9B00_0000_FFFF,
    0x00AF_9B00_0000_FFFF,
    0x00CF_9300_0000_FFFF,
    0x00CF_FB00_0000_FFFF,
    0x00CF_F300_0000_FFFF,
    0x00AF_FB00_0000_FFFF,
)
_KERNEL_CS = 0x10

_MSR_EFER = 0xC000_0080
_EFER_SCE, _EFER_LME, _EFER_LMA, _EFER_NXE = 1, 1 << 8, 1 << 10, 1 << 11
_CR0 = 1 << 31 | 1 << 16 | 1 << 5 | 1 << 4 | 1 << 1 | 1  # PG WP NE ET MP PE
# PAE PGE OSFXSR OSXMMEXCPT FSGSBASE OSXSAVE
_CR4 = 1 << 5 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 16 | 1 << 18

GENERAL_PROTECTION = 13
INVALID_OPCODE = 6

#: uc_context puts this many bytes before the copy of the CPU's state, at most.
_CONTEXT_HEADER = 64

#: Where in the `uc_struct` its pointer to the CPU is, at most, and how large the CPU is.
_UC_STRUCT = 4 << 10
_CPU = 256 << 10
_LARGE = 128 << 20

# A page of the probe program and an address that is never mapped.
_PROBE_CODE = 0x1000_0000
_PROBE_DATA = 0x2222_2000
_LOAD = b"\x8a\x00"  # mov (%rax),%al
_STORE = b"\x88\x00"  # mov %al,(%rax)


class Layout:
    """Where the CPU's state is: byte offsets into `state`. `root` is an empty page table's."""

    __slots__ = ("cr2", "error_code", "in_place", "kernel_entry", "old_exception", "root", "state")

    def __init__(
        self, state: memoryview, in_place: bool, offsets: tuple[int, int, int], table: PageTable
    ) -> None:
        self.state = state
        self.in_place = in_place
        self.cr2, self.error_code, self.old_exception = offsets
        self.kernel_entry = table.kernel_entry()
        self.root = table.root


def boot(cpu: Cpu, memory: PhysicalMemory, in_place: bool) -> Layout:
    """Sets up long mode with paging and leaves the CPU in ring 3."""
    table = PageTable(memory)
    gdt, stub, stack = (memory.alloc_frame() for _ in range(3))
    for pfn, flags in ((gdt, NX | WRITE), (stub, 0), (stack, NX | WRITE)):
        table.set((KERNEL_BASE >> PAGE_SHIFT) + pfn, pfn << PAGE_SHIFT | PRESENT | flags)
    code = memory.alloc_frame()
    table.set(_PROBE_CODE >> PAGE_SHIFT, code << PAGE_SHIFT | PRESENT | USER)
    struct.pack_into("<7Q", memory.view, gdt << PAGE_SHIFT, *_GDT)
    memory.view[stub << PAGE_SHIFT : (stub << PAGE_SHIFT) + len(_STUB)] = _STUB
    memory.view[code << PAGE_SHIFT : (code << PAGE_SHIFT) + 4] = _LOAD + _STORE

    uc = cpu._uc
    _write(uc, libunicorn.CR3, table.root)
    _write(uc, libunicorn.CR4, _CR4)
    _write_msr(uc, _MSR_EFER, _EFER_LME | _EFER_LMA | _EFER_NXE | _EFER_SCE)
    _write(uc, libunicorn.CR0, _CR0)
    gdtr = create_string_buffer(struct.pack("<HxxxxxxQII", 0, KERNEL_BASE + (gdt << 12), 55, 0))
    lib.uc_reg_write(uc, c_int(libunicorn.GDTR), gdtr)
    _write(uc, libunicorn.CS, _KERNEL_CS)

    state = _locate(cpu) if in_place else None
    found = state is not None
    if state is None:
        state = _context_copy(cpu)
    frame = (_PROBE_CODE + 0x1000, USER_CS, RFLAGS_USER, 0, USER_SS)
    top = (stack << PAGE_SHIFT) + 4096 - 40
    struct.pack_into("<5Q", memory.view, top, *frame)
    _write(uc, libunicorn.GENERAL[4], KERNEL_BASE + top)
    offsets = _probe(cpu, KERNEL_BASE + (stub << PAGE_SHIFT), state, found)
    for register in libunicorn.GENERAL:
        _write(uc, register, 0)
    _write(uc, libunicorn.EFLAGS, RFLAGS_USER)
    if not found:
        lib.uc_context_save(uc, cpu._context)
    # The probe's pages and the lower half's tables go; the kernel's half stays for ever.
    table.set(_PROBE_CODE >> PAGE_SHIFT, 0)
    memory.put(code)
    return Layout(state, found, offsets, table)


def _write(uc: c_void_p, register: int, value: int) -> None:
    lib.uc_reg_write(uc, c_int(register), byref(c_uint64(value)))


def _write_msr(uc: c_void_p, number: int, value: int) -> None:
    box = create_string_buffer(struct.pack("<IIQ", number, 0, value))
    lib.uc_reg_write(uc, c_int(libunicorn.MSR), box)


def _view(address: int, size: int) -> memoryview:
    return memoryview((c_uint8 * size).from_address(address)).cast("B")


def _context_copy(cpu: Cpu) -> memoryview:
    """The CPU state inside the context that uc_context_save fills: the portable view."""
    address = cpu._context.value or 0
    size = lib.uc_context_size(cpu._uc)
    whole = _view(address, size)
    pattern = _mark_registers(cpu._uc)
    lib.uc_context_save(cpu._uc, cpu._context)
    start = bytes(whole).find(pattern)
    if start < 0:
        raise MachineError("this libunicorn keeps its registers in an unknown way")
    return whole[start:]


def _mark() -> int:
    return int.from_bytes(os.urandom(8), "little")


def _mark_registers(uc: c_void_p) -> bytes:
    """Gives the general registers values found nowhere else; returns them as they lie there."""
    marks = [_mark() for _ in libunicorn.GENERAL]
    for register, mark in zip(libunicorn.GENERAL, marks, strict=True):
        _write(uc, register, mark)
    return struct.pack("<16Q", *marks)


def _locate(cpu: Cpu) -> memoryview | None:
    """The CPU's own state in this process's memory, or None where it can't be found surely.

    What the `uc_struct` points at is searched first, then every private mapping without a file.
    """
    handle = cpu._uc.value or 0
    try:
        with open("/proc/self/maps", "rb") as maps:
            lines = maps.readlines()
    except OSError:
        return None
    ranges = []
    for line in lines:
        fields = line.split()
        low, high = (int(end, 16) for end in fields[0].split(b"-"))
        anonymous = len(fields) < 6 or fields[5] == b"[heap]"
        if fields[1] == b"rw-p" and anonymous:
            # RAM is such a mapping too, or part of one: reading it would commit all of it.
            ram = cpu.memory.host_address
            parts = (low, min(high, ram)), (max(low, ram + cpu.memory.size), high)
            ranges += [(start, end) for start, end in parts if start < end]
    home = [(low, high) for low, high in ranges if low <= handle < high]
    pointed = [
        (pointer, min(high, pointer + _CPU))
        for pointer in _words(handle, min(high for _low, high in home) if home else 0)
        for low, high in ranges
        if low <= pointer < high
    ]
    # Anything this large that isn't the heap of the handle is another machine's RAM.
    others = [(low, high) for low, high in ranges if high - low <= _LARGE]
    pattern = _mark_registers(cpu._uc)
    for part in (pointed, home, others):
        live = _search(cpu._uc, part, pattern)
        if len(live) == 1:
            return _view(live[0], lib.uc_context_size(cpu._uc) - _CONTEXT_HEADER)
        if live:
            return None
    return None


def _words(start: int, end: int) -> list[int]:
    """The different words at the start of the `uc_struct`, in their order."""
    if not start < end:
        return []
    with open("/proc/self/mem", "rb", 0) as mem:
        data = os.pread(mem.fileno(), min(_UC_STRUCT, end - start), start)
    return list(dict.fromkeys(memoryview(data)[: len(data) & ~7].cast("Q")))


def _search(uc: c_void_p, ranges: list[tuple[int, int]], pattern: bytes) -> list[int]:
    """Addresses in `ranges` where the register file is: `pattern`, following a register write."""
    hits = set()
    with open("/proc/self/mem", "rb", 0) as mem:
        for low, high in ranges:
            try:
                data = os.pread(mem.fileno(), high - low, low)
            except OSError:
                continue
            at = data.find(pattern)
            while at >= 0:
                hits.add(low + at)
                at = data.find(pattern, at + 8)
        # `pattern` itself is an object in memory too: the CPU's copy is the one that changes.
        mark = _mark()
        _write(uc, libunicorn.GENERAL[0], mark)
        wanted = mark.to_bytes(8, "little")
        live = [at for at in hits if not at % 8 and os.pread(mem.fileno(), 8, at) == wanted]
        _write(uc, libunicorn.GENERAL[0], int.from_bytes(pattern[:8], "little"))
    return live


def _probe(cpu: Cpu, stub: int, state: memoryview, in_place: bool) -> tuple[int, int, int]:
    """Offsets of CR2, the error code and the pending exception.

    The `iretq` lands on an unmapped page, then a load and a store miss: three page faults whose
    address and error code are known. The field that goes from -1 to 14 is the exception.
    """
    uc = cpu._uc

    def on_fault(_uc: int, _vector: int) -> None:
        lib.uc_emu_stop(uc)

    callback = libunicorn.TRAP_HOOK(on_fault)
    hook = cpu.add_hook(libunicorn.UC_HOOK_INTR, callback)
    if in_place:
        before = bytes(state)
    else:
        lib.uc_context_save(uc, cpu._context)
        before = bytes(state)
    runs = (
        (stub, _PROBE_CODE + 0x1000, 0x14),
        (_PROBE_CODE, _PROBE_DATA, 0x4),
        (_PROBE_CODE + 2, _PROBE_DATA + 0x1000, 0x6),
    )
    cr2 = set(range(0, len(state) & ~7, 8))
    code = set(range(0, len(state) & ~3, 4))
    exception: set[int] = set()
    for start, address, error in runs:
        _write(uc, libunicorn.GENERAL[0], address)
        emu_start(uc, start, 0, 0, 0)
        if not in_place:
            lib.uc_context_save(uc, cpu._context)
        after = bytes(state)
        words = memoryview(after)[: len(after) & ~3].cast("I")
        quads = memoryview(after)[: len(after) & ~7].cast("Q")
        cr2 = {at for at in cr2 if quads[at >> 3] == address and at >= 136}
        code = {at for at in code if words[at >> 2] == error}
        if not exception:
            old = memoryview(before)[: len(before) & ~3].cast("I")
            exception = {
                at << 2
                for at in range(len(words))
                if words[at] == 14 and old[at] == 0xFFFF_FFFF
            }
        # Unicorn would take the next fault for a double fault.
        live = state[: len(state) & ~3].cast("I")
        for at in exception:
            live[at >> 2] = 0xFFFF_FFFF
        if not in_place:
            lib.uc_context_restore(uc, cpu._context)
    cpu.remove_hook(hook)
    if not (len(cr2) == len(code) == len(exception) == 1):
        raise MachineError("this libunicorn reports page faults in an unknown way")
    return cr2.pop(), code.pop(), exception.pop()


def instruction_hooks(cpu: Cpu) -> list[tuple[int, object, int, int, int]]:
    """Hooks on the instructions that Unicorn would let ring 3 run."""

    def on_in(_uc: int, _port: int, _size: int) -> int:
        cpu.raise_trap(GENERAL_PROTECTION)
        return 0

    def on_out(_uc: int, _port: int, _size: int, _value: int) -> None:
        cpu.raise_trap(GENERAL_PROTECTION)

    def on_sysenter(_uc: int) -> int:
        cpu.raise_trap(INVALID_OPCODE)
        return 0

    return [
        (libunicorn.UC_HOOK_INSN, libunicorn.IN_HOOK(on_in), 1, 0, libunicorn.UC_X86_INS_IN),
        (libunicorn.UC_HOOK_INSN, libunicorn.OUT_HOOK(on_out), 1, 0, libunicorn.UC_X86_INS_OUT),
        (
            libunicorn.UC_HOOK_INSN,
            libunicorn.INSN_HOOK(on_sysenter),
            1,
            0,
            libunicorn.UC_X86_INS_SYSENTER,
        ),
    ]
