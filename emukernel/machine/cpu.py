"""The processor: one Unicorn instance in 64-bit user mode, its registers, traps and contexts.

A kernel sets `on_syscall` and `on_page_fault`, writes RIP and the other registers through
`regs`, and calls `run`. What those two handlers can settle is settled inside Unicorn's hook, at
about a microsecond; every other event ends `run`, which returns its vector.

Registers are read and written where the CPU keeps them. The place is found at start-up and
checked (`locate`); where it can't be found (a host without /proc) each trap copies the state out
and in again with uc_context_save and uc_context_restore instead: slower, otherwise the same.
"""

from __future__ import annotations

from ctypes import addressof, byref, c_char, c_int, c_size_t, c_uint64, c_void_p, cast, pointer
from functools import partial

from emukernel.machine import boot, libunicorn
from emukernel.machine.exitcheck import check_between_blocks_only
from emukernel.machine.libunicorn import MachineError, emu_start, lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.machine.pagetable import PageTable
    from emukernel.machine.physmem import PhysicalMemory
    from emukernel.machine.stopgate import Countdown, StopGate

# Indices into `Cpu.regs`, the CPU's own order.
RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI = range(8)
R8, R9, R10, R11, R12, R13, R14, R15 = range(8, 16)
RIP = 16

# Vectors (Intel SDM vol. 3, 6.15).
DIVIDE_ERROR = 0
DEBUG = 1
BREAKPOINT = 3
INVALID_OPCODE = 6
GENERAL_PROTECTION = 13
PAGE_FAULT = 14
INT80 = 0x80
#: `run` ended without a trap: `stop` was called or the instruction limit was reached.
NO_TRAP = -1

# Bits of a page fault's error code.
PF_PROT = 1
PF_WRITE = 2
PF_USER = 4
PF_INSTR = 16

CR4_TSD = 1 << 2

#: Not canonical, so no program runs here: the address at which Unicorn would end by itself.
_NEVER = 0x8000_DEAD_0000_0000
_NO_EXCEPTION = 0xFFFF_FFFF
_MASK64 = (1 << 64) - 1


class Cpu:
    """A CPU over `memory`, in ring 3 with interrupts on, all general registers zero.

    `in_place` False forces the portable way to reach the registers.
    """

    def __init__(self, memory: PhysicalMemory, *, in_place: bool = True) -> None:
        self.memory = memory
        self.on_syscall: Callable[[], None] = self.stop
        self.on_page_fault: Callable[[int, int], bool] = lambda address, code: False
        self.failure: BaseException | None = None
        self._hooks: list[object] = []
        self._trap = NO_TRAP
        # The state at an instruction that its own hook refused, while the rest of its block runs.
        self._refused = b""
        self._interrupted = False
        self._flush_code = False
        self._counter: memoryview | None = None
        handle = c_void_p()
        if lib.uc_open(libunicorn.UC_ARCH_X86, libunicorn.UC_MODE_64, byref(handle)):
            raise MachineError("uc_open failed: this libunicorn has no x86")
        self._uc = handle
        if lib.uc_mem_map_ptr(handle, 0, memory.size, libunicorn.UC_PROT_ALL, memory.host_address):
            raise MachineError("guest memory can't be given to Unicorn")
        context = c_void_p()
        lib.uc_context_alloc(handle, byref(context))
        self._context = context
        layout = boot.boot(self, memory, in_place)
        #: Page-table entry of the kernel's half, shared by every address space.
        self.kernel_entry = layout.kernel_entry
        self.in_place = layout.in_place
        self._gate: StopGate | None = None
        self._countdown: Countdown | None = None
        self._nowhere = layout.root
        self._state = layout.state
        self._words = layout.state.cast("I")
        quads = layout.state[: len(layout.state) & ~7].cast("Q")
        self._quads = quads
        self._cr2 = layout.cr2 >> 3
        self._error_code = layout.error_code >> 2
        self._old_exception = layout.old_exception >> 2
        #: RAX to R15 and RIP as 64-bit words, indexed by the constants above.
        self.regs = quads[:17]
        self._eflags = c_uint64()
        self._eflags_view = memoryview(self._eflags).cast("B").cast("Q")
        self.add_hook(libunicorn.UC_HOOK_INTR, libunicorn.TRAP_HOOK(self.trap_hook))
        self._late_stop = check_between_blocks_only(self)
        self.reset_context = self.save()

    # -- hooks -------------------------------------------------------------------------------

    def add_hook(
        self, kind: int, callback: object, begin: int = 1, end: int = 0, *extra: int
    ) -> c_size_t:
        """Adds a raw Unicorn hook and keeps its callback alive; returns its handle."""
        hook = c_size_t()
        arguments = [c_int(number) for number in extra]
        error = lib.uc_hook_add(
            self._uc, byref(hook), kind, cast(callback, c_void_p), None, begin, end, *arguments  # type: ignore[arg-type]
        )
        if error:
            raise MachineError(f"Unicorn refused a hook of kind {kind}: error {error}")
        self._hooks.append(callback)
        return hook

    def remove_hook(self, hook: c_size_t) -> None:
        """Removes a hook that `add_hook` returned."""
        lib.uc_hook_del(self._uc, hook)

    def hook_syscall(self, handler: Callable[[], None]) -> None:
        """Makes `handler` the first code that runs at a `syscall` instruction. Called once.

        It finds RIP at the instruction, may change any register, and returns to RIP + 2.
        """
        self.on_syscall = handler
        if not self.in_place:
            save, restore, uc, context = (
                lib.uc_context_save,
                lib.uc_context_restore,
                self._uc,
                self._context,
            )

            def copied() -> None:
                save(uc, context)
                handler()
                restore(uc, context)

            callback = libunicorn.SYSCALL_HOOK(copied)
        else:
            callback = libunicorn.SYSCALL_HOOK(handler)
        # It must come before any other hook on an instruction: once a stop has been asked for,
        # by another thread say, Unicorn goes no further through them, and the call would be lost.
        self.add_hook(libunicorn.UC_HOOK_INSN, callback, 1, 0, libunicorn.UC_X86_INS_SYSCALL)
        for hook in boot.instruction_hooks(self):
            self.add_hook(*hook)

    def trap_hook(self, _uc: int, vector: int) -> None:
        """UC_HOOK_INTR: settles a page fault in place or ends `run` with the vector."""
        if self._trap != NO_TRAP:
            # An instruction before this one, in the same block, has ended the run already.
            lib.uc_emu_stop(self._uc)
            return
        try:
            if not self.in_place:
                lib.uc_context_save(self._uc, self._context)
            if vector == PAGE_FAULT and self.on_page_fault(
                self._quads[self._cr2], self._words[self._error_code]
            ):
                # Unicorn leaves the handled exception pending; the next one would be a double
                # fault.
                self._words[self._old_exception] = _NO_EXCEPTION
                if not self.in_place:
                    lib.uc_context_restore(self._uc, self._context)
                return
        except BaseException as error:
            self.failure = error
        self._trap = vector
        lib.uc_emu_stop(self._uc)

    def raise_trap(self, vector: int) -> None:
        """From an instruction's hook: ends `run` as if that instruction had raised `vector`.

        The instructions behind it in the same block run first. They find no memory, and what they
        do to the registers is undone.
        """
        rip = c_uint64()
        lib.uc_reg_read(self._uc, c_int(libunicorn.RIP), byref(rip))
        if not self.in_place:
            lib.uc_context_save(self._uc, self._context)
        self.regs[RIP] = rip.value
        self._refused = self.save()
        self._trap = vector
        lib.uc_reg_write(self._uc, c_int(libunicorn.CR3), byref(c_uint64(self._nowhere)))
        lib.uc_emu_stop(self._uc)

    def hook_tsc(self, read: Callable[[], int]) -> None:
        """Makes `read` the time-stamp counter that RDTSC and RDTSCP show (TSC_AUX is 0).

        Called once, after `hook_syscall`.
        """
        write, uc = lib.uc_reg_write, self._uc

        def rdtsc(_uc: int) -> int:
            tsc = read()
            write(uc, c_int(libunicorn.GENERAL[RAX]), byref(c_uint64(tsc & 0xFFFF_FFFF)))
            write(uc, c_int(libunicorn.GENERAL[RDX]), byref(c_uint64(tsc >> 32 & 0xFFFF_FFFF)))
            return 1

        def rdtscp(_uc: int) -> int:
            write(uc, c_int(libunicorn.GENERAL[RCX]), byref(c_uint64()))
            return rdtsc(_uc)

        for instruction, body in (
            (libunicorn.UC_X86_INS_RDTSC, rdtsc),
            (libunicorn.UC_X86_INS_RDTSCP, rdtscp),
        ):
            hook = libunicorn.INSN_HOOK(body)
            self.add_hook(libunicorn.UC_HOOK_INSN, hook, 1, 0, instruction)

    def on_new_block(self, handler: Callable[[], None]) -> None:
        """Has `handler` called when code is first translated; running it again costs nothing."""

        def edge(_uc: int, _current: int, _previous: int) -> None:
            handler()

        self.add_hook(libunicorn.UC_HOOK_EDGE_GENERATED, libunicorn.EDGE_HOOK(edge))

    def hook_address(self, address: int, handler: Callable[[], None]) -> c_size_t:
        """Has `handler` called before the instruction at `address`, where it may `stop` the CPU at
        that very place. Not from a hook; `remove_hook` takes what this returns."""

        def arrived(_uc: int, _address: int, _size: int) -> None:
            handler()

        if self._late_stop is not None:
            self._stop_at_once()
        self.drop_code()
        callback = libunicorn.CODE_HOOK(arrived)
        return self.add_hook(libunicorn.UC_HOOK_CODE, callback, address, address)

    # -- running -----------------------------------------------------------------------------

    def run(self, instructions: int = 0) -> int:
        """Runs user mode until a trap, `stop`, or so many instructions (0: no limit).

        Returns the vector or NO_TRAP. Faults leave RIP at the instruction, `int3` and
        `int n` after it. An exception raised in a handler is raised here.
        """
        if self._flush_code:
            self._flush_code = False
            lib.uc_ctl(self._uc, libunicorn.UC_CTL_TB_FLUSH)
        self._words[self._old_exception] = _NO_EXCEPTION
        if not self.in_place:
            lib.uc_context_restore(self._uc, self._context)
        self._trap = NO_TRAP
        if self._interrupted:
            return NO_TRAP
        if instructions and self._late_stop is not None:
            self._stop_at_once()
        error = emu_start(self._uc, self.regs[RIP], _NEVER, 0, instructions)
        if not self.in_place:
            lib.uc_context_save(self._uc, self._context)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        if self._trap != NO_TRAP:
            if self._refused:
                self.restore(self._refused)
                self._refused = b""
                self.flush_tlb()
            return self._trap
        if error == libunicorn.UC_ERR_INSN_INVALID:
            return INVALID_OPCODE
        if error:
            raise MachineError(f"Unicorn stopped with error {error} at {self.regs[RIP]:#x}")
        if self.regs[RIP] == _NEVER:
            return GENERAL_PROTECTION
        return NO_TRAP

    def count_instructions(self) -> None:
        """Makes `executed` work; MachineError where it can't."""
        from emukernel.machine.probe import instruction_counter

        self._counter = instruction_counter(self)

    def executed(self) -> int:
        """How many instructions the last `run` with a limit has begun, the limit at most.

        Every repetition of a string instruction counts, and one that faulted once more when it is
        resumed. Needs `count_instructions`.
        """
        assert self._counter is not None
        return min(self._counter[0], self._counter[1])

    def stop(self) -> None:
        """From a hook: ends `run` after the current instruction, or the block it is in.

        `syscall` and what faults are the last of their block.
        """
        lib.uc_emu_stop(self._uc)

    def interrupt(self) -> None:
        """From any thread: ends `run` soon; `run` returns at once until `acknowledge`.

        A run that is just starting may miss it: repeat it until it was acknowledged. Where the
        program is to go on afterwards, `enable_interrupts` must have been called before.
        """
        self._interrupted = True
        if self._gate is not None and self._gate.address:
            self._gate.close()
        else:
            lib.uc_emu_stop(self._uc)

    def enable_interrupts(self) -> None:
        """From now on `interrupt` ends a run between two blocks, where nothing is half done.

        That is so by itself where `exitcheck` could have it so. Elsewhere the engine calls a gate
        before each block. Costs a tenth of the CPU's speed or so, and a translation anew. Not from
        a hook.
        """
        if self._gate is not None or self._late_stop is not None:
            return
        from emukernel.machine.stopgate import StopGate

        gate = StopGate()
        if gate.address:
            self.add_hook(libunicorn.UC_HOOK_BLOCK, gate.address)
        self._gate = gate
        self.drop_code()

    def count_down(self, blocks: int) -> None:
        """Has `run` end, once, after so many more blocks of code, over all runs from now on.

        The same program stops at the same place each time. The first call costs what
        `enable_interrupts` does. Not from a hook.
        """
        countdown = self._countdown
        if countdown is None:
            from emukernel.machine.stopgate import Countdown

            countdown = self._countdown = Countdown()
            self.add_hook(libunicorn.UC_HOOK_BLOCK, countdown.hook)
            self.drop_code()
        countdown.left[0] = blocks

    def counted_down(self) -> bool:
        """Whether the blocks that `count_down` was given have been run."""
        return self._countdown is not None and self._countdown.left[0] <= 0

    def _stop_at_once(self) -> None:
        """Has stops seen within a block again, as a limit on instructions needs it."""
        assert self._late_stop is not None
        self._late_stop.value = 0
        self._late_stop = None
        lib.uc_ctl(self._uc, libunicorn.UC_CTL_TB_FLUSH)

    @property
    def interrupted(self) -> bool:
        """Whether an interrupt has not been acknowledged yet."""
        return self._interrupted

    def acknowledge(self) -> bool:
        """Takes back an `interrupt`; true if there was one."""
        was = self._interrupted
        self._interrupted = False
        if was and self._gate is not None:
            self._gate.open()
        return was

    # -- state -------------------------------------------------------------------------------

    @property
    def state_address(self) -> int:
        """Where the CPU keeps its state in the host's memory; 0 where `regs` is a copy."""
        return addressof(c_char.from_buffer(self._state)) if self.in_place else 0

    @property
    def fault_address(self) -> int:
        """CR2: the address of the last page fault."""
        return self._quads[self._cr2]

    @property
    def error_code(self) -> int:
        """The last fault's error code."""
        return self._words[self._error_code]

    def read_register(self, number: int) -> int:
        """A register by its number in unicorn/x86.h."""
        value = c_uint64()
        if not self.in_place:
            lib.uc_context_restore(self._uc, self._context)
        lib.uc_reg_read(self._uc, c_int(number), byref(value))
        return value.value

    def write_register(self, number: int, value: int) -> None:
        """Sets a register by its number in unicorn/x86.h."""
        box = c_uint64(value & _MASK64)
        if not self.in_place:
            lib.uc_context_restore(self._uc, self._context)
        lib.uc_reg_write(self._uc, c_int(number), byref(box))
        if not self.in_place:
            lib.uc_context_save(self._uc, self._context)

    def flags_reader(self) -> tuple[Callable[[], object], memoryview]:
        """A call that computes RFLAGS, and the view whose word 0 then holds it.

        The CPU keeps the arithmetic flags lazily, so they can't be read in place.
        """
        read = libunicorn.raw_reg_read
        flags = partial(read, self._uc, c_int(libunicorn.EFLAGS), pointer(self._eflags))
        return flags, self._eflags_view

    @property
    def eflags(self) -> int:
        """RFLAGS."""
        return self.read_register(libunicorn.EFLAGS)

    @eflags.setter
    def eflags(self, value: int) -> None:
        self.write_register(libunicorn.EFLAGS, value)

    @property
    def fs_base(self) -> int:
        """Base of the FS segment: the thread pointer."""
        return self.read_register(libunicorn.FS_BASE)

    @fs_base.setter
    def fs_base(self, value: int) -> None:
        self.write_register(libunicorn.FS_BASE, value)

    @property
    def gs_base(self) -> int:
        """Base of the GS segment."""
        return self.read_register(libunicorn.GS_BASE)

    @gs_base.setter
    def gs_base(self, value: int) -> None:
        self.write_register(libunicorn.GS_BASE, value)

    def hide_random_instructions(self) -> None:
        """Takes RDRAND and RDSEED away; MachineError where that can't be done."""
        from emukernel.machine.probe import hide_random_instructions

        hide_random_instructions(self)

    def set_tsc_disabled(self, disabled: bool) -> None:
        """CR4.TSD: whether RDTSC faults in ring 3."""
        cr4 = self.read_register(libunicorn.CR4)
        wanted = cr4 | CR4_TSD if disabled else cr4 & ~CR4_TSD
        if wanted != cr4:
            self.write_register(libunicorn.CR4, wanted)

    def save(self) -> bytes:
        """The whole user-visible state (general, segment, x87, SSE, control registers)."""
        return bytes(self._state)

    def restore(self, context: bytes) -> None:
        """Puts back a state that `save` returned."""
        self._state[:] = context

    def reset(self, context: bytes) -> None:
        """Puts back a state that `save` returned, TLB and pending events included."""
        self._state[:] = context
        self._interrupted = False
        if self._gate is not None:
            self._gate.open()
        if self._countdown is not None:
            self._countdown.left[0] = 0
        self._trap = NO_TRAP
        self._refused = b""
        self.failure = None
        if not self.in_place:
            lib.uc_context_restore(self._uc, self._context)
        lib.uc_ctl(self._uc, libunicorn.UC_CTL_TLB_FLUSH)

    def load_page_table(self, table: PageTable) -> None:
        """CR3: switches the address space and drops what the TLB remembers."""
        self.write_register(libunicorn.CR3, table.root)

    def flush_tlb(self) -> None:
        """Drops the TLB: needed after taking a permission or a page away."""
        lib.uc_ctl(self._uc, libunicorn.UC_CTL_TLB_FLUSH)

    def drop_code(self) -> None:
        """Has all translated code dropped before the next instruction.

        Needed when the host changed bytes of a frame that programs execute.
        """
        self._flush_code = True
        lib.uc_emu_stop(self._uc)

    def close(self) -> None:
        """Frees the Unicorn instance; the CPU can't be used any more."""
        uc, self._uc = self._uc, c_void_p()
        if uc:
            lib.uc_context_free(self._context)
            lib.uc_close(uc)
