"""The FP state that the kernel reads and writes is the one that FXSAVE64 and FXRSTOR64 see."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emukernel.machine.cpu import RAX, RDI, RIP, Cpu
from emukernel.machine.fpu import MXCSR_MASK, fninit_state, fxrstor, fxsave
from emukernel.machine.pagetable import NX, PRESENT, USER, WRITE, PageTable
from emukernel.machine.physmem import PhysicalMemory

CODE, DATA = 0x40_0000, 0x60_0000
FXSAVE64_RDI = b"\x48\x0f\xae\x07"
FXRSTOR64_RDI = b"\x48\x0f\xae\x0f"
SYSCALL = b"\x0f\x05"
VALUES = slice(32, 416)


class Machine:
    """A CPU with one page of code and one of data."""

    def __init__(self, in_place: bool) -> None:
        self.memory = PhysicalMemory(1 << 20)
        self.cpu = Cpu(self.memory, in_place=in_place)
        table = PageTable(self.memory, self.cpu.kernel_entry)
        code, data = self.memory.alloc_frame(), self.memory.alloc_frame()
        table.set(CODE >> 12, code << 12 | PRESENT | USER)
        table.set(DATA >> 12, data << 12 | PRESENT | USER | WRITE | NX)
        self.code, self.data = self.memory.page(code), self.memory.page(data)
        self.cpu.load_page_table(table)
        self.cpu.hook_syscall(self.cpu.stop)

    def execute(self, *instructions: bytes) -> None:
        """Runs instructions with RDI at the data page."""
        text = b"".join([*instructions, SYSCALL])
        self.code[: len(text)] = text
        self.cpu.drop_code()
        self.cpu.regs[RIP] = CODE
        self.cpu.regs[RDI] = DATA
        self.cpu.run()
        assert self.cpu.regs[RIP] == CODE + len(text)

    def guest_fxsave(self) -> bytes:
        self.data[:512] = bytes(512)
        self.execute(FXSAVE64_RDI)
        return bytes(self.data[:512])

    def guest_fxrstor(self, image: bytes) -> None:
        self.data[:512] = image
        self.execute(FXRSTOR64_RDI)


@pytest.fixture(scope="module", params=[True, False], ids=["in place", "by copy"])
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    machine = Machine(request.param)
    yield machine
    machine.cpu.close()


def images() -> st.SearchStrategy[bytes]:
    """FXSAVE images without pending x87 exceptions, which FXSAVE would raise."""

    def build(top: int, valid: int, fcw: int, mxcsr: int, stack: list[bytes], xmm: bytes) -> bytes:
        head = struct.pack("<HHBxHQQII", fcw | 0x7F, top << 11, valid, 0, 0, 0, mxcsr, MXCSR_MASK)
        return (head + b"".join(value + bytes(6) for value in stack) + xmm).ljust(512, b"\0")

    ten = st.binary(min_size=10, max_size=10)
    return st.builds(
        build,
        st.integers(0, 7),
        st.integers(0, 255),
        st.sampled_from([0x300, 0x700, 0xB00, 0xF00, 0x000, 0x200]),
        st.sampled_from([0x1F80, 0x9FC0, 0x3F80, 0x7F80]),
        st.lists(ten, min_size=8, max_size=8),
        st.binary(min_size=256, max_size=256),
    )


def test_at_start(machine: Machine) -> None:
    fninit_state(machine.cpu)
    expected = struct.pack("<HHBxHQQII", 0x37F, 0, 0, 0, 0, 0, 0x1F80, MXCSR_MASK).ljust(512, b"\0")
    assert fxsave(machine.cpu) == expected
    assert machine.guest_fxsave() == expected


@settings(max_examples=60)
@given(image=images())
def test_fxrstor_by_the_kernel_is_seen_by_the_guest(machine: Machine, image: bytes) -> None:
    fxrstor(machine.cpu, image)
    assert machine.guest_fxsave() == image
    assert fxsave(machine.cpu) == image


@settings(max_examples=60)
@given(image=images())
def test_fxrstor_by_the_guest_is_seen_by_the_kernel(machine: Machine, image: bytes) -> None:
    machine.guest_fxrstor(image)
    saved = bytes(fxsave(machine.cpu))
    assert saved[VALUES] == image[VALUES]
    assert saved[:5] == image[:5]
    assert saved[24:28] == image[24:28]


def test_what_instructions_left_comes_back(machine: Machine) -> None:
    fninit_state(machine.cpu)
    # fldpi; fld1; fldl2e; fstp %st(1)
    machine.execute(b"\xd9\xeb\xd9\xe8\xd9\xea\xdd\xd9")
    image = fxsave(machine.cpu)
    assert image == machine.guest_fxsave()
    fninit_state(machine.cpu)
    machine.execute(b"\xd9\xee")
    fxrstor(machine.cpu, image)
    # fstpt (%rdi); fstpt 16(%rdi): log2(e), pi
    machine.execute(b"\xdb\x3f\xdb\x7f\x10")
    assert bytes(machine.data[:10]) == bytes(image[32:42])
    assert bytes(machine.data[16:26]) == bytes(image[48:58])
    assert bytes(machine.data[16:26]).hex() == "35c26821a2da0fc90040"


def test_rounding_follows_the_control_words(machine: Machine) -> None:
    for mxcsr, expected in ((0x1F80, 0x3FD5555555555555), (0x5F80, 0x3FD5555555555556)):
        fninit_state(machine.cpu)
        image = fxsave(machine.cpu)
        image[24:28] = mxcsr.to_bytes(4, "little")
        one, three = struct.pack("<d", 1.0), struct.pack("<d", 3.0)
        image[160:168], image[176:184] = one, three
        fxrstor(machine.cpu, image)
        # divsd %xmm1,%xmm0; movq %xmm0,%rax
        machine.execute(b"\xf2\x0f\x5e\xc1\x66\x48\x0f\x7e\xc0")
        assert machine.cpu.regs[RAX] == expected


def test_reserved_bits_of_mxcsr_are_refused(machine: Machine) -> None:
    fninit_state(machine.cpu)
    image = fxsave(machine.cpu)
    image[26] = 1
    with pytest.raises(ValueError, match="MXCSR"):
        fxrstor(machine.cpu, image)
