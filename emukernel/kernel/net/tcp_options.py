"""getsockopt(2) and setsockopt(2) at level IPPROTO_TCP (Linux: net/ipv4/tcp.c, tcp(7))."""

from __future__ import annotations

from struct import pack

from emukernel.kernel.errno import EINVAL, ENOENT, ENOPROTOOPT, Errno
from emukernel.kernel.net.sock import CLOSE, LISTEN
from emukernel.kernel.uaccess import copy_from_user, get_user_s32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.net.tcp import TcpSock
    from emukernel.kernel.task import Task

IPPROTO_TCP = 6
TCP_NODELAY, TCP_MAXSEG, TCP_CORK, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT = 1, 2, 3, 4, 5, 6
TCP_SYNCNT, TCP_LINGER2, TCP_DEFER_ACCEPT, TCP_WINDOW_CLAMP = 7, 8, 9, 10
TCP_INFO, TCP_QUICKACK, TCP_CONGESTION, TCP_USER_TIMEOUT = 11, 12, 13, 18
TCP_FASTOPEN, TCP_NOTSENT_LOWAT = 23, 25

# name -> (default, least, greatest); None: on or off.
_OPTIONS: dict[int, tuple[int, int, int] | None] = {
    TCP_NODELAY: None,
    TCP_CORK: None,
    TCP_KEEPIDLE: (7200, 1, 32767),
    TCP_KEEPINTVL: (75, 1, 32767),
    TCP_KEEPCNT: (9, 1, 127),
    TCP_SYNCNT: (6, 1, 127),
    TCP_LINGER2: (60, -0x80000000, 0x7FFFFFFF),
    TCP_DEFER_ACCEPT: (0, 0, 0x7FFFFFFF),
    TCP_WINDOW_CLAMP: (0, 0, 0x7FFFFFFF),
    TCP_USER_TIMEOUT: (0, 0, 0x7FFFFFFF),
    TCP_NOTSENT_LOWAT: (-1, -0x80000000, 0x7FFFFFFF),
}
_CONGESTION = b"cubic"
_MSS_DEFAULT, _MSS_LOOPBACK, _MSS_LOOPBACK6 = 536, 65483, 65463
_INFO_SIZE = 248
_RTO_US = 200000


def tcp_setsockopt(task: Task, sk: TcpSock, name: int, value: int, size: int) -> None:
    """Sets an option from the `size` bytes at the user's `value`."""
    if name == TCP_CONGESTION:
        if size < 1:
            raise Errno(EINVAL)
        wanted = copy_from_user(task, value, min(size, 15)).partition(b"\0")[0]
        if wanted != _CONGESTION:
            raise Errno(ENOENT)
        return
    if size < 4:
        raise Errno(EINVAL)
    number = get_user_s32(task, value)
    if name == TCP_FASTOPEN:
        # Takes effect for listeners only, as a hint.
        if number < 0 or sk.state not in (CLOSE, LISTEN):
            raise Errno(EINVAL)
        return
    if name == TCP_QUICKACK:
        sk.options[IPPROTO_TCP, name] = int(number != 0)
        return
    if name == TCP_MAXSEG:
        if number and not 88 <= number <= 32767:
            raise Errno(EINVAL)
        sk.options[IPPROTO_TCP, name] = number
        return
    if name not in _OPTIONS:
        raise Errno(ENOPROTOOPT)
    limits = _OPTIONS[name]
    if limits is None:
        number = int(number != 0)
    elif not limits[1] <= number <= limits[2]:
        raise Errno(EINVAL)
    sk.options[IPPROTO_TCP, name] = number


def tcp_getsockopt(sk: TcpSock, name: int, size: int) -> bytes:
    """An option's value, for a caller with room for `size` bytes."""
    if name == TCP_INFO:
        return _info(sk)
    if name == TCP_CONGESTION:
        return _CONGESTION.ljust(16, b"\0")
    return pack("<i", _number(sk, name))


def _number(sk: TcpSock, name: int) -> int:
    if name == TCP_MAXSEG:
        if sk.peer is None:
            return sk.options.get((IPPROTO_TCP, name)) or _MSS_DEFAULT
        return _MSS_LOOPBACK if len(sk.host) == 4 else _MSS_LOOPBACK6
    if name == TCP_QUICKACK:
        return sk.options.get((IPPROTO_TCP, name), 1)
    if name == TCP_FASTOPEN:
        return 0
    if name not in _OPTIONS:
        raise Errno(ENOPROTOOPT)
    limits = _OPTIONS[name]
    return sk.options.get((IPPROTO_TCP, name), 0 if limits is None else limits[0])


def _info(sk: TcpSock) -> bytes:
    """struct tcp_info: what is true of a connection without segments, the rest zero."""
    mss = _number(sk, TCP_MAXSEG)
    unacked, sacked = 0, 0
    if sk.state == LISTEN:
        unacked, sacked = len(sk.backlog_queue), sk.backlog
    known = pack("<B7x6I", sk.state, _RTO_US, 0, mss, mss, unacked, sacked)
    return known.ljust(_INFO_SIZE, b"\0")
