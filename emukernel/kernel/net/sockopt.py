"""getsockopt(2) and setsockopt(2) at level SOL_SOCKET (Linux: net/core/sock.c, socket(7))."""

from __future__ import annotations

from struct import pack, unpack

from emukernel.kernel.errno import (
    EACCES,
    EDOM,
    EINVAL,
    ENODEV,
    ENOPROTOOPT,
    EOPNOTSUPP,
    EPERM,
    ERANGE,
    Errno,
)
from emukernel.kernel.net.sock import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    BUFFER_DEFAULT,
    LISTEN,
    WRITABLE,
    Sock,
)
from emukernel.kernel.uaccess import copy_from_user, get_user_s32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

SO_DEBUG, SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_DONTROUTE, SO_BROADCAST = 1, 2, 3, 4, 5, 6
SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE, SO_OOBINLINE, SO_NO_CHECK, SO_PRIORITY = 7, 8, 9, 10, 11, 12
SO_LINGER, SO_BSDCOMPAT, SO_REUSEPORT, SO_PASSCRED, SO_PEERCRED = 13, 14, 15, 16, 17
SO_RCVLOWAT, SO_SNDLOWAT, SO_RCVTIMEO, SO_SNDTIMEO = 18, 19, 20, 21
SO_BINDTODEVICE, SO_PEERNAME, SO_TIMESTAMP, SO_ACCEPTCONN = 25, 28, 29, 30
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_PASSSEC, SO_TIMESTAMPNS, SO_MARK = 32, 33, 34, 35, 36
SO_PROTOCOL, SO_DOMAIN, SO_RXQ_OVFL, SO_PEEK_OFF = 38, 39, 40, 42
SO_BUSY_POLL, SO_INCOMING_CPU, SO_COOKIE, SO_PEERGROUPS = 46, 49, 57, 59
SO_RCVTIMEO_NEW, SO_SNDTIMEO_NEW = 66, 67

_FLAGS = {
    SO_DEBUG, SO_REUSEADDR, SO_DONTROUTE, SO_BROADCAST, SO_KEEPALIVE, SO_OOBINLINE, SO_NO_CHECK,
    SO_REUSEPORT, SO_PASSCRED, SO_TIMESTAMP, SO_PASSSEC, SO_TIMESTAMPNS, SO_RXQ_OVFL,
}  # fmt: skip
"""Options that are on or off."""

CAP_NET_ADMIN, CAP_NET_RAW = 12, 13
_MIN_SNDBUF, _MIN_RCVBUF = 4608, 2304
_INT_MAX = 0x7FFFFFFF
_NS = 10**9


def sock_setsockopt(task: Task, sk: Sock, name: int, optval: int, size: int) -> None:
    """Sets an option of SOL_SOCKET from the `size` bytes at the user's `optval`."""
    if name == SO_BINDTODEVICE:
        _bind_to_device(task, optval, size)
        return
    if size < 4:
        raise Errno(EINVAL)
    value = get_user_s32(task, optval)
    if name in _FLAGS:
        _set_flag(task, sk, name, value)
    elif name in (SO_SNDBUF, SO_SNDBUFFORCE, SO_RCVBUF, SO_RCVBUFFORCE):
        _set_buffer(task, sk, name, value)
    elif name == SO_LINGER:
        if size < 8:
            raise Errno(EINVAL)
        on, seconds = unpack("<iI", copy_from_user(task, optval, 8))
        sk.linger = seconds if on else None
    elif name == SO_RCVLOWAT:
        sk.set_rcvlowat(_INT_MAX if value < 0 else value)
    elif name in (SO_RCVTIMEO, SO_SNDTIMEO, SO_RCVTIMEO_NEW, SO_SNDTIMEO_NEW):
        timeout = _read_timeout(task, optval, size)
        if name in (SO_RCVTIMEO, SO_RCVTIMEO_NEW):
            sk.rcvtimeo = timeout
        else:
            sk.sndtimeo = timeout
    elif name == SO_PRIORITY:
        if not 0 <= value <= 6 and not _net_capable(task):
            raise Errno(EPERM)
        sk.flags[name] = value
    elif name == SO_MARK:
        if not _net_capable(task):
            raise Errno(EPERM)
        sk.flags[name] = value
    elif name == SO_PEEK_OFF:
        # Only "not in use" is taken.
        if value >= 0:
            raise Errno(EOPNOTSUPP)
    elif name not in (SO_BSDCOMPAT, SO_INCOMING_CPU, SO_BUSY_POLL):
        raise Errno(ENOPROTOOPT)


def _net_capable(task: Task) -> bool:
    return task.cred.capable(CAP_NET_RAW) or task.cred.capable(CAP_NET_ADMIN)


def _set_flag(task: Task, sk: Sock, name: int, value: int) -> None:
    on = int(value != 0)
    if name == SO_DEBUG and on and not task.cred.capable(CAP_NET_ADMIN):
        raise Errno(EACCES)
    if name == SO_REUSEPORT and on and sk.family not in (AF_INET, AF_INET6):
        raise Errno(EOPNOTSUPP)
    if name in (SO_PASSCRED, SO_PASSSEC) and sk.family != AF_UNIX:
        raise Errno(EOPNOTSUPP)
    if name in (SO_TIMESTAMP, SO_TIMESTAMPNS) and on:
        sk.flags[SO_TIMESTAMP ^ SO_TIMESTAMPNS ^ name] = 0
    sk.set_flag(task, name, on)


def _set_buffer(task: Task, sk: Sock, name: int, value: int) -> None:
    if name in (SO_SNDBUFFORCE, SO_RCVBUFFORCE):
        if not task.cred.capable(CAP_NET_ADMIN):
            raise Errno(EPERM)
        # As far as the machine's memory goes.
        value = min(max(value, 0), sk.net.limit // 4)
    elif not 0 <= value <= BUFFER_DEFAULT:
        value = BUFFER_DEFAULT
    if name in (SO_SNDBUF, SO_SNDBUFFORCE):
        sk.sndbuf = max(value * 2, _MIN_SNDBUF)
        sk.write_queue.wake_up(0, WRITABLE)
    else:
        sk.rcvbuf = max(value * 2, _MIN_RCVBUF)


def _read_timeout(task: Task, optval: int, size: int) -> int | None:
    if size < 16:
        raise Errno(EINVAL)
    seconds, micros = unpack("<qq", copy_from_user(task, optval, 16))
    if not 0 <= micros < 1000000:
        raise Errno(EDOM)
    if seconds < 0:
        return 0
    return seconds * _NS + micros * 1000 or None


def _bind_to_device(task: Task, optval: int, size: int) -> None:
    name = copy_from_user(task, optval, min(size, 15)).partition(b"\0")[0]
    if name not in (b"", b"lo"):
        raise Errno(ENODEV)


def _timeval(timeout: int | None) -> bytes:
    micros = 0 if timeout is None else timeout // 1000
    return pack("<qq", micros // 1000000, micros % 1000000)


def sock_getsockopt(task: Task, sk: Sock, name: int, size: int, optlen: int) -> bytes:
    """The value of an option of SOL_SOCKET. The caller has room for `size` bytes."""
    if name == SO_LINGER:
        return pack("<iI", sk.linger is not None, sk.linger or 0)
    if name in (SO_RCVTIMEO, SO_RCVTIMEO_NEW):
        return _timeval(sk.rcvtimeo)
    if name in (SO_SNDTIMEO, SO_SNDTIMEO_NEW):
        return _timeval(sk.sndtimeo)
    if name == SO_PEERCRED:
        return pack("<3I", *sk.peercred())
    if name == SO_PEERNAME:
        address = sk.getname(2)
        if len(address) < size:
            raise Errno(EINVAL)
        return address
    if name == SO_PEERGROUPS:
        return _peergroups(task, sk, size, optlen)
    if name == SO_BINDTODEVICE:
        return b""
    if name == SO_COOKIE:
        if size < 8:
            raise Errno(EINVAL)
        return pack("<Q", sk.ino)
    return pack("<i", _int_option(sk, name))


def _int_option(sk: Sock, name: int) -> int:
    if name in _FLAGS or name in (SO_PRIORITY, SO_MARK, SO_BUSY_POLL):
        if name in (SO_PASSCRED, SO_PASSSEC) and sk.family != AF_UNIX:
            raise Errno(EOPNOTSUPP)
        return sk.flags.get(name, 0)
    if name == SO_SNDBUF:
        return sk.sndbuf
    if name == SO_RCVBUF:
        return sk.rcvbuf
    if name == SO_TYPE:
        return sk.type
    if name == SO_DOMAIN:
        return sk.family
    if name == SO_PROTOCOL:
        return sk.protocol
    if name == SO_ERROR:
        return sk.sock_error()
    if name == SO_RCVLOWAT:
        return sk.rcvlowat
    if name == SO_SNDLOWAT:
        return 1
    if name == SO_ACCEPTCONN:
        return int(sk.state == LISTEN)
    if name == SO_BSDCOMPAT:
        return 0
    if name == SO_PEEK_OFF:
        return -1
    if name == SO_INCOMING_CPU:
        return 0
    raise Errno(ENOPROTOOPT)


def _peergroups(task: Task, sk: Sock, size: int, optlen: int) -> bytes:
    groups = sk.peergroups()
    needed = len(groups) * 4
    if size < needed:
        from emukernel.kernel.uaccess import put_user_u32

        put_user_u32(task, optlen, needed)
        raise Errno(ERANGE)
    return pack(f"<{len(groups)}I", *groups)
