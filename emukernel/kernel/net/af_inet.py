"""AF_INET and AF_INET6: addresses, ports, and options of the two (Linux: net/ipv4, net/ipv6).

There is one interface, lo, and nothing else: 127.0.0.0/8 and ::1 are local, all the rest is
unreachable. An address is kept as 4 or 16 bytes; an IPv4 address on an IPv6 socket (::ffff:…)
as 4.
"""

from __future__ import annotations

from struct import pack

from emukernel.kernel.errno import (
    EACCES,
    EADDRINUSE,
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    EINVAL,
    ENETUNREACH,
    ENODEV,
    ENOPROTOOPT,
    ENOTCONN,
    EOPNOTSUPP,
    EPERM,
    Errno,
)
from emukernel.kernel.net.sock import AF_INET, AF_INET6, CLOSE, LISTEN, SYN_SENT, Net, Sock
from emukernel.kernel.net.sockopt import SO_REUSEADDR, SO_REUSEPORT
from emukernel.kernel.uaccess import copy_from_user, get_user_s32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

ANY4 = bytes(4)
ANY6 = bytes(16)
LOOPBACK4 = b"\x7f\0\0\x01"
LOOPBACK6 = bytes(15) + b"\x01"
_MAPPED = bytes(10) + b"\xff\xff"
_BROADCAST = b"\xff\xff\xff\xff"

SOL_IP, SOL_IPV6 = 0, 41
IPV6_V6ONLY = 26
_V6ONLY = (SOL_IPV6, IPV6_V6ONLY)

PORT_FIRST, PORT_LAST = 32768, 60999
"""net.ipv4.ip_local_port_range."""
_PROT_SOCK = 1024
_LO_MTU = 65536
CAP_NET_BIND_SERVICE, CAP_NET_ADMIN = 10, 12

# Options with a number: (level, name) -> (default, least, greatest). None: anything is taken.
_IP_OPTIONS: dict[tuple[int, int], tuple[int, int, int] | None] = {
    (SOL_IP, 1): (0, 0, 255),  # IP_TOS
    (SOL_IP, 2): (64, 1, 255),  # IP_TTL
    (SOL_IP, 5): None,  # IP_ROUTER_ALERT
    (SOL_IP, 6): None,  # IP_RECVOPTS
    (SOL_IP, 7): None,  # IP_RETOPTS
    (SOL_IP, 8): None,  # IP_PKTINFO
    (SOL_IP, 10): (1, 0, 5),  # IP_MTU_DISCOVER
    (SOL_IP, 11): None,  # IP_RECVERR
    (SOL_IP, 12): None,  # IP_RECVTTL
    (SOL_IP, 13): None,  # IP_RECVTOS
    (SOL_IP, 15): None,  # IP_FREEBIND
    (SOL_IP, 24): None,  # IP_BIND_ADDRESS_NO_PORT
    (SOL_IP, 33): (1, 0, 255),  # IP_MULTICAST_TTL
    (SOL_IP, 34): (1, 0, 1),  # IP_MULTICAST_LOOP
    (SOL_IPV6, 16): (64, -1, 255),  # IPV6_UNICAST_HOPS
    (SOL_IPV6, 18): (1, -1, 255),  # IPV6_MULTICAST_HOPS
    (SOL_IPV6, 19): (1, 0, 1),  # IPV6_MULTICAST_LOOP
    (SOL_IPV6, 23): (1, 0, 5),  # IPV6_MTU_DISCOVER
    (SOL_IPV6, 25): None,  # IPV6_RECVERR
    _V6ONLY: None,
    (SOL_IPV6, 49): None,  # IPV6_RECVPKTINFO
    (SOL_IPV6, 51): None,  # IPV6_RECVHOPLIMIT
    (SOL_IPV6, 62): None,  # IPV6_DONTFRAG
    (SOL_IPV6, 66): None,  # IPV6_RECVTCLASS
    (SOL_IPV6, 67): (0, -1, 255),  # IPV6_TCLASS
    (SOL_IPV6, 70): None,  # IPV6_AUTOFLOWLABEL
    (SOL_IPV6, 78): None,  # IPV6_FREEBIND
}
_IP_MTU, _IPV6_MTU, _IP_TRANSPARENT, _IPV6_ADDRFORM = 14, 24, 19, 1
_MEMBERSHIP = {(SOL_IP, 35), (SOL_IP, 36), (SOL_IPV6, 20), (SOL_IPV6, 21)}
IP_PKTINFO, IPV6_RECVPKTINFO, IPV6_PKTINFO = 8, 49, 50


def is_local(host: bytes) -> bool:
    """Is it an address of this machine (the wildcards are not)?"""
    return host[0] == 127 if len(host) == 4 else host == LOOPBACK6


def is_any(host: bytes) -> bool:
    """Is it a wildcard, 0.0.0.0 or ::?"""
    return host in (ANY4, ANY6)


def is_multicast(host: bytes) -> bool:
    """Is it a group's address?"""
    return host[0] >> 4 == 14 if len(host) == 4 else host[0] == 255


class InetSock(Sock):
    """A socket with ports. `host` and `port` are its own address, `peer_host` and `peer_port` the
    other end's. `bound_host` and `bound_port` say that bind(2) chose them."""

    __slots__ = ("bound_host", "bound_port", "hashed", "host", "peer_host", "peer_port", "port")

    def __init__(self, net: Net, family: int, type: int, protocol: int) -> None:
        super().__init__(net, family, type, protocol)
        self.host = self.peer_host = self.any_host()
        self.port = self.peer_port = 0
        self.bound_host = self.bound_port = False
        # The port under which the socket is in net.ports; 0: none.
        self.hashed = 0

    def any_host(self) -> bytes:
        """The wildcard of the family."""
        return ANY4 if self.family == AF_INET else ANY6

    @property
    def v6only(self) -> bool:
        return bool(self.options.get(_V6ONLY))

    # Addresses

    def parse(self, address: bytes) -> tuple[bytes, int]:
        """(host, port) of a struct sockaddr_in or sockaddr_in6; Errno(EINVAL, EAFNOSUPPORT)."""
        if self.family == AF_INET:
            if len(address) < 16:
                raise Errno(EINVAL)
            if address[:2] != b"\x02\0":
                raise Errno(EAFNOSUPPORT)
            return address[4:8], int.from_bytes(address[2:4], "big")
        if len(address) < 24:
            raise Errno(EINVAL)
        if address[:2] != b"\x0a\0":
            raise Errno(EAFNOSUPPORT)
        host = address[8:24]
        if host[:12] == _MAPPED:
            host = host[12:]
        return host, int.from_bytes(address[2:4], "big")

    def unparse(self, host: bytes, port: int) -> bytes:
        """The struct sockaddr_in or sockaddr_in6 of an address, as this socket shows it."""
        if self.family == AF_INET:
            return pack("<H", AF_INET) + pack(">H", port) + host[:4] + bytes(8)
        if len(host) == 4:
            host = _MAPPED + host
        return pack("<H", AF_INET6) + pack(">H", port) + bytes(4) + host + bytes(4)

    def route(self, host: bytes) -> tuple[bytes, bytes]:
        """(destination, source) for packets to `host`; Errno(ENETUNREACH)."""
        if len(host) == 4 and self.family == AF_INET6 and self.v6only:
            raise Errno(ENETUNREACH)
        own = self.host
        if is_any(host):
            if len(host) == 4 or len(own) == 4:
                host = own if len(own) == 4 and not is_any(own) else LOOPBACK4
            else:
                host = LOOPBACK6 if is_any(own) else own
        if not is_local(host):
            raise Errno(ENETUNREACH)
        if is_any(own):
            own = LOOPBACK4 if len(host) == 4 else LOOPBACK6
        elif len(own) != len(host):
            raise Errno(ENETUNREACH if len(host) == 4 else EAFNOSUPPORT)
        return host, own

    def getname(self, peer: int) -> bytes:
        if not peer:
            return self.unparse(self.host, self.port)
        if not self.peer_port or (peer == 1 and self.state in (CLOSE, SYN_SENT)):
            raise Errno(ENOTCONN)
        return self.unparse(self.peer_host, self.peer_port)

    # Ports

    def bind(self, task: Task, address: bytes) -> None:
        if (
            self.family == AF_INET
            and len(address) >= 16
            and address[:2] == b"\0\0"
            and address[4:8] == ANY4
        ):
            address = b"\x02\0" + address[2:]
        host, port = self.parse(address)
        if len(host) == 4 and self.family == AF_INET6 and self.v6only:
            raise Errno(EINVAL)
        if not is_any(host) and not is_local(host) and not self._bindable(address, host):
            raise Errno(EADDRNOTAVAIL)
        if port and port < _PROT_SOCK and not task.cred.capable(CAP_NET_BIND_SERVICE):
            raise Errno(EACCES)
        if self.state != CLOSE or self.hashed:
            raise Errno(EINVAL)
        self.host = host
        try:
            self.get_port(task, port)
        except Errno:
            self.host = self.any_host()
            raise
        self.bound_host = not is_any(host)
        self.bound_port = bool(port)

    def _bindable(self, address: bytes, host: bytes) -> bool:
        """Addresses that are nobody's and that bind(2) takes all the same; Errno(EINVAL)."""
        if self.options.get((SOL_IP, 15)) or self.options.get((SOL_IPV6, 78)):
            return True
        if len(host) == 16:
            link_local = host[0] == 0xFE and host[1] >> 6 == 2
            if link_local and address[24:28] in (b"", bytes(4)):
                raise Errno(EINVAL)
            if is_multicast(host) and self.connection_based:
                raise Errno(EINVAL)
        return host == _BROADCAST or is_multicast(host)

    def get_port(self, task: Task, port: int) -> None:
        """Takes a port, any free one for 0. Errno(EADDRINUSE)."""
        if port:
            if not self._port_free(task, port):
                raise Errno(EADDRINUSE)
        else:
            port = self._find_port(task, EADDRINUSE)
        self.hash_port(port)

    def autobind(self, task: Task) -> None:
        """Takes an unused port for one who did not bind."""
        if not self.hashed:
            self.hash_port(self._find_port(task, EADDRNOTAVAIL))

    def _find_port(self, task: Task, error: int) -> int:
        ports = self.net.ports
        count = PORT_LAST - PORT_FIRST + 1
        start = int.from_bytes(task.kernel.random.bytes(4), "little")
        for i in range(count):
            port = PORT_FIRST + (start + i) % count
            if (self.protocol, port) not in ports and not self.net.time_wait.get(port):
                return port
        for i in range(count):
            port = PORT_FIRST + (start + i) % count
            if self._port_free(task, port):
                return port
        raise Errno(error)

    def hash_port(self, port: int) -> None:
        """Puts the socket into the table of ports."""
        self.port = self.hashed = port
        self.net.ports.setdefault((self.protocol, port), []).append(self)

    def unhash_port(self) -> None:
        """Takes it out."""
        if self.hashed:
            key = self.protocol, self.hashed
            users = self.net.ports[key]
            users.remove(self)
            if not users:
                del self.net.ports[key]
            self.hashed = 0

    def _port_free(self, task: Task, port: int) -> bool:
        return not any(
            self.conflicts(other) for other in self.net.ports.get((self.protocol, port), ())
        )

    def conflicts(self, other: InetSock) -> bool:
        """May this socket not have the port that `other` has?"""
        if other is self or not self.same_host(other):
            return False
        if self.flags.get(SO_REUSEADDR) and other.flags.get(SO_REUSEADDR) and other.state != LISTEN:
            return False
        return not (
            self.flags.get(SO_REUSEPORT) and other.flags.get(SO_REUSEPORT) and self.uid == other.uid
        )

    def same_host(self, other: InetSock) -> bool:
        """Can a packet be for both addresses (inet_rcv_saddr_equal)?"""
        one, two = self.host, other.host
        if len(one) == len(two):
            return one == two or is_any(one) or is_any(two)
        wide = self if len(one) == 16 else other
        return wide.host == ANY6 and not wide.v6only

    def receives(self, host: bytes) -> int:
        """How well the socket's address fits a packet to `host`: 0 for not at all."""
        own = self.host
        if own == host:
            return 3
        if not is_any(own):
            return 0
        if len(own) == len(host):
            return 2
        return int(len(own) == 16 and not self.v6only)

    # Options

    def setsockopt(self, task: Task, level: int, name: int, value: int, size: int) -> None:
        if level not in (SOL_IP, SOL_IPV6) or (level == SOL_IPV6 and self.family == AF_INET):
            raise Errno(ENOPROTOOPT)
        key = level, name
        if key in _MEMBERSHIP:
            raise Errno(ENODEV)
        if key == (SOL_IP, _IP_TRANSPARENT):
            if not task.cred.capable(CAP_NET_ADMIN):
                raise Errno(EPERM)
            return
        if key == (SOL_IPV6, _IPV6_ADDRFORM):
            self._addrform(task, value, size)
        if key not in _IP_OPTIONS:
            raise Errno(ENOPROTOOPT)
        if size >= 4:
            number = get_user_s32(task, value)
        elif size >= 1 and level == SOL_IP:
            number = copy_from_user(task, value, 1)[0]
        else:
            raise Errno(EINVAL)
        self._set_ip_option(key, number)

    def _addrform(self, task: Task, value: int, size: int) -> None:
        """IPV6_ADDRFORM turns a connected socket into an IPv4 one: refused for all."""
        if size < 4 or get_user_s32(task, value) != AF_INET:
            raise Errno(EINVAL)
        raise Errno(EADDRNOTAVAIL if self.peer_port else ENOTCONN)

    def _set_ip_option(self, key: tuple[int, int], number: int) -> None:
        limits = _IP_OPTIONS[key]
        if key == _V6ONLY and self.hashed:
            raise Errno(EINVAL)
        if limits is None:
            number = int(number != 0)
        else:
            default, least, greatest = limits
            if number == -1 and key in ((SOL_IP, 2), (SOL_IP, 33), (SOL_IPV6, 16), (SOL_IPV6, 18)):
                number = default
            elif key == (SOL_IP, 1):
                # TCP keeps the two bits of congestion notification to itself.
                number &= 252 if self.connection_based else 255
            elif key == (SOL_IP, 34) or key == (SOL_IPV6, 19):
                number = int(number != 0)
            elif not least <= number <= greatest:
                raise Errno(EINVAL)
        self.options[key] = number

    def getsockopt(self, task: Task, level: int, name: int, size: int) -> bytes:
        if level not in (SOL_IP, SOL_IPV6) or (level == SOL_IPV6 and self.family == AF_INET):
            raise Errno(EOPNOTSUPP if self.family == AF_INET else ENOPROTOOPT)
        key = level, name
        if key in ((SOL_IP, _IP_MTU), (SOL_IPV6, _IPV6_MTU)):
            if not self.peer_port:
                raise Errno(ENOTCONN)
            number = _LO_MTU
        elif key in _IP_OPTIONS:
            limits = _IP_OPTIONS[key]
            number = self.options.get(key, 0 if limits is None else limits[0])
        else:
            raise Errno(ENOPROTOOPT)
        if level == SOL_IP and 0 < size < 4 and 0 <= number <= 255:
            return bytes([number])
        return pack("<i", number)
