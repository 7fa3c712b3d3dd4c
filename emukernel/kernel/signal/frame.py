"""The frame of a signal handler and the way back (arch/x86/kernel/signal_64.c, fpu/signal.c).

From the stack pointer at the handler's start upwards:

    pretcode       8  the restorer's address: where the handler's `ret` goes
    ucontext     304  flags, link, alternate stack, registers (struct sigcontext), mask
    siginfo      128  filled in for SA_SIGINFO
    padding
    FP state     580  64-byte aligned: an FXSAVE image, the header of XSAVE, a magic number

The FP state is as XSAVE leaves it on a CPU with the x87 and SSE components only.
"""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.entry import NewImage
from emukernel.kernel.errno import EFAULT, Errno
from emukernel.kernel.signal.altstack import (
    on_sig_stack,
    restore_altstack,
    sas_ss_flags,
    within_altstack,
)
from emukernel.kernel.signal.mask import set_current_blocked
from emukernel.kernel.signal.numbers import (
    SA_ONSTACK,
    SA_RESTORER,
    SA_SIGINFO,
    SIGSEGV,
    SIGTRAP,
    SYNCHRONOUS_MASK,
)
from emukernel.kernel.uaccess import copy_from_user, copy_to_user, get_user_u32
from emukernel.machine.fpu import FXSAVE_SIZE, MXCSR_MASK, fpu_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.signal.siginfo import SigInfo
    from emukernel.kernel.signal.structs import Action
    from emukernel.kernel.task import Task
    from emukernel.machine.cpu import Cpu

_RAX, _RCX, _RDX, _RBX, _RSP, _RBP, _RSI, _RDI, _R8 = range(9)
_RIP = 16
_MASK64 = (1 << 64) - 1
_RED_ZONE = 128

UC_FP_XSTATE = 1
UC_SIGCONTEXT_SS = 2
UC_STRICT_RESTORE_SS = 4
_UC_FLAGS = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS

USER_CS, USER_SS = 0x33, 0x2B

_CF, _PF, _AF, _ZF, _SF, _TF, _DF, _OF = 0x1, 0x4, 0x10, 0x40, 0x80, 0x100, 0x400, 0x800
_RF, _AC = 0x10000, 0x40000
#: What rt_sigreturn takes from the frame. Linux takes RF too: it holds off a breakpoint of the
#: debug registers for one instruction, and there are none here.
_FIX_EFLAGS = _CF | _PF | _AF | _ZF | _SF | _TF | _DF | _OF | _AC

# pretcode; uc_flags uc_link; ss_sp ss_flags ss_size; r8-r15 di si bp bx dx ax cx sp ip; flags;
# cs gs fs ss; err trapno oldmask cr2 fpstate; reserved; uc_sigmask
_FRAME = Struct("<QQQQI4xQ17QQ4H5Q64xQ")
_UCONTEXT_AT = 8
_SIGINFO_AT = 312
_FRAME_SIZE = 440

# struct _fpx_sw_bytes: magic extended_size xfeatures xstate_size
_SW_BYTES = Struct("<IIQI28x")
_SW_AT = 464
_MAGIC1, _MAGIC2 = 0x4650_5853, 0x4650_5845
_XFEATURE_FP, _XFEATURE_SSE = 1, 2
_XFEATURES = _XFEATURE_FP | _XFEATURE_SSE
_XSAVE_HEADER = Struct("<QQQ40x")
_XSTATE_SIZE = FXSAVE_SIZE + _XSAVE_HEADER.size
_FPSTATE_SIZE = _XSTATE_SIZE + 4
_FPSTATE_ALIGN = 64

_SW = _SW_BYTES.pack(_MAGIC1, _FPSTATE_SIZE, _XFEATURES, _XSTATE_SIZE)
_SW_AND_TAIL = _SW + _XSAVE_HEADER.pack(_XFEATURES, 0, 0) + _MAGIC2.to_bytes(4, "little")
#: The register file of the CPU.
_REGISTERS = Struct("<17Q")

#: AT_MINSIGSTKSZ: the most that a frame takes, paddings included. Linux counts the ucontext twice
#: and always the FSAVE image of 32-bit programs (112 bytes): 3376 where the FP state has 2432.
MINSIGSTKSZ = (_FRAME_SIZE + 304 + 15 + _FPSTATE_SIZE + 112 + 63 + 15) & -16


def setup_rt_frame(task: Task, info: SigInfo, action: Action) -> None:
    """Writes the frame and sets the registers for the handler. Errno: it can't be written."""
    handler, flags, restorer, _mask = action
    cpu = task.kernel.cpu
    regs = cpu.regs
    if not flags & SA_RESTORER:
        raise Errno(EFAULT)
    registers = regs.tolist()
    sp = registers[_RSP]
    frame, fpstate = _get_sigframe(task, sp, flags)
    eflags = saved_eflags = cpu.eflags
    sig = info.signo
    if (
        task.orig_rax < 0
        and info.code > 0
        and sig != SIGTRAP
        and SYNCHRONOUS_MASK >> (sig - 1) & 1
    ):
        # A fault: the CPU sets RF in the flags that it pushes.
        saved_eflags |= _RF

    fpu = fpu_of(cpu)
    state = fpu.save()
    state[_SW_AT:] = _SW_AND_TAIL
    copy_to_user(task, fpstate, state)

    stack, size, stack_flags = task.altstack
    mask = task.blocked if task.saved_sigmask is None else task.saved_sigmask
    image = _FRAME.pack(
        restorer, _UC_FLAGS, 0,
        stack, stack_flags, size,
        *registers[_R8:_RIP],
        registers[_RDI], registers[_RSI], registers[_RBP], registers[_RBX], registers[_RDX],
        registers[_RAX], registers[_RCX], sp, registers[_RIP],
        saved_eflags, USER_CS, 0, 0, USER_SS,
        task.error_code, task.trap_nr, mask, task.cr2, fpstate,
        mask,
    )  # fmt: skip
    if flags & SA_SIGINFO:
        image += info.pack()
    copy_to_user(task, frame, image)

    regs[_RDI] = sig
    regs[_RAX] = 0
    regs[_RSI] = frame + _SIGINFO_AT
    regs[_RDX] = frame + _UCONTEXT_AT
    regs[_RIP] = handler
    regs[_RSP] = frame
    clean = eflags & ~(_DF | _RF | _TF)
    if clean != eflags:
        cpu.eflags = clean
    fpu.reset()


def _get_sigframe(task: Task, sp: int, flags: int) -> tuple[int, int]:
    """Addresses of the frame and of the FP state. EFAULT where the alternate stack overflows."""
    bounded = on_sig_stack(task, sp)
    sp -= _RED_ZONE
    if flags & SA_ONSTACK and sas_ss_flags(task, sp) == 0:
        start, size, _flags = task.altstack
        sp = start + size
        bounded = True
    fpstate = (sp - _FPSTATE_SIZE) & -_FPSTATE_ALIGN & _MASK64
    # As if a call had just pushed its return address: 8 modulo 16.
    frame = ((fpstate - _FRAME_SIZE & -16) - 8) & _MASK64
    if bounded and not within_altstack(task, frame):
        task.kernel.log.printk(
            f"{task.comm.decode('latin-1')}[{task.pid}] overflowed sigaltstack"
        )
        raise Errno(EFAULT)
    return frame, fpstate


# -- rt_sigreturn --------------------------------------------------------------------------------


def sys_rt_sigreturn(task: Task) -> int:
    """rt_sigreturn(2): everything back as the frame has it. Raises NewImage: all registers are
    set. A frame that is not there or makes no sense is SIGSEGV."""
    cpu = task.kernel.cpu
    regs = cpu.regs
    ip, sp, nr = regs[_RIP], regs[_RSP], task.orig_rax
    frame = (sp - 8) & _MASK64
    try:
        _restore(task, frame, sp)
    except (Errno, ValueError):
        from emukernel.kernel.signal.send import force_sig

        task.kernel.log.printk(
            f"{task.comm.decode('latin-1')}[{task.pid}] bad frame in rt_sigreturn "
            f"frame:{frame:016x} ip:{ip:x} sp:{sp:x} orax:{nr:x}"
        )
        regs[_RAX] = 0
        force_sig(task, SIGSEGV)
    raise NewImage


def _restore(task: Task, frame: int, sp: int) -> None:
    """What the frame says. Errno(EFAULT) or ValueError: it can't be, or only in part."""
    cpu = task.kernel.cpu
    (
        _pretcode, uc_flags, _link, stack, stack_flags, stack_size,
        r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, new_sp, ip, eflags,
        cs, _gs, _fs, ss, _err, _trapno, _oldmask, _cr2, fpstate, mask,
    ) = _FRAME.unpack(copy_from_user(task, frame, _FRAME.size))  # fmt: skip
    set_current_blocked(task, mask)
    restore_altstack(task, stack, stack_size, stack_flags, sp)

    # A call interrupted by the handler can't go on where it was.
    task.restart_block = None
    task.orig_rax = -1
    _REGISTERS.pack_into(
        cpu.regs, 0,
        ax, cx, dx, bx, new_sp, bp, si, di, r8, r9, r10, r11, r12, r13, r14, r15, ip,
    )  # fmt: skip
    old = cpu.eflags
    new = old & ~_FIX_EFLAGS | eflags & _FIX_EFLAGS
    if new != old:
        cpu.eflags = new
    _restore_fpstate(task, cpu, fpstate)
    if not uc_flags & UC_STRICT_RESTORE_SS:
        ss = USER_SS
    if cs | 3 != USER_CS or ss | 3 != USER_SS:
        # The return to such a segment faults. (To 32-bit code it would not; there is none here.)
        from emukernel.kernel.signal.send import force_sig

        force_sig(task, SIGSEGV)


def _restore_fpstate(task: Task, cpu: Cpu, address: int) -> None:
    """The FP state at `address`; the initial one for 0, and (with an error) for one that is bad."""
    fpu = fpu_of(cpu)
    if not address:
        fpu.reset()
        return
    try:
        fpu.load(_fpstate_image(task, address))
    except (Errno, ValueError):
        fpu.reset()
        raise


def _fpstate_image(task: Task, address: int) -> bytes:
    """The FXSAVE image to load. Errno(EFAULT), or ValueError where XRSTOR would fault.

    Without both magic numbers it is a bare FXSAVE image. With them, a component that the header
    or the software bytes leave out takes its initial state.
    """
    try:
        state = copy_from_user(task, address, _FPSTATE_SIZE)
    except Errno:
        state = copy_from_user(task, address, FXSAVE_SIZE)
    if state[_SW_AT:] == _SW_AND_TAIL:
        return state
    magic, _extended, wanted, size = _SW_BYTES.unpack_from(state, _SW_AT)
    if magic != _MAGIC1 or get_user_u32(task, address + size) != _MAGIC2:
        return state
    present, compacted, reserved = _XSAVE_HEADER.unpack_from(state.ljust(_XSTATE_SIZE), FXSAVE_SIZE)
    if present & ~_XFEATURES or compacted or reserved:
        raise ValueError("an XSAVE header with bits that the CPU has not")
    return _with_components(state, wanted, present)


def _with_components(image: bytes, wanted: int, present: int) -> bytes:
    """The image with the components that are not in both sets in their initial state.

    MXCSR comes from the image whenever SSE is wanted, present or not.
    """
    mxcsr = int.from_bytes(image[24:28], "little")
    if wanted & _XFEATURE_SSE and mxcsr & ~MXCSR_MASK:
        raise ValueError("reserved bits of MXCSR are set")
    both = wanted & present
    if both & _XFEATURES == _XFEATURES:
        return image
    made = bytearray(image)
    if not both & _XFEATURE_FP:
        made[0:24] = b"\x7f\x03" + bytes(22)
        made[32:160] = bytes(128)
    if not both & _XFEATURE_SSE:
        made[160:416] = bytes(256)
        if not wanted & _XFEATURE_SSE:
            made[24:28] = b"\x80\x1f\0\0"
    return bytes(made)
