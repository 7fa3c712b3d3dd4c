"""Single numbers as text, by kind."""

from __future__ import annotations

from emukernel.strace.call import pointer
from emukernel.strace.names import enum, enum_set, flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

AT_FDCWD = -100
RLIM_INFINITY = 2**64 - 1
S_IFMT = 0o170000
SIGRTMIN = 32
NSIG = 64


def scalar(kind: str, value: int) -> str:
    """A number: `AT_FDCWD` for ("dirfd", -100), `-5` for ("", -5). KeyError for an unknown kind."""
    word, _, names = kind.partition(" ")
    if word == "flags":
        return flags(names, value & 0xFFFFFFFFFFFFFFFF)
    if word == "enum":
        return enum(names, value)
    return _SCALARS[word](value)


def mode(value: int) -> str:
    """Permissions: `0644`, `000`."""
    return f"0{value:o}".zfill(3)


def file_mode(value: int) -> str:
    """A file's type and permissions: `S_IFREG|0644`."""
    type = value & S_IFMT
    names = enum_set("fs.file_type")[1]
    if type not in names:
        return mode(value)
    return f"{names[type]}|{mode(value & 0o7777)}"


def dev(value: int) -> str:
    """`makedev(0x1, 0x3)`: the number as stat(2) has it (32 bits of it in mknod(2))."""
    major = (value >> 8) & 0xFFF | (value >> 32) & 0xFFFFF000
    minor = value & 0xFF | (value >> 12) & 0xFFFFFF00
    return f"makedev({major:#x}, {minor:#x})"


def signal(value: int) -> str:
    """`SIGINT`, `SIGRT_5`; a number that is no signal as it is."""
    names = enum_set("signal.signal")[1]
    if value in names:
        return names[value]
    if value == SIGRTMIN:
        return "SIGRTMIN"
    if SIGRTMIN < value < NSIG + 1:
        return f"SIGRT_{value - SIGRTMIN}"
    return str(value)


def ticks(value: int) -> str:
    """CPU time in hundredths of a second: `932 /* 9.32 s */`."""
    return f"{value} /* {value / 100:.2f} s */" if value else "0"


def _uid(value: int) -> str:
    return "-1" if value == 0xFFFFFFFF else str(value)


def _hexadecimal(value: int) -> str:
    return f"{value & 0xFFFFFFFFFFFFFFFF:#x}" if value else "0"


def _signed32(value: int) -> str:
    return str(((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000)


def _dirfd(value: int) -> str:
    return "AT_FDCWD" if value == AT_FDCWD else _signed32(value)


def _rlimit(value: int) -> str:
    if value == RLIM_INFINITY:
        return "RLIM64_INFINITY"
    if value > 1024 and value % 1024 == 0:
        return f"{value // 1024}*1024"
    return str(value)


_SCALARS: dict[str, Callable[[int], str]] = {
    "": str,
    "pid": str,
    "x": _hexadecimal,
    "address": pointer,
    "fd": _signed32,
    "dirfd": _dirfd,
    "mode": mode,
    "file_mode": file_mode,
    "dev": dev,
    "signal": signal,
    "uid": _uid,
    "rlimit": _rlimit,
    "ticks": ticks,
}
