"""Signals: sets of them, sigaction(2), siginfo."""

from __future__ import annotations

from struct import unpack_from

from emukernel.strace.call import pointer
from emukernel.strace.names import enum, enum_set, flags
from emukernel.strace.scalar import signal, ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

SIGSET_SIZE = 8
NSIG = 64
SA_RESTORER = 0x04000000
SIGINFO_SIZE = 128

SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGCHLD, SIGIO, SIGSYS = 4, 5, 7, 8, 11, 17, 29, 31
SI_USER, SI_QUEUE, SI_TIMER, SI_TKILL = 0, -1, -2, -6
CLD_EXITED = 1

CODES = {
    SIGILL: "signal.sigill",
    SIGTRAP: "signal.sigtrap",
    SIGBUS: "signal.sigbus",
    SIGFPE: "signal.sigfpe",
    SIGSEGV: "signal.sigsegv",
    SIGCHLD: "signal.sigchld",
    SIGIO: "signal.sigpoll",
    SIGSYS: "signal.sigsys",
}
"""The meanings of si_code, by signal."""


def mask(bits: int) -> str:
    """A set of signals: `[INT USR1]`; one that is nearly full by what it lacks: `~[KILL STOP]`."""
    inverted = bits.bit_count() >= NSIG * 2 // 3
    shown = bits ^ ((1 << NSIG) - 1) if inverted else bits
    numbers = [number for number in range(1, NSIG + 1) if shown >> number - 1 & 1]
    names = [signal(number).removeprefix("SIG") for number in numbers]
    return f"{'~' if inverted else ''}[{' '.join(names)}]"


def sigset(call: Call, address: int, size: int | None) -> str | None:
    """A sigset_t, where its size is the kernel's."""
    if size is not None and size != SIGSET_SIZE:
        return None
    bits = call.integer(address, SIGSET_SIZE)
    return None if bits is None else mask(bits)


def sigaction(call: Call, address: int, count: int | None) -> str | None:
    """The kernel's struct sigaction: handler, flags, restorer, mask, 8 bytes each."""
    data = call.read(address, 32)
    if data is None:
        return None
    handler, sa_flags, restorer, bits = unpack_from("<QQQQ", data)
    name = enum_set("signal.handler")[1].get(handler) or pointer(handler)
    text = f"{{sa_handler={name}, sa_mask={mask(bits)}, sa_flags={flags('signal.sa', sa_flags)}"
    if sa_flags & SA_RESTORER:
        text += f", sa_restorer={pointer(restorer)}"
    return text + "}"


def siginfo(call: Call, address: int, count: int | None) -> str | None:
    data = call.read(address, SIGINFO_SIZE)
    return None if data is None else siginfo_text(data)


def siginfo_text(data: bytes) -> str:
    """`{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL}` for the 128 bytes of a siginfo_t."""
    number, errno, code = unpack_from("<iii", data)
    if not number:
        return "{}"
    texts = [f"si_signo={signal(number)}"]
    general = enum_set("signal.si_code")[1].get(code)
    kind = CODES.get(number)
    if general is None and kind is not None:
        texts.append(f"si_code={enum(kind, code)}")
    else:
        texts.append(f"si_code={general or enum('signal.si_code', code)}")
    if errno:
        from emukernel.kernel.errno import name

        texts.append(f"si_errno={name(errno)}")
    return f"{{{', '.join([*texts, *_details(number, code, data)])}}}"


def _details(number: int, code: int, data: bytes) -> list[str]:
    pid, uid = unpack_from("<iI", data, 16)
    sender = [f"si_pid={pid}", f"si_uid={uid}"]
    if code in (SI_USER, SI_TKILL):
        return sender
    if code == SI_TIMER:
        return [f"si_timerid={pid:#x}", f"si_overrun={uid}", *_value(data)]
    if code < 0:
        return sender + _value(data)
    if number == SIGCHLD:
        status, utime, stime = unpack_from("<i4xqq", data, 24)
        shown = str(status) if code == CLD_EXITED else signal(status)
        return [
            *sender,
            f"si_status={shown}",
            f"si_utime={ticks(utime)}",
            f"si_stime={ticks(stime)}",
        ]
    if number in (SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP):
        return [f"si_addr={pointer(unpack_from('<Q', data, 16)[0])}"]
    if number == SIGSYS:
        from emukernel.strace.call import signature

        address, nr, arch = unpack_from("<QiI", data, 16)
        name = signature(nr)[0]
        return [
            f"si_call_addr={pointer(address)}",
            f"si_syscall=__NR_{name}",
            f"si_arch={'AUDIT_ARCH_X86_64' if arch == 0xC000003E else hex(arch)}",
        ]
    if number == SIGIO:
        band, fd = unpack_from("<qi", data, 16)
        return [f"si_band={flags('poll.events', band & 0xFFFFFFFFFFFFFFFF)}", f"si_fd={fd}"]
    return sender + _value(data) if any(data[16:32]) else []


def _value(data: bytes) -> list[str]:
    integer = unpack_from("<i", data, 24)[0]
    return [f"si_int={integer}", f"si_ptr={pointer(unpack_from('<Q', data, 24)[0])}"]
