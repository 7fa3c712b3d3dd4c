"""SOCK_DGRAM of AF_INET and AF_INET6 (Linux: net/ipv4/udp.c, udp(7))."""

from __future__ import annotations

from collections import deque
from struct import pack

from emukernel.kernel.errno import (
    EACCES,
    EAFNOSUPPORT,
    EAGAIN,
    ECONNREFUSED,
    EDESTADDRREQ,
    EFAULT,
    EINVAL,
    EMSGSIZE,
    ENETUNREACH,
    ENOPROTOOPT,
    ENOTCONN,
    EOPNOTSUPP,
    EPIPE,
    Errno,
)
from emukernel.kernel.fs.file import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDHUP,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
)
from emukernel.kernel.net.af_inet import (
    IP_PKTINFO,
    IPV6_PKTINFO,
    IPV6_RECVPKTINFO,
    SOL_IP,
    SOL_IPV6,
    InetSock,
)
from emukernel.kernel.net.sock import (
    AF_INET,
    AF_INET6,
    CLOSE,
    ESTABLISHED,
    MSG_DONTWAIT,
    MSG_ERRQUEUE,
    MSG_MORE,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    RCV_SHUTDOWN,
    READABLE,
    SEND_SHUTDOWN,
    SHUTDOWN_MASK,
    SOCK_DGRAM,
    Net,
    Skb,
    dgram_truesize,
    purge,
    wait_for,
)
from emukernel.kernel.net.sockopt import SO_BROADCAST, SO_TIMESTAMP, SO_TIMESTAMPNS
from emukernel.kernel.uaccess import get_user_s32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.net.sendmsg import Msg
    from emukernel.kernel.task import Task

IPPROTO_UDP = 17
UDP_CORK = 1
_LIMIT = 0xFFFF
_HEADERS4, _HEADERS6 = 28, 8
_SOL_SOCKET = 1
_NS = 10**9
_LO_IFINDEX = 1


class UdpSock(InetSock):
    """A datagram socket. `queue` are received packets, `rmem` what they occupy.

    While it is `corked` (UDP_CORK), or with MSG_MORE, what is sent is put together in `pending`
    for `pending_to` (host, port, own address).
    """

    __slots__ = ("corked", "pending", "pending_to", "queue", "rmem")

    def __init__(self, net: Net, family: int) -> None:
        super().__init__(net, family, SOCK_DGRAM, IPPROTO_UDP)
        self.queue: deque[Skb] = deque()
        self.rmem = 0
        self.corked = False
        self.pending: bytearray | None = None
        self.pending_to = (b"", 0, b"")

    # Connections

    def connect(self, task: Task, address: bytes, nonblock: bool) -> None:
        if len(address) < 2:
            raise Errno(EINVAL)
        if address[:2] == b"\0\0":
            self._disconnect()
            return
        self.autobind(task)
        host, port = self._destination(address)
        host, own = self.route(host)
        self.host = own
        self.peer_host, self.peer_port = host, port
        self.state = ESTABLISHED

    def _disconnect(self) -> None:
        self.state = CLOSE
        self.peer_host, self.peer_port = self.any_host(), 0
        if not self.bound_host:
            self.host = self.any_host()
        if not self.bound_port:
            self.unhash_port()
            self.port = 0

    def _destination(self, address: bytes) -> tuple[bytes, int]:
        """(host, port) of a destination; an IPv6 socket takes IPv4 addresses as well."""
        if self.family == AF_INET6 and address[:2] == b"\x02\0":
            if self.v6only:
                raise Errno(ENETUNREACH)
            if len(address) < 16:
                raise Errno(EINVAL)
            host, port = address[4:8], int.from_bytes(address[2:4], "big")
        elif self.family == AF_INET and address[:2] == b"\0\0" and len(address) >= 16:
            host, port = address[4:8], int.from_bytes(address[2:4], "big")
        else:
            host, port = self.parse(address)
        if host == b"\xff\xff\xff\xff" and not self.flags.get(SO_BROADCAST):
            # The broadcast address has a route even where nothing else has.
            raise Errno(EACCES)
        return host, port

    def do_shutdown(self, task: Task, how: int) -> None:
        self.shutdown |= how
        self.wake_all()
        if self.state == CLOSE:
            raise Errno(ENOTCONN)

    def release(self) -> None:
        self.dead = True
        self.unhash_port()
        self._purge()

    def _purge(self) -> None:
        purge(self, self.queue)
        self.rmem = 0

    # Sending

    def sendmsg(self, task: Task, it: Iter, flags: int, msg: Msg | None) -> int:
        self.autobind(task)
        size = it.count
        if size > _LIMIT:
            raise Errno(EMSGSIZE)
        if flags & MSG_OOB:
            raise Errno(EOPNOTSUPP)
        if self.pending is None:
            self.pending_to = self._address(msg)
        host = self.pending_to[0]
        total = size if self.pending is None else size + len(self.pending)
        if total > _LIMIT - (_HEADERS4 if len(host) == 4 else _HEADERS6):
            raise Errno(EMSGSIZE)
        if self.err:
            raise Errno(self.sock_error())
        if self.shutdown & SEND_SHUTDOWN:
            raise Errno(EPIPE)
        data = it.copy_from_iter(size)
        if len(data) < size:
            raise Errno(EFAULT)
        if self.pending is None:
            if not self.corked and not flags & MSG_MORE:
                self._transmit(data)
                return size
            self.pending = bytearray()
        self.pending += data
        if not self.corked and not flags & MSG_MORE:
            self._flush()
        return size

    def _address(self, msg: Msg | None) -> tuple[bytes, int, bytes]:
        """Where a message goes to, and from which address."""
        if msg is not None and msg.name:
            host, port = self._named(msg.name)
        elif self.state == ESTABLISHED:
            host, port = self.peer_host, self.peer_port
        else:
            raise Errno(EDESTADDRREQ)
        if msg is not None and msg.control:
            from emukernel.kernel.net.scm import control_messages

            for _ in control_messages(msg.control):
                pass
        host, own = self.route(host)
        return host, port, own

    def _flush(self) -> None:
        data, self.pending = bytes(self.pending or b""), None
        self._transmit(data)

    def _transmit(self, data: bytes) -> None:
        """Delivers a packet to whoever has the port."""
        host, port, own = self.pending_to
        receiver = self._lookup(host, port, own)
        if receiver is not None:
            receiver.deliver(data, own, self.port, host)
        elif self.state == ESTABLISHED and (host, port) == (self.peer_host, self.peer_port):
            # The ICMP message that nobody is there finds who is connected to that address only.
            self.err = ECONNREFUSED
            self.wake_all()

    def _named(self, name: bytes) -> tuple[bytes, int]:
        if self.family == AF_INET:
            if len(name) < 16:
                raise Errno(EINVAL)
            if name[:2] not in (b"\x02\0", b"\0\0"):
                raise Errno(EAFNOSUPPORT)
        elif len(name) < 2:
            raise Errno(EINVAL)
        elif name[:2] == b"\0\0" and self.state == ESTABLISHED:
            return self.peer_host, self.peer_port
        host, port = self._destination(name)
        if not port:
            raise Errno(EINVAL)
        return host, port

    def _lookup(self, host: bytes, port: int, source: bytes) -> UdpSock | None:
        """The socket that gets a packet to `host`:`port` from this one."""
        best: list[UdpSock] = []
        score = 0
        for sk in reversed(self.net.ports.get((IPPROTO_UDP, port), ())):
            fits = sk.receives(host) * 2
            if not fits:
                continue
            if sk.state == ESTABLISHED:
                if sk.peer_port != self.port or sk.peer_host != source:
                    continue
                fits += 8
            fits += len(sk.host) == len(host) and sk.family == (AF_INET, AF_INET6)[len(host) == 16]
            if fits > score:
                best, score = [sk], fits
            elif fits == score and sk.flags.get(15) and best[0].flags.get(15):
                best.append(sk)
        return best[self.port % len(best)] if best else None

    def deliver(self, data: bytes, host: bytes, port: int, target: bytes) -> None:
        """A packet has arrived; it is dropped where the receive buffer is full."""
        truesize = dgram_truesize(len(data)) + 64
        if self.rmem + truesize > self.rcvbuf and self.rmem:
            return
        net = self.net
        try:
            net.charge(truesize)
        except Errno:
            return
        skb = Skb(data, truesize, None)
        skb.name = host, port
        skb.target = target
        skb.stamp = net.kernel.clock.realtime()
        self.rmem += truesize
        self.queue.append(skb)
        self.read_queue.wake_up(0, READABLE)

    # Receiving

    def recvmsg(self, task: Task, it: Iter, flags: int, msg: Msg | None) -> int:
        if flags & MSG_ERRQUEUE:
            raise Errno(EAGAIN)
        if self.err:
            raise Errno(self.sock_error())
        if not self.queue:
            timeout = self.receive_timeout(flags & MSG_DONTWAIT)
            if self.shutdown & RCV_SHUTDOWN and timeout != 0:
                return 0
            wait_for(task, self.read_queue, timeout)
        skb = self.queue[0]
        data = skb.data
        total = size = len(data)
        if it.count < size:
            size = it.count
            data = data[:size]
            if msg is not None:
                msg.flags |= MSG_TRUNC
        if not flags & MSG_PEEK:
            self.queue.popleft()
            self.rmem -= skb.truesize
            self.free_skb(skb)
        if it.copy_to_iter(data) < size:
            raise Errno(EFAULT)
        if msg is not None:
            msg.name = self.unparse(*skb.name)
            self._put_control(task, msg, skb)
        return total if flags & MSG_TRUNC else size

    def _put_control(self, task: Task, msg: Msg, skb: Skb) -> None:
        from emukernel.kernel.net.scm import put_cmsg

        if self.flags:
            if self.flags.get(SO_TIMESTAMP):
                stamp = pack("<qq", skb.stamp // _NS, skb.stamp % _NS // 1000)
                put_cmsg(task, msg, _SOL_SOCKET, SO_TIMESTAMP, stamp)
            if self.flags.get(SO_TIMESTAMPNS):
                stamp = pack("<qq", skb.stamp // _NS, skb.stamp % _NS)
                put_cmsg(task, msg, _SOL_SOCKET, SO_TIMESTAMPNS, stamp)
        if not self.options:
            return
        target: bytes = skb.target
        if self.options.get((SOL_IP, IP_PKTINFO)) and len(target) == 4:
            info = pack("<I", _LO_IFINDEX) + target + target
            put_cmsg(task, msg, SOL_IP, IP_PKTINFO, info)
        if self.options.get((SOL_IPV6, IPV6_RECVPKTINFO)):
            host = target if len(target) == 16 else bytes(10) + b"\xff\xff" + target
            put_cmsg(task, msg, SOL_IPV6, IPV6_PKTINFO, host + pack("<I", _LO_IFINDEX))

    # State

    def poll(self, task: Task) -> int:
        mask = POLLOUT | POLLWRNORM | POLLWRBAND
        if self.err:
            mask |= POLLERR
        if self.shutdown & RCV_SHUTDOWN:
            mask |= POLLRDHUP | POLLIN | POLLRDNORM
            if self.shutdown == SHUTDOWN_MASK:
                mask |= POLLHUP
        if self.queue:
            mask |= POLLIN | POLLRDNORM
        return mask

    def inq(self) -> int:
        return len(self.queue[0].data) if self.queue else 0

    def setsockopt(self, task: Task, level: int, name: int, value: int, size: int) -> None:
        if level != IPPROTO_UDP:
            super().setsockopt(task, level, name, value, size)
            return
        if size < 4:
            raise Errno(EINVAL)
        number = get_user_s32(task, value)
        if name != UDP_CORK:
            raise Errno(ENOPROTOOPT)
        self.corked = number != 0
        if not self.corked and self.pending is not None:
            self._flush()

    def getsockopt(self, task: Task, level: int, name: int, size: int) -> bytes:
        if level != IPPROTO_UDP:
            return super().getsockopt(task, level, name, size)
        if name != UDP_CORK:
            raise Errno(ENOPROTOOPT)
        return pack("<i", self.corked)
