"""/proc/PID/net (Linux: fs/proc/proc_net.c, net/ipv4/tcp_ipv4.c, net/unix/af_unix.c, …)."""

from __future__ import annotations

from emukernel.kernel.fs.kernfs import KernDirectory, KernFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.fs.dcache import Dentry
    from emukernel.kernel.fs.inode import SuperBlock
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.net.af_inet import InetSock
    from emukernel.kernel.net.sock import Sock
    from emukernel.kernel.task import Task

_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_TCP, _UDP, _RAW = 6, 17, 255
_SO_ACCEPTCON = 0x10000
_LISTEN = 10


def _sockets(kernel: Kernel, family: int, protocol: int = 0) -> list[Sock]:
    """The sockets of a family, in the order of their inode numbers."""
    if "sockfs" not in kernel.vfs.pseudo:
        return []
    from emukernel.kernel.net.sock import get_net

    found = sorted(get_net(kernel).sockets.items())
    return [sk for _, sk in found if sk.family == family and sk.protocol == protocol]


def _address(host: bytes, port: int, family: int) -> str:
    if family == _AF_INET6 and len(host) == 4:
        host = bytes(10) + b"\xff\xff" + host
    words = [host[at : at + 4][::-1].hex().upper() for at in range(0, len(host), 4)]
    return f"{''.join(words)}:{port:04X}"


def _queues(sk: InetSock) -> tuple[int, int]:
    """Bytes that wait to be sent, and to be read; of a listener its backlog and who is in it."""
    if sk.state == _LISTEN:
        return 0, len(getattr(sk, "backlog_queue", ()))
    return sk.outq(), sk.inq()


def _inet(kernel: Kernel, family: int, protocol: int) -> bytes:
    from emukernel.kernel.net.af_inet import InetSock

    wide = family == _AF_INET6
    header = "  sl  local_address rem_address   "
    if wide:
        header = f"  sl  {'local_address':<37} {'remote_address':<37} "
    header += "st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
    if protocol != _TCP:
        header += " ref pointer drops"
    width = 0 if wide else 149 if protocol == _TCP else 127
    lines = [header.ljust(width)]
    for number, sk in enumerate(_sockets(kernel, family, protocol)):
        if not isinstance(sk, InetSock) or (not sk.port and not sk.hashed):
            continue
        sent, received = _queues(sk)
        tail = " 0" if protocol == _UDP else " 100 0 0 10 0"
        text = (
            f"{number:4}: {_address(sk.host, sk.port, family)} "
            f"{_address(sk.peer_host, sk.peer_port, family)} {sk.state:02X} "
            f"{sent:08X}:{received:08X} 00:00000000 00000000 {sk.uid:5} {0:8} {sk.ino} "
            f"{'2' if protocol == _UDP else '1'} 0000000000000000{tail}"
        )
        lines.append(text.ljust(width))
    return ("\n".join(lines) + "\n").encode()


def _unix(kernel: Kernel) -> bytes:
    from emukernel.kernel.net.af_unix import SUN_PATH_OFFSET, UnixSock

    lines = [b"Num       RefCount Protocol Flags    Type St Inode Path\n"]
    for sk in _sockets(kernel, _AF_UNIX):
        if not isinstance(sk, UnixSock):
            continue
        listening = sk.state == _LISTEN
        connected = sk.peer is not None and sk.connection_based
        line = b"0000000000000000: %08X 00000000 %08X %04X %02X %5d" % (
            3 if connected else 2,
            _SO_ACCEPTCON if listening else 0,
            sk.type,
            3 if connected else 1,
            sk.ino,
        )
        if sk.addr is not None:
            name = sk.addr[SUN_PATH_OFFSET:]
            if name[:1] == b"\0":
                line += b" @" + name[1:].replace(b"\0", b"@")
            else:
                line += b" " + name.partition(b"\0")[0]
        lines.append(line + b"\n")
    return b"".join(lines)


def _tcp(kernel: Kernel) -> bytes:
    return _inet(kernel, _AF_INET, _TCP)


def _tcp6(kernel: Kernel) -> bytes:
    return _inet(kernel, _AF_INET6, _TCP)


def _udp(kernel: Kernel) -> bytes:
    return _inet(kernel, _AF_INET, _UDP)


def _udp6(kernel: Kernel) -> bytes:
    return _inet(kernel, _AF_INET6, _UDP)


def _raw(kernel: Kernel) -> bytes:
    """There are no raw sockets."""
    return _inet(kernel, _AF_INET, _RAW)


def _raw6(kernel: Kernel) -> bytes:
    return _inet(kernel, _AF_INET6, _RAW)


def _dev(kernel: Kernel) -> bytes:
    """The interfaces. What goes over the loopback is handed on, not sent: its counters stay 0."""
    return (
        b"Inter-|   Receive                                                |  Transmit\n"
        b" face |bytes    packets errs drop fifo frame compressed multicast|"
        b"bytes    packets errs drop fifo colls carrier compressed\n"
        b"    lo:       0       0    0    0    0     0          0         0"
        b"        0       0    0    0    0     0       0          0\n"
    )


def _if_inet6(kernel: Kernel) -> bytes:
    return b"00000000000000000000000000000001 01 80 10 80       lo\n"


def _route(kernel: Kernel) -> bytes:
    head = b"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
    return head.ljust(127) + b"\n"


FILES: tuple[tuple[bytes, Callable[[Kernel], bytes]], ...] = (
    (b"dev", _dev),
    (b"if_inet6", _if_inet6),
    (b"raw", _raw),
    (b"raw6", _raw6),
    (b"route", _route),
    (b"tcp", _tcp),
    (b"tcp6", _tcp6),
    (b"udp", _udp),
    (b"udp6", _udp6),
    (b"unix", _unix),
)


class NetFile(KernFile):
    """One table."""

    __slots__ = ("function",)

    def __init__(self, sb: SuperBlock, function: Callable[[Kernel], bytes]) -> None:
        super().__init__(sb)
        self.function = function

    def show(self, task: Task) -> bytes:
        return self.function(task.kernel)


class NetDirectory(KernDirectory):
    """/proc/PID/net. There is one network, so every task has the same."""

    __slots__ = ()

    strict = True

    def populate(self, dentry: Dentry) -> None:
        for name, function in FILES:
            self.add(dentry, name, NetFile(self.sb, function))
