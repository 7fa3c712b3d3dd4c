"""stat(2), statx(2) and device numbers."""

from __future__ import annotations

from struct import unpack_from

from emukernel.strace.names import flags, more_flags
from emukernel.strace.scalar import S_IFMT, dev, file_mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

S_IFCHR = 0o020000
S_IFBLK = 0o060000
SYNC_TYPES = {
    0: "AT_STATX_SYNC_AS_STAT",
    0x2000: "AT_STATX_FORCE_SYNC",
    0x4000: "AT_STATX_DONT_SYNC",
    0x6000: "AT_STATX_FORCE_SYNC|AT_STATX_DONT_SYNC",
}


def is_device(mode: int) -> bool:
    return mode & S_IFMT in (S_IFCHR, S_IFBLK)


def stat(call: Call, address: int, count: int | None) -> str | None:
    """struct stat (asm/stat.h): the mode, and the size or the device."""
    data = call.read(address, 144)
    if data is None:
        return None
    mode = unpack_from("<I", data, 24)[0]
    rdev, size = unpack_from("<Qq", data, 40)
    rest = f"st_rdev={dev(rdev)}" if is_device(mode) else f"st_size={size}"
    return f"{{st_mode={file_mode(mode)}, {rest}, ...}}"


def statx(call: Call, address: int, count: int | None) -> str | None:
    """struct statx (linux/stat.h)."""
    data = call.read(address, 256)
    if data is None:
        return None
    mask, _, attributes = unpack_from("<IIQ", data)
    mode = unpack_from("<H", data, 28)[0]
    size = unpack_from("<Q", data, 40)[0]
    return (
        f"{{stx_mask={flags('fs.statx', mask)}, stx_attributes={flags('fs.statx_attr', attributes)}"
        f", stx_mode={file_mode(mode)}, stx_size={size}, ...}}"
    )


def statx_flags(call: Call, i: int) -> str:
    """What statx(2) is to be in step with, and the AT_ flags."""
    value = call.value(i)
    sync = SYNC_TYPES[value & 0x6000]
    rest = value & ~0x6000
    return f"{sync}|{more_flags('fs.at', rest)}" if rest else sync


def mknod_dev(call: Call, i: int) -> str:
    """mknod(2)'s device, which it looks at for devices only; the mode stands before it."""
    return dev(call.value(i)) if is_device(call.value(i - 1)) else ""
