"""open(2) and its relatives."""

from __future__ import annotations

from emukernel.strace.names import flags as flag_names
from emukernel.strace.names import more_flags
from emukernel.strace.scalar import mode as mode_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

O_ACCMODE = 3
O_CREAT = 0o100
O_TMPFILE_BIT = 0o20000000
ACCESS_MODES = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")


def open_flags(value: int) -> str:
    """`O_WRONLY|O_CREAT`: the access mode, which is no bit, and the flags."""
    rest = value & ~O_ACCMODE
    access = ACCESS_MODES[value & O_ACCMODE]
    if not rest:
        return access
    return f"{access}|{more_flags('fs.open', rest)}"


def makes_file(value: int) -> bool:
    """Do these flags make the call look at its mode?"""
    return bool(value & (O_CREAT | O_TMPFILE_BIT))


def flags(call: Call, i: int) -> str:
    return open_flags(call.value(i) & 0xFFFFFFFF)


def mode(call: Call, i: int) -> str:
    """The mode, which the call looks at only where it makes a file; the flags stand before it."""
    return mode_text(call.value(i)) if makes_file(call.value(i - 1)) else ""


def how(call: Call, address: int, size: int | None) -> str | None:
    """struct open_how of openat2(2)."""
    data = call.read(address, 24) if size is None or size >= 24 else None
    if data is None:
        return None
    flags, mode, resolve = (int.from_bytes(data[at : at + 8], "little") for at in (0, 8, 16))
    texts = [f"flags={open_flags(flags)}"]
    if mode or makes_file(flags):
        texts.append(f"mode={mode_text(mode)}")
    texts.append(f"resolve={flag_names('fs.resolve', resolve)}")
    return f"{{{', '.join(texts)}}}"
