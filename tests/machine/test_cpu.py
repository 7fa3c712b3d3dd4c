"""The PC by itself: ring 3, traps by vector, page faults, contexts, limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emukernel.machine.cpu import (
    BREAKPOINT,
    DIVIDE_ERROR,
    GENERAL_PROTECTION,
    INT80,
    INVALID_OPCODE,
    NO_TRAP,
    PAGE_FAULT,
    RAX,
    RBX,
    RCX,
    RDI,
    RDX,
    RIP,
    RSP,
    Cpu,
)
from emukernel.machine.libunicorn import MachineError
from emukernel.machine.pagetable import ADDRESS, DIRTY, NX, PRESENT, USER, WRITE, PageTable
from emukernel.machine.physmem import OutOfMemory, PhysicalMemory

CODE = 0x400000
DATA = 0x2000_0000
RW = PRESENT | USER | WRITE | NX


class Pc:
    """A CPU with one code page and faults answered with fresh pages below `top`."""

    def __init__(self, *, in_place: bool = True, size: int = 64 << 20) -> None:
        self.memory = PhysicalMemory(size)
        self.cpu = Cpu(self.memory, in_place=in_place)
        self.table = PageTable(self.memory, self.cpu.kernel_entry)
        self.cpu.load_page_table(self.table)
        self.code = self.memory.alloc_frame()
        self.table.set(CODE >> 12, self.code << 12 | PRESENT | USER)
        self.faults: list[tuple[int, int]] = []
        self.top = DATA + (1 << 26)
        self.cpu.on_page_fault = self.page_fault
        self.calls: list[int] = []
        self.cpu.hook_syscall(self.syscall)

    def page_fault(self, address: int, code: int) -> bool:
        self.faults.append((address, code))
        if not DATA <= address < self.top or not code & 4:
            return False
        self.table.set(address >> 12, self.memory.alloc_frame() << 12 | RW)
        return True

    def syscall(self) -> None:
        self.calls.append(self.cpu.regs[RAX])
        if self.cpu.regs[RAX] == 60:
            self.cpu.stop()

    def run(self, code: str, limit: int = 0) -> int:
        return self.run_at(CODE, code, limit)

    def run_at(self, rip: int, code: str, limit: int = 0) -> int:
        data = bytes.fromhex(code)
        if bytes(self.memory.page(self.code)[: len(data)]) != data:
            self.memory.page(self.code)[: len(data)] = data
            self.cpu.drop_code()
        self.cpu.regs[RIP] = rip
        return self.cpu.run(limit)


@pytest.fixture(params=[True, False], ids=["in-place", "portable"])
def pc(request: pytest.FixtureRequest) -> Iterator[Pc]:
    machine = Pc(in_place=request.param)
    yield machine
    machine.cpu.close()


@pytest.mark.parametrize(
    ("code", "vector", "rip"),
    [
        ("f4", GENERAL_PROTECTION, 0),  # hlt
        ("fa", GENERAL_PROTECTION, 0),  # cli
        ("0f32", GENERAL_PROTECTION, 0),  # rdmsr
        ("0f22d8", GENERAL_PROTECTION, 0),  # mov %rax,%cr3
        ("0f01f8", GENERAL_PROTECTION, 0),  # swapgs
        ("480f07", GENERAL_PROTECTION, 0),  # sysretq
        ("ec", GENERAL_PROTECTION, 0),  # in (%dx),%al
        ("ee", GENERAL_PROTECTION, 0),  # out %al,(%dx)
        ("0f0b", INVALID_OPCODE, 0),  # ud2
        ("0f34", INVALID_OPCODE, 0),  # sysenter
        ("31d231c9f7f1", DIVIDE_ERROR, 4),
        ("cc", BREAKPOINT, 1),
        ("cd80", INT80, 2),
        ("8b042500000040", PAGE_FAULT, 0),  # mov 0x40000000,%eax
    ],
)
def test_traps_of_ring_3(pc: Pc, code: str, vector: int, rip: int) -> None:
    assert pc.run(code) == vector
    assert pc.cpu.regs[RIP] == CODE + rip


def test_many_page_faults_are_resumed(pc: Pc) -> None:
    # mov $500,%ecx; mov $DATA,%edi; l: mov %eax,(%rdi); add $4096,%rdi; dec %ecx; jnz l; syscall
    pc.cpu.regs[RAX] = 60
    assert pc.run("b9f4010000bf00000020890748 81c700100000ffc975f30f05".replace(" ", "")) == NO_TRAP
    assert len(pc.faults) == 500
    assert pc.faults[-1] == (DATA + 499 * 4096, 6)
    assert pc.calls == [60]


def test_accessed_and_dirty_bits_are_set_in_the_tables(pc: Pc) -> None:
    pc.cpu.regs[RAX] = 60
    pc.run("890425000000200f05")
    entry = pc.table.get(DATA >> 12)
    assert entry & DIRTY
    assert pc.memory.words[(entry & ADDRESS) >> 3] & 0xFF == 60


def test_a_context_holds_the_whole_state(pc: Pc) -> None:
    regs = pc.cpu.regs
    regs[RCX] = 0x1234_5678_9ABC_DEF0
    pc.cpu.fs_base = 0x7000_0000
    saved = pc.cpu.save()
    regs[RCX] = 1
    pc.cpu.fs_base = 2
    pc.cpu.restore(saved)
    assert regs[RCX] == 0x1234_5678_9ABC_DEF0
    assert pc.cpu.fs_base == 0x7000_0000


def test_an_instruction_limit_ends_an_endless_loop(pc: Pc) -> None:
    # l: inc %rax; jmp l
    pc.cpu.regs[RAX] = 0
    assert pc.run("48ffc0ebfb", 1000) == NO_TRAP
    assert pc.cpu.regs[RAX] == 500


@pytest.mark.parametrize(
    ("code", "limit", "executed", "left_at"),
    [
        ("48ffc048ffc048ffc0cc", 3, 3, 9),  # inc %rax, 3 times; int3: stops before the trap
        ("48ffc048ffc048ffc0cc", 4, 4, 10),
        ("48ffc048ffc048ffc0cc", 100, 4, 10),
        ("0f050f050f05cc", 2, 2, 4),  # system calls
        ("b905000000bf00000020f3aacc", 4, 4, 10),  # rep stosb: each repetition counts
    ],
)
def test_instructions_are_counted_exactly(
    pc: Pc, code: str, limit: int, executed: int, left_at: int
) -> None:
    pc.cpu.regs[RCX] = 77
    pc.cpu.count_instructions()
    assert pc.cpu.regs[RCX] == 77
    pc.run("f4")
    for _ in range(3):
        pc.cpu.regs[RAX] = 0
        pc.run(code, limit)
        assert pc.cpu.executed() == executed
        assert pc.cpu.regs[RIP] == CODE + left_at


def test_counting_goes_on_after_a_page_fault(pc: Pc) -> None:
    pc.cpu.count_instructions()
    # mov $DATA,%edi; mov %eax,(%rdi); mov %eax,0x1000(%rdi); l: jmp l
    assert pc.run("bf000000208907898700100000ebfe", 1000) == NO_TRAP
    assert len(pc.faults) == 2
    assert pc.cpu.executed() == 1000


def test_an_interrupt_from_another_thread_ends_an_endless_loop(pc: Pc) -> None:
    from threading import Timer

    timer = Timer(0.05, pc.cpu.interrupt)
    timer.start()
    assert pc.run("ebfe") == NO_TRAP
    assert pc.cpu.acknowledge()
    timer.join()


def test_an_exception_in_a_handler_comes_out_of_run(pc: Pc) -> None:
    def broken(address: int, code: int) -> bool:
        raise ZeroDivisionError

    pc.cpu.on_page_fault = broken
    with pytest.raises(ZeroDivisionError):
        pc.run("8b042500000040")


def test_changed_code_runs_after_drop_code(pc: Pc) -> None:
    assert pc.run("b801000000cc") == BREAKPOINT
    assert pc.cpu.regs[RAX] == 1
    assert pc.run("b802000000cc") == BREAKPOINT
    assert pc.cpu.regs[RAX] == 2


def test_rdtsc_faults_when_it_is_taken_away(pc: Pc) -> None:
    assert pc.run("0f31cc") == BREAKPOINT
    pc.cpu.set_tsc_disabled(True)
    assert pc.run("0f31cc") == GENERAL_PROTECTION
    pc.cpu.set_tsc_disabled(False)
    assert pc.run("0f31cc") == BREAKPOINT


def test_the_time_stamp_counter_can_be_given(pc: Pc) -> None:
    ticks = iter((0x1_2345_6789, 0x2_0000_0001))
    pc.cpu.hook_tsc(lambda: next(ticks))
    pc.cpu.regs[RCX] = 5
    assert pc.run("0f31cc") == BREAKPOINT  # rdtsc
    assert [pc.cpu.regs[i] for i in (RAX, RDX, RCX)] == [0x2345_6789, 1, 5]
    assert pc.cpu.regs[RIP] == CODE + 3
    assert pc.run("0f01f9cc") == BREAKPOINT  # rdtscp
    assert [pc.cpu.regs[i] for i in (RAX, RDX, RCX)] == [1, 2, 0]
    pc.cpu.set_tsc_disabled(True)
    assert pc.run("0f31cc") == GENERAL_PROTECTION
    assert pc.run("0f01f9cc") == GENERAL_PROTECTION


def test_random_instructions_can_be_taken_away() -> None:
    pc = Pc()
    # mov $1,%eax; cpuid; mov %ecx,%r8d; mov $7,%eax; xor %ecx,%ecx; cpuid; int3
    leaves = "b8010000000fa24189c8b80700000031c90fa2cc"
    pc.run(leaves)
    before = pc.cpu.regs[8], pc.cpu.regs[RBX]
    assert before[0] & 1 << 30
    assert pc.run("0fc7f0cc") == BREAKPOINT  # rdrand %eax
    pc.cpu.hide_random_instructions()
    pc.run(leaves)
    assert (pc.cpu.regs[8], pc.cpu.regs[RBX]) == (before[0] & ~(1 << 30), before[1] & ~(1 << 18))
    assert pc.run("0fc7f0cc") == INVALID_OPCODE
    assert pc.run("0fc7f8cc") == INVALID_OPCODE  # rdseed %eax
    pc.cpu.close()


def test_random_instructions_stay_where_the_cpu_is_out_of_reach() -> None:
    pc = Pc(in_place=False)
    with pytest.raises(MachineError):
        pc.cpu.hide_random_instructions()
    pc.cpu.close()


def test_an_instruction_that_is_refused_leaves_the_registers_alone(pc: Pc) -> None:
    # mov $5,%ebx; in (%dx),%al
    assert pc.run("bb05000000ec") == GENERAL_PROTECTION
    assert pc.cpu.regs[RIP] == CODE + 5
    assert pc.cpu.regs[RBX] == 5


def test_nothing_that_follows_a_refused_instruction_has_happened(pc: Pc) -> None:
    pc.cpu.regs[RDI] = DATA
    pc.cpu.regs[RBX] = 5
    # mov %bl,(%rdi); in (%dx),%al; inc %ebx; mov %bl,(%rdi); inc %ebx; jmp 0
    assert pc.run("881fecffc3881fffc3ebf5") == GENERAL_PROTECTION
    assert pc.cpu.regs[RIP] == CODE + 2
    assert pc.cpu.regs[RBX] == 5
    frame = (pc.table.get(DATA >> 12) & ADDRESS) >> 12
    assert pc.memory.page(frame)[0] == 5
    # It can be run again, and the memory is there.
    pc.cpu.regs[RAX] = 60
    assert pc.run("ffc3881f0f05ebfe") == NO_TRAP
    assert pc.memory.page(frame)[0] == 6
    assert pc.faults == [(DATA, 6)]


@pytest.mark.parametrize("gate", [False, True])
def test_an_interrupt_never_makes_an_instruction_happen_twice(
    monkeypatch: pytest.MonkeyPatch, gate: bool
) -> None:
    from threading import Event, Thread

    if gate:
        # As on a host where the engine can't be told when to look for a stop.
        monkeypatch.setattr("emukernel.machine.cpu.check_between_blocks_only", lambda cpu: None)
    pc = Pc()
    pc.cpu.enable_interrupts()
    pc.cpu.regs[RDI] = DATA
    pc.cpu.regs[RCX] = 0
    done = Event()

    def disturb() -> None:
        while not done.wait(0.0005):
            pc.cpu.interrupt()

    thread = Thread(target=disturb)
    thread.start()
    rip = CODE
    try:
        for _ in range(100):
            # l: incq (%rdi); inc %rcx; jmp l
            pc.cpu.acknowledge()
            assert pc.run_at(rip, "48ff0748ffc1ebf8") == NO_TRAP
            rip = pc.cpu.regs[RIP]
    finally:
        done.set()
        thread.join()
    frame = (pc.table.get(DATA >> 12) & ADDRESS) >> 12
    assert rip == CODE
    assert int.from_bytes(pc.memory.page(frame)[:8], "little") == pc.cpu.regs[RCX] > 0
    pc.cpu.close()


def test_a_jump_to_where_unicorn_would_end_is_a_fault(pc: Pc) -> None:
    assert pc.run("48b800000000ad de0080ffe0".replace(" ", "")) == GENERAL_PROTECTION


def test_both_ways_of_reaching_registers_agree() -> None:
    results = []
    for in_place in (True, False):
        pc = Pc(in_place=in_place)
        assert pc.cpu.in_place is in_place
        pc.cpu.regs[RDI] = 7
        pc.cpu.regs[RSP] = DATA + 0x1000
        pc.cpu.regs[RAX] = 39
        pc.run("57580f05b83c0000000f05")  # push %rdi; pop %rax; syscall; mov $60,%eax; syscall
        results.append((pc.calls, list(pc.cpu.regs)))
        pc.cpu.close()
    assert results[0] == results[1]


def test_frames_are_counted_and_come_back_zeroed() -> None:
    memory = PhysicalMemory(1 << 20)
    before = memory.free_frames
    pfn = memory.alloc_frame()
    memory.page(pfn)[:4] = b"full"
    memory.get(pfn)
    memory.put(pfn)
    assert memory.free_frames == before - 1
    memory.put(pfn)
    assert memory.free_frames == before
    assert bytes(memory.page(memory.alloc_frame())[:4]) == bytes(4)
    with pytest.raises(OutOfMemory):
        memory.alloc_frames(1000)
    with pytest.raises(OutOfMemory):
        for _ in range(1000):
            memory.alloc_frame()


def test_page_tables_give_their_frames_back() -> None:
    memory = PhysicalMemory(16 << 20)
    before = memory.free_frames
    table = PageTable(memory)
    for vpn in (1, 0x400, 0x7FFF_FFFF_F, 1 << 30):
        table.set(vpn, 0xABC000 | PRESENT)
        assert table.get(vpn) == 0xABC000 | PRESENT
    assert [vpn for vpn, _index, _entry in table.entries(0, 1 << 36)] == sorted(
        (1, 0x400, 0x7FFF_FFFF_F, 1 << 30)
    )
    table.set(1, 0)
    table.free_tables(0, 0x200)
    table.free()
    assert memory.free_frames == before


@pytest.mark.parametrize("order", ["up", "down", "mixed", "holes"])
def test_whole_tables_are_copied_and_given_back(order: str) -> None:
    memory = PhysicalMemory(16 << 20)
    free = memory.free_frames
    frames = [memory.alloc_frame() for _ in range(520)]
    before = memory.free_frames
    if order == "down":
        frames.reverse()
    elif order == "mixed":
        frames[3], frames[500] = frames[500], frames[3]
    table, copy = PageTable(memory), PageTable(memory)
    holes = {7, 300} if order == "holes" else set()
    used = [n for n in range(520) if n not in holes]
    for n in used:
        table.set(1024 + n, frames[n] << 12 | RW | (DIRTY if n % 2 else 0))
    entries = {vpn: entry for vpn, _, entry in table.entries(0, 1 << 36)}
    assert sorted(entries) == [1024 + n for n in used]
    # Pages 1024 to 1540: one table whole, part of the next.
    for vpn, index, count in table.leaf_ranges(1024, 1540):
        pfns = table.frames_at(index, count)
        here = range(vpn - 1024, vpn - 1024 + count)
        assert sorted(pfns) == sorted(frames[n] for n in used if n in here)
        table.copy_entries(vpn, index, count, copy, cow=True)
        memory.get_all(pfns)
    for n in used:
        entry = entries[1024 + n]
        shared = n < 516
        assert table.get(1024 + n) == (entry & ~WRITE if shared else entry)
        assert copy.get(1024 + n) == (entry & ~WRITE if shared else 0)
        assert memory.refcount[frames[n]] == (2 if shared else 1)
    for owner, last in ((copy, 1540), (table, 1544)):
        for _vpn, index, count in owner.leaf_ranges(1024, last):
            memory.put_all(owner.frames_at(index, count))
            owner.clear_entries(index, count)
        assert not list(owner.entries(0, 1 << 36))
        owner.free()
    for n in holes:
        memory.put(frames[n])
    assert before < memory.free_frames == free
    # What was given back can be had again, zeroed, each frame once.
    again = [memory.alloc_frame() for _ in range(520)]
    assert len(set(again)) == 520
    memory.close()
