"""x87 and SSE state of the CPU as FXSAVE64 and FXRSTOR64 see it (Intel SDM vol. 1, 10.5).

The registers are read and written where the CPU keeps them, as `cpu` does with the general ones.
The places are found once for each CPU, by writing known values through Unicorn and looking for
them. Only the two control words are written through Unicorn: it derives rounding modes from them.
"""

from __future__ import annotations

import os
from ctypes import c_int, create_string_buffer
from struct import Struct

from emukernel.machine import libunicorn
from emukernel.machine.libunicorn import MachineError, lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.machine.cpu import Cpu

#: Bytes of an FXSAVE image; the last 48 are left to software.
FXSAVE_SIZE = 512
#: What the CPU implements of MXCSR: FXRSTOR faults on any other bit.
MXCSR_MASK = 0xFFFF

_FCW_INIT, _MXCSR_INIT = 0x37F, 0x1F80

# Unicorn's numbers (unicorn/x86.h).
_FPSW, _FPTAG, _FIP, _FDP, _FOP = 31, 247, 254, 256, 258
_FP0, _FP7, _XMM0, _XMM15 = 82, 89, 122, 137

# FCW FSW FTW FOP FIP FDP MXCSR MXCSR_MASK
_HEADER = Struct("<HHBxHQQII")

_FPREGS_SIZE = 8 * 16
#: The ten bytes of each x87 register that are a value.
_FPREGS_VALUE = int.from_bytes((b"\xff" * 10 + bytes(6)) * 8, "little")
_TOP = 0x3800
_ERROR_SUMMARY = 0x8080
_ALL_EMPTY = b"\1" * 8
_TAGS_EMPTY = int.from_bytes(_ALL_EMPTY, "little")
#: Times eight bytes of 0 or 1, this collects them in the top byte, the first in its bit 0.
_GATHER = 0x0102_0408_1020_4080
_MASK64 = (1 << 64) - 1

# How far the fields lie apart in Unicorn's state: the x87 control fields stand close before the
# registers, MXCSR between them and XMM0.
_BEFORE_FPREGS = 64
_XMM_STRIDE = 64

_INIT_XMM = memoryview(bytes(16 * 8)).cast("Q")


class Fpu:
    """The FPU of one CPU. Offsets are into the CPU's state."""

    __slots__ = (
        "_bytes",
        "_cpu",
        "_fcw",
        "_fop",
        "_fpregs",
        "_fsw",
        "_halfwords",
        "_mxcsr",
        "_pointers",
        "_quads",
        "_tags",
        "_top",
        "_words",
        "_xmm_high",
        "_xmm_low",
    )

    def __init__(self, cpu: Cpu) -> None:
        self._cpu = cpu
        state = cpu._state
        saved = bytes(state)
        fpregs, xmm = _find_registers(cpu)
        low, high = fpregs - _BEFORE_FPREGS, xmm
        fcw = _find(cpu, low, high, libunicorn.FPCW, (0x0B7F, 0x077F), 2, lambda v: v)
        fsw = _find(cpu, low, high, _FPSW, (0x2A45, 0x5D23), 2, lambda v: v & ~_TOP)
        top = _find(cpu, low, high, _FPSW, (0x2A45, 0x1D23), 4, lambda v: (v & _TOP) >> 11)
        tags = _find(cpu, low, high, _FPTAG, (0xFFFF, 0), 8, lambda v: v and _TAGS_EMPTY)
        mxcsr = _find(cpu, low, high, libunicorn.MXCSR, (0x9FA0, 0x7F95), 4, lambda v: v)
        fop = _find(cpu, low, high, _FOP, (0x5AB, 0x234), 2, lambda v: v)
        pointers = [
            _find(cpu, low, high, register, (0x7F12_3456_789A, 0x5512_9876_4321), 8, lambda v: v)
            for register in (_FIP, _FDP)
        ]
        state[:] = saved
        if any(at % 8 for at in (fpregs, xmm, *pointers)):
            raise MachineError("this libunicorn keeps its FPU registers in an unknown way")
        self._bytes = state
        even = state[: len(state) & ~7]
        self._halfwords = even.cast("H")
        self._words = even.cast("I")
        self._quads = even.cast("Q")
        self._fcw, self._fsw, self._fop = fcw >> 1, fsw >> 1, fop >> 1
        self._top, self._mxcsr = top >> 2, mxcsr >> 2
        self._tags = state[tags : tags + 8]
        self._pointers = (pointers[0] >> 3, pointers[1] >> 3)
        self._fpregs = state[fpregs : fpregs + _FPREGS_SIZE]
        first, step = xmm >> 3, _XMM_STRIDE >> 3
        self._xmm_low = self._quads[first : first + 16 * step : step]
        self._xmm_high = self._quads[first + 1 : first + 16 * step : step]

    def save(self) -> bytearray:
        """The image that FXSAVE64 would store; what it leaves alone is zero."""
        halfwords, words, quads = self._halfwords, self._words, self._quads
        image = bytearray(FXSAVE_SIZE)
        top = words[self._top]
        empty = int.from_bytes(self._tags, "little") * _GATHER >> 56 & 0xFF
        fip, fdp = self._pointers
        _HEADER.pack_into(
            image,
            0,
            halfwords[self._fcw],
            halfwords[self._fsw] & ~_TOP | top << 11,
            empty ^ 0xFF,
            halfwords[self._fop],
            quads[fip],
            quads[fdp],
            words[self._mxcsr],
            MXCSR_MASK,
        )
        values = int.from_bytes(self._fpregs, "little") & _FPREGS_VALUE
        if values:
            # The image has the registers in stack order, the CPU by their fixed numbers.
            fixed = values.to_bytes(_FPREGS_SIZE, "little")
            image[32:160] = fixed[top * 16 :] + fixed[: top * 16]
        xmm = memoryview(image)[160:416].cast("Q")
        xmm[::2] = self._xmm_low
        xmm[1::2] = self._xmm_high
        return image

    def load(self, image: bytes | bytearray) -> None:
        """Loads an image as FXRSTOR64. ValueError for MXCSR bits on which that would fault."""
        fcw, fsw, valid, fop, fip, fdp, mxcsr, _mask = _HEADER.unpack_from(image)
        if mxcsr & ~MXCSR_MASK:
            raise ValueError("reserved bits of MXCSR are set")
        top = (fsw & _TOP) >> 11
        fsw &= ~(_TOP | _ERROR_SUMMARY)
        if fsw & ~fcw & 0x3F:
            fsw |= _ERROR_SUMMARY
        quads = self._quads
        self._halfwords[self._fsw] = fsw
        self._halfwords[self._fop] = fop & 0x7FF
        self._words[self._top] = top
        if valid == 0:
            self._tags[:] = _ALL_EMPTY
        else:
            self._tags[:] = bytes([~valid >> i & 1 for i in range(8)])
        quads[self._pointers[0]] = fip
        quads[self._pointers[1]] = fdp
        values = int.from_bytes(image[32:160], "little") & _FPREGS_VALUE
        stack = values.to_bytes(_FPREGS_SIZE, "little")
        split = _FPREGS_SIZE - top * 16
        self._fpregs[:] = stack[split:] + stack[:split]
        xmm = memoryview(image)[160:416].cast("Q")
        self._xmm_low[:] = xmm[::2]
        self._xmm_high[:] = xmm[1::2]
        self._set_control(fcw, mxcsr)

    def reset(self) -> None:
        """The state a program starts with: as after FNINIT, all registers zero, MXCSR 0x1f80."""
        quads = self._quads
        self._halfwords[self._fsw] = self._halfwords[self._fop] = 0
        self._words[self._top] = 0
        self._tags[:] = _ALL_EMPTY
        quads[self._pointers[0]] = quads[self._pointers[1]] = 0
        self._fpregs[:] = bytes(_FPREGS_SIZE)
        self._xmm_low[:] = _INIT_XMM
        self._xmm_high[:] = _INIT_XMM
        self._set_control(_FCW_INIT, _MXCSR_INIT)

    def _set_control(self, fcw: int, mxcsr: int) -> None:
        if self._halfwords[self._fcw] != fcw:
            self._cpu.write_register(libunicorn.FPCW, fcw)
        if self._words[self._mxcsr] != mxcsr:
            self._cpu.write_register(libunicorn.MXCSR, mxcsr)


def fpu_of(cpu: Cpu) -> Fpu:
    """The FPU of a CPU, looked for at the first use."""
    fpu: Fpu | None = cpu.__dict__.get("fpu")
    if fpu is None:
        fpu = cpu.__dict__["fpu"] = Fpu(cpu)
    return fpu


def fxsave(cpu: Cpu) -> bytearray:
    """The CPU's x87 and SSE state as an FXSAVE64 image of 512 bytes."""
    return fpu_of(cpu).save()


def fxrstor(cpu: Cpu, image: bytes | bytearray) -> None:
    """Loads an FXSAVE64 image. ValueError for reserved bits of MXCSR."""
    fpu_of(cpu).load(image)


def fninit_state(cpu: Cpu) -> None:
    """The FPU as a program finds it at its start."""
    fpu_of(cpu).reset()


# -- where Unicorn keeps it ----------------------------------------------------------------------


def _write(cpu: Cpu, register: int, value: bytes) -> None:
    if not cpu.in_place:
        lib.uc_context_restore(cpu._uc, cpu._context)
    lib.uc_reg_write(cpu._uc, c_int(register), create_string_buffer(value, 16))
    if not cpu.in_place:
        lib.uc_context_save(cpu._uc, cpu._context)


def _find_registers(cpu: Cpu) -> tuple[int, int]:
    """Offsets of x87 register 0 and of XMM0, of which the others follow at known distances."""
    places = []
    for register in (_FP0, _FP7, _XMM0, _XMM15):
        mark = os.urandom(16)
        _write(cpu, register, mark)
        places.append(bytes(cpu._state).find(mark[: 8 if register <= _FP7 else 16]))
    fp0, fp7, xmm0, xmm15 = places
    if min(places) < _BEFORE_FPREGS or fp7 - fp0 != 7 * 16 or xmm15 - xmm0 != 15 * _XMM_STRIDE:
        raise MachineError("this libunicorn keeps its FPU registers in an unknown way")
    return fp0, xmm0


def _find(
    cpu: Cpu,
    low: int,
    high: int,
    register: int,
    values: tuple[int, int],
    size: int,
    stored: Callable[[int], int],
) -> int:
    """The only offset in [low, high) at which `stored(value)` appears for each value written."""
    found: set[int] | None = None
    for value in values:
        _write(cpu, register, value.to_bytes(8, "little"))
        window = bytes(cpu._state[low:high])
        pattern = stored(value).to_bytes(size, "little")
        here = set()
        at = window.find(pattern)
        while at >= 0:
            if not (low + at) % min(size, 4):
                here.add(low + at)
            at = window.find(pattern, at + 1)
        found = here if found is None else found & here
    if not found or len(found) != 1:
        raise MachineError("this libunicorn keeps its FPU control registers in an unknown way")
    return found.pop()
