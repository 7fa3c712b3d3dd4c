"""prctl(2) (kernel/sys.c, and where its options belong).

The options are those of Linux 6.1 on x86-64. Those of other architectures, of hardware that the
machine hasn't got, and of parts that the kernel can be built without and here is, are EINVAL.
"""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.cred import (
    CAP_LAST_CAP,
    CAP_SETPCAP,
    CAP_SYS_RESOURCE,
    SECBIT_KEEP_CAPS,
    SECBIT_KEEP_CAPS_LOCKED,
    SECBIT_NO_CAP_AMBIENT_RAISE,
    SECURE_ALL_BITS,
    SECURE_ALL_LOCKS,
    SUID_DUMP_DISABLE,
    SUID_DUMP_USER,
)
from emukernel.kernel.errno import EFAULT, EINVAL, ENODEV, ENXIO, EPERM, ERANGE, Errno
from emukernel.kernel.uaccess import copy_from_user, copy_to_user, put_user_u32, put_user_u64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.task import Task

    Option = Callable[[Task, int, int, int, int], int]

PR_SET_PDEATHSIG = 1
PR_GET_PDEATHSIG = 2
PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
PR_GET_KEEPCAPS = 7
PR_SET_KEEPCAPS = 8
PR_GET_TIMING = 13
PR_SET_TIMING = 14
PR_SET_NAME = 15
PR_GET_NAME = 16
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_GET_TSC = 25
PR_SET_TSC = 26
PR_GET_SECUREBITS = 27
PR_SET_SECUREBITS = 28
PR_SET_TIMERSLACK = 29
PR_GET_TIMERSLACK = 30
PR_TASK_PERF_EVENTS_DISABLE = 31
PR_TASK_PERF_EVENTS_ENABLE = 32
PR_MCE_KILL = 33
PR_MCE_KILL_GET = 34
PR_SET_MM = 35
PR_SET_CHILD_SUBREAPER = 36
PR_GET_CHILD_SUBREAPER = 37
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
PR_GET_TID_ADDRESS = 40
PR_SET_THP_DISABLE = 41
PR_GET_THP_DISABLE = 42
PR_CAP_AMBIENT = 47
PR_GET_SPECULATION_CTRL = 52
PR_SET_SPECULATION_CTRL = 53
PR_SET_IO_FLUSHER = 57
PR_GET_IO_FLUSHER = 58
PR_SET_VMA = 0x53564D41

_NSIG = 64
_COMM_MAX = 15
_PR_TSC_ENABLE, _PR_TSC_SIGSEGV = 1, 2

_PF_MCE_PROCESS = 0x0000_0080
_PF_MCE_EARLY = 0x0000_0100
_PF_IO_FLUSHER = 0x0020_0000 | 0x0004_0000
"""In `task.flags`; the last as PF_MEMALLOC_NOIO and PF_LOCAL_THROTTLE."""

SIGNAL_CHILD_SUBREAPER = 0x0000_0080
"""In `task.signal.flags`: orphans among its descendants become children of this process."""

_MMF_DISABLE_THP = 1 << 24

_MCE_CLEAR, _MCE_SET = 0, 1
_MCE_LATE, _MCE_EARLY, _MCE_DEFAULT = 0, 1, 2

_PR_CAP_AMBIENT_IS_SET, _PR_CAP_AMBIENT_RAISE = 1, 2
_PR_CAP_AMBIENT_LOWER, _PR_CAP_AMBIENT_CLEAR_ALL = 3, 4

_PR_SPEC_STORE_BYPASS, _PR_SPEC_INDIRECT_BRANCH, _PR_SPEC_L1D_FLUSH = 0, 1, 2
_PR_SPEC_ENABLE, _PR_SPEC_DISABLE, _PR_SPEC_FORCE_DISABLE = 2, 4, 8

_MMAP_MIN_ADDR = 65536
_TASK_SIZE = (1 << 47) - 4096
_AT_VECTOR_SIZE = 46 * 8
_MM_AUXV, _MM_EXE_FILE, _MM_MAP, _MM_MAP_SIZE = 12, 13, 14, 15
_MM_FIELDS = (
    "",
    "start_code",
    "end_code",
    "start_data",
    "end_data",
    "start_stack",
    "start_brk",
    "brk",
    "arg_start",
    "arg_end",
    "env_start",
    "env_end",
)
_MM_ORDERED = (
    ("start_code", "end_code"),
    ("start_data", "end_data"),
    ("start_brk", "brk"),
    ("arg_start", "arg_end"),
    ("env_start", "env_end"),
)
_MM_NEEDS_MAPPING = frozenset(("start_stack", "arg_start", "arg_end", "env_start", "env_end"))
_AUXV_ENTRY = Struct("<QQ")


def sys_prctl(task: Task, option: int, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """prctl(2). The options that are the active seccomp surface's come before all others."""
    abi = task.kernel.seccomp_abi
    if option in abi.options:
        return abi.prctl(task.seccomp, task, option, arg2, arg3, arg4, arg5)
    handler = _OPTIONS.get(option)
    if handler is not None:
        return handler(task, arg2, arg3, arg4, arg5)
    if option not in _ABSENT:
        task.kernel.log.once(f"prctl {option}", f"prctl: unknown option {option}: EINVAL")
    raise Errno(EINVAL)


def _require(condition: bool, errno: int = EINVAL) -> None:
    if not condition:
        raise Errno(errno)


# -- the process -----------------------------------------------------------------------------


def _set_pdeathsig(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(arg2 <= _NSIG)
    task.pdeath_signal = arg2
    return 0


def _get_pdeathsig(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    put_user_u32(task, arg2, task.pdeath_signal)
    return 0


def _get_dumpable(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    return task.dumpable


def _set_dumpable(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(arg2 in (SUID_DUMP_DISABLE, SUID_DUMP_USER))
    task.dumpable = arg2
    return 0


def _set_name(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    task.comm = task.read_cstring(arg2, _COMM_MAX)
    return 0


def _get_name(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    copy_to_user(task, arg2, task.comm.ljust(_COMM_MAX + 1, b"\0"))
    return 0


def _set_child_subreaper(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    if arg2:
        task.signal.flags |= SIGNAL_CHILD_SUBREAPER
    else:
        task.signal.flags &= ~SIGNAL_CHILD_SUBREAPER
    return 0


def _get_child_subreaper(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    put_user_u32(task, arg2, int(bool(task.signal.flags & SIGNAL_CHILD_SUBREAPER)))
    return 0


def _get_tid_address(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    put_user_u64(task, arg2, task.clear_child_tid)
    return 0


def _set_io_flusher(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(task.cred.capable(CAP_SYS_RESOURCE), EPERM)
    _require(not (arg3 or arg4 or arg5) and arg2 <= 1)
    if arg2:
        task.flags |= _PF_IO_FLUSHER
    else:
        task.flags &= ~_PF_IO_FLUSHER
    return 0


def _get_io_flusher(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(task.cred.capable(CAP_SYS_RESOURCE), EPERM)
    _require(not (arg2 or arg3 or arg4 or arg5))
    return int(bool(task.flags & _PF_IO_FLUSHER))


# -- privileges ------------------------------------------------------------------------------


def _get_keepcaps(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    return int(bool(task.cred.securebits & SECBIT_KEEP_CAPS))


def _set_securebits(task: Task, bits: int) -> None:
    new = task.cred.copy()
    new.securebits = bits
    task.cred = new


def _set_keepcaps(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    bits = task.cred.securebits
    _require(arg2 <= 1)
    _require(not bits & SECBIT_KEEP_CAPS_LOCKED, EPERM)
    _set_securebits(task, bits | SECBIT_KEEP_CAPS if arg2 else bits & ~SECBIT_KEEP_CAPS)
    return 0


def _prctl_get_securebits(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    return task.cred.securebits


def _prctl_set_securebits(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    old = task.cred.securebits
    locks = old & SECURE_ALL_LOCKS
    allowed = (
        not locks >> 1 & (old ^ arg2)
        and not locks & ~arg2
        and not arg2 & ~(SECURE_ALL_BITS | SECURE_ALL_LOCKS)
        and task.cred.capable(CAP_SETPCAP)
    )
    _require(allowed, EPERM)
    _set_securebits(task, arg2)
    return 0


def _capbset_read(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(arg2 <= CAP_LAST_CAP)
    return task.cred.cap_bset >> arg2 & 1


def _capbset_drop(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(task.cred.capable(CAP_SETPCAP), EPERM)
    _require(arg2 <= CAP_LAST_CAP)
    new = task.cred.copy()
    new.cap_bset &= ~(1 << arg2)
    task.cred = new
    return 0


def _cap_ambient(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    cred = task.cred
    if arg2 == _PR_CAP_AMBIENT_CLEAR_ALL:
        _require(not (arg3 or arg4 or arg5))
        ambient = 0
    else:
        _require(arg3 <= CAP_LAST_CAP and not arg4 and not arg5)
        bit = 1 << arg3
        if arg2 == _PR_CAP_AMBIENT_IS_SET:
            return int(bool(cred.cap_ambient & bit))
        if arg2 == _PR_CAP_AMBIENT_RAISE:
            usable = cred.cap_permitted & cred.cap_inheritable & bit
            _require(bool(usable) and not cred.securebits & SECBIT_NO_CAP_AMBIENT_RAISE, EPERM)
            ambient = cred.cap_ambient | bit
        else:
            _require(arg2 == _PR_CAP_AMBIENT_LOWER)
            ambient = cred.cap_ambient & ~bit
    new = cred.copy()
    new.cap_ambient = ambient
    task.cred = new
    return 0


def _set_no_new_privs(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(arg2 == 1 and not (arg3 or arg4 or arg5))
    task.no_new_privs = True
    return 0


def _get_no_new_privs(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(not (arg2 or arg3 or arg4 or arg5))
    return int(task.no_new_privs)


# -- time and the CPU ------------------------------------------------------------------------


def _get_timing(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    return 0


def _set_timing(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    # PR_TIMING_STATISTICAL is all there ever was.
    _require(arg2 == 0)
    return 0


def _set_timerslack(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    task.timerslack_ns = arg2 or task.timerslack_default
    return 0


def _get_timerslack(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    return task.timerslack_ns


def _get_tsc(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    put_user_u32(task, arg2, _PR_TSC_SIGSEGV if task.tsc_disabled else _PR_TSC_ENABLE)
    return 0


def _set_tsc(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    if arg2 == _PR_TSC_SIGSEGV:
        task.disable_tsc()
        return 0
    _require(arg2 == _PR_TSC_ENABLE)
    task.tsc_disabled = False
    task.kernel.cpu.set_tsc_disabled(False)
    return 0


def _perf_events(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    # No task has performance counters to switch.
    return 0


def _get_speculation_ctrl(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """The emulated CPU doesn't speculate: not affected (0); and it has no L1D to flush."""
    _require(not (arg3 or arg4 or arg5))
    if arg2 in (_PR_SPEC_STORE_BYPASS, _PR_SPEC_INDIRECT_BRANCH):
        return 0
    _require(arg2 == _PR_SPEC_L1D_FLUSH, ENODEV)
    return _PR_SPEC_FORCE_DISABLE


def _set_speculation_ctrl(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(not (arg4 or arg5))
    if arg2 == _PR_SPEC_STORE_BYPASS:
        raise Errno(ENXIO)
    if arg2 == _PR_SPEC_INDIRECT_BRANCH:
        if arg3 == _PR_SPEC_ENABLE:
            return 0
        raise Errno(EPERM if arg3 in (_PR_SPEC_DISABLE, _PR_SPEC_FORCE_DISABLE) else ERANGE)
    raise Errno(EPERM if arg2 == _PR_SPEC_L1D_FLUSH else ENODEV)


# -- memory ----------------------------------------------------------------------------------


def _mce_kill(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(not (arg4 or arg5))
    if arg2 == _MCE_CLEAR:
        _require(not arg3)
        task.flags &= ~_PF_MCE_PROCESS
    else:
        _require(arg2 == _MCE_SET and arg3 in (_MCE_LATE, _MCE_EARLY, _MCE_DEFAULT))
        task.flags &= ~(_PF_MCE_PROCESS | _PF_MCE_EARLY)
        if arg3 != _MCE_DEFAULT:
            task.flags |= _PF_MCE_PROCESS | (_PF_MCE_EARLY if arg3 == _MCE_EARLY else 0)
    return 0


def _mce_kill_get(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(not (arg2 or arg3 or arg4 or arg5))
    if not task.flags & _PF_MCE_PROCESS:
        return _MCE_DEFAULT
    return _MCE_EARLY if task.flags & _PF_MCE_EARLY else _MCE_LATE


def _set_thp_disable(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """Huge pages are an optimisation that there is none of here: the wish is kept."""
    _require(not (arg3 or arg4 or arg5))
    mm = task.mm
    mm.flags = mm.flags | _MMF_DISABLE_THP if arg2 else mm.flags & ~_MMF_DISABLE_THP
    return 0


def _get_thp_disable(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    _require(not (arg2 or arg3 or arg4 or arg5))
    return int(bool(task.mm.flags & _MMF_DISABLE_THP))


def _set_mm(task: Task, option: int, address: int, arg4: int, arg5: int) -> int:
    """Where the parts of the program lie, as /proc/PID/stat reports it. PR_SET_MM_MAP and
    PR_SET_MM_EXE_FILE are refused as by a kernel without checkpoint and restore."""
    _require(not arg5 and (not arg4 or option in (_MM_AUXV, _MM_MAP, _MM_MAP_SIZE)))
    _require(task.cred.capable(CAP_SYS_RESOURCE), EPERM)
    if option == _MM_AUXV:
        return _set_auxv(task, address, arg4)
    _require(_MMAP_MIN_ADDR <= address < _TASK_SIZE and 1 <= option < len(_MM_FIELDS))
    mm = task.mm
    name = _MM_FIELDS[option]
    if name in _MM_NEEDS_MAPPING and mm.find_vma(address) is None:
        raise Errno(EFAULT)
    for low, high in _MM_ORDERED:
        start = address if name == low else getattr(mm, low)
        end = address if name == high else getattr(mm, high)
        _require(start <= end)
    setattr(mm, name, address)
    return 0


def _set_auxv(task: Task, address: int, length: int) -> int:
    """Replaces what /proc/PID/auxv shows; it always ends in AT_NULL."""
    _require(length <= _AT_VECTOR_SIZE)
    data = copy_from_user(task, address, length) if length else b""
    entries = data[: _AT_VECTOR_SIZE - _AUXV_ENTRY.size].ljust(_AT_VECTOR_SIZE, b"\0")
    task.mm.saved_auxv = entries
    return 0


_OPTIONS: dict[int, Option] = {
    PR_SET_PDEATHSIG: _set_pdeathsig,
    PR_GET_PDEATHSIG: _get_pdeathsig,
    PR_GET_DUMPABLE: _get_dumpable,
    PR_SET_DUMPABLE: _set_dumpable,
    PR_GET_KEEPCAPS: _get_keepcaps,
    PR_SET_KEEPCAPS: _set_keepcaps,
    PR_GET_TIMING: _get_timing,
    PR_SET_TIMING: _set_timing,
    PR_SET_NAME: _set_name,
    PR_GET_NAME: _get_name,
    PR_CAPBSET_READ: _capbset_read,
    PR_CAPBSET_DROP: _capbset_drop,
    PR_GET_TSC: _get_tsc,
    PR_SET_TSC: _set_tsc,
    PR_GET_SECUREBITS: _prctl_get_securebits,
    PR_SET_SECUREBITS: _prctl_set_securebits,
    PR_SET_TIMERSLACK: _set_timerslack,
    PR_GET_TIMERSLACK: _get_timerslack,
    PR_TASK_PERF_EVENTS_DISABLE: _perf_events,
    PR_TASK_PERF_EVENTS_ENABLE: _perf_events,
    PR_MCE_KILL: _mce_kill,
    PR_MCE_KILL_GET: _mce_kill_get,
    PR_SET_MM: _set_mm,
    PR_SET_CHILD_SUBREAPER: _set_child_subreaper,
    PR_GET_CHILD_SUBREAPER: _get_child_subreaper,
    PR_SET_NO_NEW_PRIVS: _set_no_new_privs,
    PR_GET_NO_NEW_PRIVS: _get_no_new_privs,
    PR_GET_TID_ADDRESS: _get_tid_address,
    PR_SET_THP_DISABLE: _set_thp_disable,
    PR_GET_THP_DISABLE: _get_thp_disable,
    PR_CAP_AMBIENT: _cap_ambient,
    PR_GET_SPECULATION_CTRL: _get_speculation_ctrl,
    PR_SET_SPECULATION_CTRL: _set_speculation_ctrl,
    PR_SET_IO_FLUSHER: _set_io_flusher,
    PR_GET_IO_FLUSHER: _get_io_flusher,
}

_ABSENT = frozenset(
    (
        *(5, 6),  # unaligned access: ia64, PA-RISC, Alpha
        *(9, 10, 11, 12),  # floating-point emulation and exceptions: ia64, PowerPC
        *(19, 20),  # endianness: PowerPC
        *(43, 44),  # MPX, which Linux has dropped
        *(45, 46),  # floating-point mode: MIPS
        *(50, 51),  # SVE: arm64
        54,  # pointer authentication: arm64
        *(55, 56),  # tagged addresses: arm64
        59,  # syscall user dispatch
        *(60, 61),  # pointer authentication: arm64
        62,  # core scheduling
        *(63, 64),  # SME: arm64
        PR_SET_VMA,  # names of anonymous areas
    )
)
"""Options of 6.1 that are EINVAL on such a machine, with no word about it in the log."""
