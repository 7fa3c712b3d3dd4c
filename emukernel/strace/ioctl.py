"""ioctl(2): the names of requests, and the arguments of those to terminals and plain files."""

from __future__ import annotations

from struct import unpack_from

from emukernel.strace.kinds import decode_as
from emukernel.strace.names import enum, enum_set, flags, more_flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

ARGUMENTS = {
    "TCGETS": "out ioctl.termios",
    "TCSETS": "in ioctl.termios",
    "TCSETSW": "in ioctl.termios",
    "TCSETSF": "in ioctl.termios",
    "TCGETS2": "out ioctl.termios",
    "TCSETS2": "in ioctl.termios",
    "TCSETSW2": "in ioctl.termios",
    "TCSETSF2": "in ioctl.termios",
    "TCGETA": "out ioctl.termio",
    "TCSETA": "in ioctl.termio",
    "TCSETAW": "in ioctl.termio",
    "TCSETAF": "in ioctl.termio",
    "TCSBRK": "fd",
    "TCSBRKP": "fd",
    "TCXONC": "enum tty.flow",
    "TCFLSH": "enum tty.flush",
    "TIOCEXCL": "omitted",
    "TIOCNXCL": "omitted",
    "TIOCSCTTY": "fd",
    "TIOCNOTTY": "omitted",
    "TIOCGPGRP": "out int",
    "TIOCSPGRP": "in int",
    "TIOCGSID": "out int",
    "TIOCOUTQ": "out int",
    "TIOCSTI": "in bytes[1]",
    "TIOCGWINSZ": "out winsize",
    "TIOCSWINSZ": "in winsize",
    "TIOCGETD": "out int",
    "TIOCSETD": "in int",
    "TIOCPKT": "in int",
    "TIOCGPKT": "out int",
    "TIOCGPTN": "out int",
    "TIOCSPTLCK": "in int",
    "TIOCGPTLCK": "out int",
    "TIOCGEXCL": "out int",
    "TIOCGDEV": "out int",
    "TIOCSSOFTCAR": "in int",
    "TIOCGSOFTCAR": "out int",
    "TIOCCONS": "omitted",
    "TIOCSBRK": "omitted",
    "TIOCCBRK": "omitted",
    "TIOCVHANGUP": "omitted",
    "FIONREAD": "out int",
    "FIONBIO": "in int",
    "FIOASYNC": "in int",
    "FIOCLEX": "omitted",
    "FIONCLEX": "omitted",
    "FICLONE": "fd",
    "FIGETBSZ": "out int",
    "BLKGETSIZE64": "out unsigned long",
    "RNDGETENTCNT": "out int",
}
"""The kind of the third argument, by request."""

DIRECTIONS = ("_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE")
TERMIO_SIZE, TERMIOS_SIZE = 18, 36
CBAUD = 0x100F
CSIZE = 0x30
DELAYS = (
    ("tty.nldly", 0x100),
    ("tty.crdly", 0x600),
    ("tty.tabdly", 0x1800),
    ("tty.bsdly", 0x2000),
    ("tty.vtdly", 0x4000),
    ("tty.ffdly", 0x8000),
)


def cmd(call: Call, i: int) -> str:
    """The request's name, or how it is put together (linux/ioctl.h)."""
    value = call.value(i)
    name = enum_set("tty.ioctl")[1].get(value)
    if name:
        return name
    type, number, size = value >> 8 & 0xFF, value & 0xFF, value >> 16 & 0x3FFF
    parts = (DIRECTIONS[value >> 30], _hex(type), _hex(number), _hex(size))
    return f"_IOC({', '.join(parts)})"


def _hex(value: int) -> str:
    return f"{value:#x}" if value else "0"


def arg(call: Call, i: int) -> str | None:
    name = enum_set("tty.ioctl")[1].get(call.value(1), "")
    return decode_as(call, i, ARGUMENTS.get(name, "x"))


def termios(call: Call, address: int, count: int | None) -> str | None:
    """The kernel's struct termios; the control characters are left out."""
    data = call.read(address, TERMIOS_SIZE)
    return None if data is None else _modes(*unpack_from("<4I", data))


def termio(call: Call, address: int, count: int | None) -> str | None:
    """The older struct termio, with 16 bits for each set of modes."""
    data = call.read(address, TERMIO_SIZE)
    return None if data is None else _modes(*unpack_from("<4H", data))


def _modes(iflag: int, oflag: int, cflag: int, lflag: int) -> str:
    output = [enum(name, oflag & bits) for name, bits in DELAYS]
    output += _rest("tty.oflag", oflag & ~sum(bits for _, bits in DELAYS))
    control = [enum("tty.baud", cflag & CBAUD), enum("tty.size", cflag & CSIZE)]
    control += _rest("tty.cflag", cflag & ~(CBAUD | CSIZE))
    return (
        f"{{c_iflag={flags('tty.iflag', iflag)}, c_oflag={'|'.join(output)}, "
        f"c_cflag={'|'.join(control)}, c_lflag={flags('tty.lflag', lflag)}, ...}}"
    )


def _rest(name: str, bits: int) -> list[str]:
    return [more_flags(name, bits)] if bits else []
