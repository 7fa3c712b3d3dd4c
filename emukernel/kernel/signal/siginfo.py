"""What a signal carries (struct kernel_siginfo) and how user space sees it (siginfo_t, 128 bytes).

Three numbers that every signal has are attributes. The union behind them, 32 bytes from offset 16,
is kept as it lies in memory: its layout follows from number and code, and a program may send
bytes of its own (rt_sigqueueinfo). A SigInfo is never changed.
"""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.errno import E2BIG, Errno
from emukernel.kernel.signal.numbers import (
    NSIG,
    SI_ASYNCNL,
    SI_DETHREAD,
    SI_KERNEL,
    SI_USER,
    SIGBUS,
    SIGCHLD,
    SIGFPE,
    SIGILL,
    SIGIO,
    SIGSEGV,
    SIGSYS,
    SIGTRAP,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.task import Task

SIGINFO_SIZE = 128
_FIELDS_SIZE = 32
_KERNEL_SIZE = 16 + _FIELDS_SIZE
_EMPTY = bytes(_FIELDS_SIZE)

_HEAD = Struct("<iii")
_USER = Struct("<iI24x")  # si_pid si_uid
_FAULT = Struct("<Q24x")  # si_addr
_SYS = Struct("<QiI16x")  # si_call_addr si_syscall si_arch
_CHILD = Struct("<iIi4xQQ")  # si_pid si_uid si_status si_utime si_stime
_VALUE = Struct("<iIQ16x")  # si_pid si_uid, or si_tid si_overrun; si_value
_POLL = Struct("<qi20x")  # si_band si_fd

# The highest code of each signal that the kernel itself gives (siginfo.h: NSIGILL and so on).
_KERNEL_CODES = {
    SIGILL: 11,
    SIGFPE: 15,
    SIGSEGV: 10,
    SIGBUS: 5,
    SIGTRAP: 6,
    SIGCHLD: 6,
    SIGIO: 6,
    SIGSYS: 2,
}
_KERNEL_CODES_OTHER = 6  # POLL_*, with any signal that F_SETSIG chose


class SigInfo:
    """One signal on its way. Fields of the union that the signal has not read as 0."""

    __slots__ = ("code", "errno", "fields", "signo")

    timer: Any = None
    """The timer whose signal it is (kernel/time/posix_timers: TimerSignal)."""

    def __init__(self, signo: int, code: int, fields: bytes = _EMPTY, errno: int = 0) -> None:
        self.signo = signo
        self.errno = errno
        self.code = code
        self.fields = fields

    @property
    def pid(self) -> int:
        """si_pid: the sender, or the child (kill, sigqueue, SIGCHLD)."""
        value: int = _USER.unpack(self.fields)[0]
        return value

    @property
    def uid(self) -> int:
        """si_uid: the sender's or the child's real user."""
        value: int = _USER.unpack(self.fields)[1]
        return value

    @property
    def status(self) -> int:
        """si_status of SIGCHLD: an exit status or a signal."""
        value: int = _CHILD.unpack(self.fields)[2]
        return value

    @property
    def addr(self) -> int:
        """si_addr of a fault."""
        value: int = _FAULT.unpack(self.fields)[0]
        return value

    @property
    def value(self) -> int:
        """si_value of sigqueue, timers and message queues, as 64 bits."""
        value: int = _VALUE.unpack(self.fields)[2]
        return value

    def is_from_user(self) -> bool:
        """Whether a process sent it, so that permissions count."""
        return self.code <= 0

    def pack(self) -> bytes:
        """The 128 bytes of a siginfo_t."""
        return (_HEAD.pack(self.signo, self.errno, self.code) + b"\0\0\0\0" + self.fields).ljust(
            SIGINFO_SIZE, b"\0"
        )


def user_info(task: Task, sig: int, code: int = SI_USER) -> SigInfo:
    """Sent by `task` with kill(2), or tkill(2) with SI_TKILL."""
    return SigInfo(sig, code, _USER.pack(task.tgid, task.cred.uid))


def kernel_info(sig: int) -> SigInfo:
    """Sent by the kernel for no reason that has a code of its own."""
    return SigInfo(sig, SI_KERNEL)


def fault_info(sig: int, code: int, addr: int) -> SigInfo:
    """A fault at `addr`."""
    return SigInfo(sig, code, _FAULT.pack(addr & (1 << 64) - 1))


def seccomp_info(code: int, errno: int, call_addr: int, syscall: int, arch: int) -> SigInfo:
    """SIGSYS for a refused call."""
    return SigInfo(SIGSYS, code, _SYS.pack(call_addr, syscall, arch), errno)


def child_info(pid: int, uid: int, code: int, status: int, utime: int, stime: int) -> SigInfo:
    """SIGCHLD; times in clock ticks (1/100 s)."""
    return SigInfo(SIGCHLD, code, _CHILD.pack(pid, uid, status, utime, stime))


def value_info(sig: int, code: int, first: int, second: int, value: int) -> SigInfo:
    """With a value: sender and user (SI_QUEUE, SI_MESGQ), or timer id and overrun (SI_TIMER)."""
    return SigInfo(sig, code, _VALUE.pack(first, second, value & (1 << 64) - 1))


def poll_info(sig: int, code: int, band: int, fd: int) -> SigInfo:
    """SIGIO or its substitute: a descriptor became ready."""
    return SigInfo(sig, code, _POLL.pack(band, fd))


def copy_siginfo_from_user(task: Task, sig: int, address: int) -> SigInfo:
    """A siginfo_t that a program hands over; its si_signo is replaced by `sig`.

    EFAULT; E2BIG where bytes are set that the kernel would not carry along.
    """
    from emukernel.kernel.uaccess import copy_from_user

    data = copy_from_user(task, address, _KERNEL_SIZE)
    _signo, errno, code = _HEAD.unpack_from(data)
    if not _known_layout(sig, code):
        rest = copy_from_user(task, address + _KERNEL_SIZE, SIGINFO_SIZE - _KERNEL_SIZE)
        if any(rest):
            raise Errno(E2BIG)
    return SigInfo(sig, code, data[16:], errno)


def _known_layout(sig: int, code: int) -> bool:
    """Whether the kernel knows which union member the pair has (known_siginfo_layout)."""
    if code == SI_KERNEL:
        return True
    if code > SI_USER:
        if sig in _KERNEL_CODES:
            return code <= _KERNEL_CODES[sig]
        return sig <= NSIG and code <= _KERNEL_CODES_OTHER
    return code >= SI_DETHREAD or code == SI_ASYNCNL
