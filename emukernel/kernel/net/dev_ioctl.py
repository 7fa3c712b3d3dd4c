"""ioctl(2) on network interfaces: there is one, lo (Linux: net/core/dev_ioctl.c, netdevice(7))."""

from __future__ import annotations

from struct import pack, unpack

from emukernel.kernel.errno import EINVAL, ENODEV, ENOTTY, EPERM, Errno
from emukernel.kernel.uaccess import copy_from_user, copy_to_user, put_user_u32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

SIOCGIFNAME, SIOCGIFCONF, SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8910, 0x8912, 0x8913, 0x8914
SIOCGIFADDR, SIOCGIFDSTADDR, SIOCGIFBRDADDR, SIOCGIFNETMASK = 0x8915, 0x8917, 0x8919, 0x891B
SIOCGIFMETRIC, SIOCGIFMTU, SIOCGIFHWADDR, SIOCGIFINDEX = 0x891D, 0x8921, 0x8927, 0x8933
SIOCGIFTXQLEN, SIOCGIFMAP = 0x8942, 0x8970

_SETTERS = {
    SIOCSIFFLAGS, 0x8916, 0x8918, 0x891A, 0x891C, 0x891E, 0x8922, 0x8923, 0x8924, 0x8937, 0x8943,
}  # fmt: skip

_IFREQ_SIZE = 40
_IFNAMSIZ = 16
_LO_INDEX = 1
_LO_FLAGS = 0x49  # IFF_UP | IFF_LOOPBACK | IFF_RUNNING
_LO_MTU = 65536
_LO_TXQLEN = 1000
_ARPHRD_LOOPBACK = 772
_ADDRESS = pack("<H", 2) + bytes(2) + b"\x7f\0\0\x01" + bytes(8)
_NETMASK = pack("<H", 2) + bytes(2) + b"\xff\0\0\0" + bytes(8)
_NO_ADDRESS = pack("<H", 2) + bytes(14)

_ANSWERS = {
    SIOCGIFFLAGS: pack("<H", _LO_FLAGS),
    SIOCGIFADDR: _ADDRESS,
    SIOCGIFDSTADDR: _ADDRESS,
    SIOCGIFBRDADDR: _NO_ADDRESS,
    SIOCGIFNETMASK: _NETMASK,
    SIOCGIFMETRIC: pack("<i", 0),
    SIOCGIFMTU: pack("<i", _LO_MTU),
    SIOCGIFHWADDR: pack("<H", _ARPHRD_LOOPBACK) + bytes(14),
    SIOCGIFINDEX: pack("<i", _LO_INDEX),
    SIOCGIFTXQLEN: pack("<i", _LO_TXQLEN),
    SIOCGIFMAP: bytes(24),
}


def dev_ioctl(task: Task, cmd: int, arg: int) -> None:
    """Answers for lo. Errno: ENODEV for another name, EPERM for changes, ENOTTY."""
    if cmd == SIOCGIFCONF:
        _ifconf(task, arg)
        return
    if cmd == SIOCGIFNAME:
        request = copy_from_user(task, arg, _IFREQ_SIZE)
        if unpack("<i", request[_IFNAMSIZ : _IFNAMSIZ + 4])[0] != _LO_INDEX:
            raise Errno(ENODEV)
        copy_to_user(task, arg, b"lo\0")
        return
    if cmd not in _ANSWERS and cmd not in _SETTERS:
        raise Errno(ENOTTY)
    name = copy_from_user(task, arg, _IFREQ_SIZE)[: _IFNAMSIZ - 1].partition(b"\0")[0]
    if cmd in _SETTERS:
        raise Errno(EPERM)
    if name != b"lo":
        raise Errno(ENODEV)
    copy_to_user(task, arg + _IFNAMSIZ, _ANSWERS[cmd])


def _ifconf(task: Task, arg: int) -> None:
    """struct ifconf: the interfaces that have an address; without a buffer, how much they take."""
    size, buffer = unpack("<i4xQ", copy_from_user(task, arg, 16))
    if size < 0:
        raise Errno(EINVAL)
    used = _IFREQ_SIZE
    if buffer:
        used = 0
        if size >= _IFREQ_SIZE:
            entry = b"lo".ljust(_IFNAMSIZ, b"\0") + _ADDRESS
            copy_to_user(task, buffer, entry.ljust(_IFREQ_SIZE, b"\0"))
            used = _IFREQ_SIZE
    put_user_u32(task, arg, used)
