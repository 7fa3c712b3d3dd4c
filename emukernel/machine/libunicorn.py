"""The few entry points of libunicorn that the machine needs, bound once with raw ctypes.

The stock Python binding costs 5 µs a trap and 45 ms of start-up; these cost 0.2 µs and 10 ms.
The package `unicorn` serves only to find the library. Short calls go through PyDLL, which keeps
the GIL; `uc_emu_start` goes through CDLL so that other host threads can run meanwhile.
"""

from __future__ import annotations

import sys
from ctypes import CDLL, CFUNCTYPE, PyDLL, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from importlib.machinery import PathFinder

UC_ARCH_X86 = 4
UC_MODE_64 = 8
UC_PROT_ALL = 7

UC_ERR_OK = 0
UC_ERR_INSN_INVALID = 10

UC_HOOK_INTR = 1 << 0
UC_HOOK_INSN = 1 << 1
UC_HOOK_CODE = 1 << 2
UC_HOOK_BLOCK = 1 << 3
UC_HOOK_INSN_INVALID = 1 << 14
UC_HOOK_EDGE_GENERATED = 1 << 15

UC_X86_INS_CPUID = 113
UC_X86_INS_IN = 218
UC_X86_INS_OUT = 500
UC_X86_INS_RDTSC = 608
UC_X86_INS_RDTSCP = 609
UC_X86_INS_SYSCALL = 699
UC_X86_INS_SYSENTER = 700

# uc_ctl control words: type | argument count << 26 | direction << 30 (1 write, 2 read).
UC_CTL_TB_REMOVE_CACHE = 9 | 2 << 26 | 1 << 30
UC_CTL_TB_FLUSH = 10 | 1 << 30
UC_CTL_TLB_FLUSH = 11 | 1 << 30

# Register numbers of unicorn/x86.h, general registers in the CPU's own order.
GENERAL = (35, 38, 40, 37, 44, 36, 43, 39, 106, 107, 108, 109, 110, 111, 112, 113)
CS, EFLAGS, RIP, CR0, CR2, CR3, CR4 = 11, 25, 41, 50, 52, 53, 54
GDTR, FPCW, MSR, MXCSR, FS_BASE, GS_BASE = 243, 246, 248, 249, 250, 251
FPSW = 31

TRAP_HOOK = CFUNCTYPE(None, c_void_p, c_uint32)
SYSCALL_HOOK = CFUNCTYPE(None)
INSN_HOOK = CFUNCTYPE(c_int, c_void_p)
INVALID_HOOK = CFUNCTYPE(c_int, c_void_p)
IN_HOOK = CFUNCTYPE(c_uint32, c_void_p, c_uint32, c_int)
OUT_HOOK = CFUNCTYPE(None, c_void_p, c_uint32, c_int, c_uint32)
BLOCK_HOOK = CFUNCTYPE(None, c_void_p, c_uint64, c_uint32, c_void_p)
CODE_HOOK = CFUNCTYPE(None, c_void_p, c_uint64, c_uint32)
EDGE_HOOK = CFUNCTYPE(None, c_void_p, c_void_p, c_void_p)


class MachineError(Exception):
    """The emulated PC can't be set up on this host; the text says what is missing."""


def _library_path() -> str:
    """Where the installed unicorn package keeps its library; it is not imported for that."""
    spec = PathFinder.find_spec("unicorn")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise MachineError("the Python package 'unicorn' (2.1.4 or later) is not installed")
    suffix = {"darwin": "libunicorn.2.dylib", "win32": "unicorn.dll"}.get(
        sys.platform, "libunicorn.so.2"
    )
    return f"{folders[0]}/lib/{suffix}"


try:
    _path = _library_path()
    lib = PyDLL(_path)
    _cdll = CDLL(_path)
except OSError as error:
    raise MachineError(f"libunicorn can't be loaded: {error}") from None

emu_start = _cdll.uc_emu_start
emu_start.argtypes = (c_void_p, c_uint64, c_uint64, c_uint64, c_size_t)
emu_start.restype = c_int

lib.uc_open.argtypes = (c_int, c_int, c_void_p)
lib.uc_close.argtypes = (c_void_p,)
lib.uc_mem_map_ptr.argtypes = (c_void_p, c_uint64, c_uint64, c_uint32, c_void_p)
lib.uc_context_size.argtypes = (c_void_p,)
lib.uc_context_size.restype = c_size_t
lib.uc_emu_stop.argtypes = (c_void_p,)
# Variadic: only the fixed arguments may be named.
lib.uc_hook_add.argtypes = (c_void_p, c_void_p, c_int, c_void_p, c_void_p, c_uint64, c_uint64)
lib.uc_ctl.argtypes = (c_void_p, c_int)

# Without declared argument types ctypes converts nothing: the caller passes ready objects.
raw_reg_read = PyDLL(_path).uc_reg_read
raw_reg_read.restype = None
