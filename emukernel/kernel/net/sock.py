"""What every socket has below its descriptor (Linux: struct sock, net/core/sock.c)."""

from __future__ import annotations

from emukernel.kernel.errno import (
    EAGAIN,
    EINTR,
    EINVAL,
    ENOBUFS,
    ENOPROTOOPT,
    ENOTTY,
    EOPNOTSUPP,
    ERESTARTSYS,
    Errno,
)
from emukernel.kernel.fs.file import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLPRI,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
)
from emukernel.kernel.fs.inode import SuperBlock
from emukernel.kernel.fs.mount import Mount
from emukernel.kernel.wait import WaitQueue, call_deadline, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from typing import Any

    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.fs.inode import Inode
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.net.scm import InFlight
    from emukernel.kernel.net.sendmsg import Msg
    from emukernel.kernel.net.socket import SocketFile
    from emukernel.kernel.task import Task

SOCKFS_MAGIC = 0x534F434B

AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6 = 0, 1, 2, 10
SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET = 1, 2, 3, 4, 5

# States, named as TCP's (include/net/tcp_states.h); the other families use three of them.
ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT = 1, 2, 3, 4, 5, 6
CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING = 7, 8, 9, 10, 11

RCV_SHUTDOWN, SEND_SHUTDOWN, SHUTDOWN_MASK = 1, 2, 3

MSG_OOB = 0x1
MSG_PEEK = 0x2
MSG_DONTROUTE = 0x4
MSG_CTRUNC = 0x8
MSG_TRUNC = 0x20
MSG_DONTWAIT = 0x40
MSG_EOR = 0x80
MSG_WAITALL = 0x100
MSG_ERRQUEUE = 0x2000
MSG_NOSIGNAL = 0x4000
MSG_MORE = 0x8000
MSG_WAITFORONE = 0x10000
MSG_CMSG_CLOEXEC = 0x40000000
MSG_CMSG_COMPAT = 0x80000000

SIGPIPE = 13

BUFFER_DEFAULT = 212992
"""net.core.wmem_default, rmem_default and their maxima: bytes."""
SOMAXCONN = 4096
MAX_DGRAM_QLEN = 10

READABLE = POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND
"""What may be ready after something came in."""
WRITABLE = POLLOUT | POLLWRNORM | POLLWRBAND
"""What may be ready once there is room to send."""
_READ_EVENTS = 0xFFFF & ~(WRITABLE | POLLERR | POLLHUP)

# What one packet occupies besides its bytes (include/linux/skbuff.h, x86-64).
_SKB_STRUCT = 256
_SKB_SHARED = 320
_HEAD_MAX = 4096 - _SKB_SHARED
_ALLOC_MAX = 16384 - _SKB_SHARED
_FRAGS_MAX = 17 * 4096
STREAM_PIECE_MAX = _HEAD_MAX + 32768
"""The most bytes of a stream that one packet takes."""


class Net:
    """What the machine's network has one of (struct net).

    `used` is the memory of all queued packets, in bytes, at most `limit`. `abstract` are bound
    abstract names by (socket type, address), `unix_inodes` sockets bound in the tree. `inflight`
    counts, per file, references that lie in queues; `inflight_users` the same per user id.
    `ports` are bound sockets by (protocol, port), `time_wait` recently ended connections.
    """

    __slots__ = (
        "abstract",
        "dying",
        "inflight",
        "inflight_users",
        "kernel",
        "limit",
        "next_autobind",
        "ports",
        "reaping",
        "sockets",
        "time_wait",
        "unix_inodes",
        "used",
    )

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.used = 0
        self.limit = kernel.memory.size // 2
        self.abstract: dict[tuple[int, bytes], Sock] = {}
        self.unix_inodes: dict[Inode, Sock] = {}
        self.next_autobind = int.from_bytes(kernel.random.bytes(4), "little") & 0xFFFFF
        self.inflight: dict[File, int] = {}
        self.inflight_users: dict[int, int] = {}
        # Files whose last reference lay in a queue that went away.
        self.dying: list[File] = []
        self.reaping = False
        self.ports: dict[tuple[int, int], list[Any]] = {}
        self.time_wait: dict[int, list[Any]] = {}
        # Every socket by inode number, for /proc/net.
        self.sockets: dict[int, Sock] = {}

    def charge(self, size: int) -> None:
        """Takes `size` bytes for a queue; Errno(ENOBUFS) when sockets hold too much already."""
        if self.used + size > self.limit:
            raise Errno(ENOBUFS)
        self.used += size


class SockfsSuperBlock(SuperBlock):
    """The file system of nameless sockets, which also leads to the network."""

    __slots__ = ("net",)

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel, "sockfs", SOCKFS_MAGIC)
        self.net = Net(kernel)


def sockfs_mount(kernel: Kernel) -> Mount:
    """The mount of sockfs, made at first use."""
    pseudo = kernel.vfs.pseudo
    found = pseudo.get("sockfs")
    if found is None or type(found.sb) is not SockfsSuperBlock:
        from emukernel.kernel.fs.dcache import Dentry
        from emukernel.kernel.fs.inode import Inode

        sb = SockfsSuperBlock(kernel)
        sb.root = Dentry(b"/", None, Inode(sb, sb.new_ino(), 0o040555))
        found = pseudo["sockfs"] = Mount(0, sb, None, 0)
    return found


def get_net(kernel: Kernel) -> Net:
    """The machine's network."""
    sb = sockfs_mount(kernel).sb
    assert type(sb) is SockfsSuperBlock
    return sb.net


# Packets


def _bucket(size: int) -> int:
    """What a packet's head of `size` bytes takes, its own struct included."""
    size = (size + 63 & ~63) + _SKB_SHARED
    return max(512, 1 << (size - 1).bit_length()) + _SKB_STRUCT


def stream_truesize(size: int) -> int:
    """The memory that Linux takes for a piece of a local stream, at most STREAM_PIECE_MAX."""
    if size <= _HEAD_MAX:
        return _bucket(size)
    pages = size - _HEAD_MAX + 4095 & ~4095
    data = min(size, pages)
    return _bucket(size - data) + (data + 4095 & ~4095)


def dgram_truesize(size: int) -> int:
    """The memory that Linux takes for a datagram."""
    if size <= _ALLOC_MAX:
        return _bucket(size)
    data = min(size - _ALLOC_MAX, _FRAGS_MAX) + 4095 & ~4095
    return _bucket(size - data) + data


class Skb:
    """A queued packet (struct sk_buff): `data` from `start` on.

    `truesize` bytes are charged to `owner`, who sent it. `files` travel with it (SCM_RIGHTS),
    `creds` are (pid, uid, gid) of the sender, None where nobody asked for them. `name` is the
    sender's address and `target` the receiver's, `stamp` the time of arrival in ns where the
    family keeps them.
    """

    __slots__ = ("creds", "data", "files", "name", "owner", "stamp", "start", "target", "truesize")

    def __init__(self, data: bytes, truesize: int, owner: Sock | None) -> None:
        self.data = data
        self.start = 0
        self.truesize = truesize
        self.owner = owner
        self.files: InFlight | None = None
        self.creds: tuple[int, int, int] | None = None
        self.name: Any = None
        self.target: Any = None
        self.stamp = 0


# Sockets


class Sock:
    """One end of a communication. Families override what they can do.

    `state` is one of the states above, `shutdown` RCV_SHUTDOWN and SEND_SHUTDOWN, `err` a pending
    error (SO_ERROR). Buffer sizes are in bytes as SO_SNDBUF shows them, time-outs in ns (None: for
    ever). `wmem` is what the socket's own packets occupy. `linger` is None or seconds. `flags` are
    the on-off options of SOL_SOCKET by number, `options` those of other levels by (level, number).
    """

    __slots__ = (
        "backlog",
        "dead",
        "err",
        "family",
        "file",
        "flags",
        "ino",
        "linger",
        "net",
        "options",
        "protocol",
        "rcvbuf",
        "rcvlowat",
        "rcvtimeo",
        "read_queue",
        "shutdown",
        "sndbuf",
        "sndtimeo",
        "state",
        "type",
        "uid",
        "wmem",
        "write_queue",
    )

    connection_based = False
    """SOCK_STREAM and SOCK_SEQPACKET."""

    def __init__(self, net: Net, family: int, type: int, protocol: int) -> None:
        self.net = net
        self.family = family
        self.type = type
        self.protocol = protocol
        self.state = CLOSE
        self.shutdown = 0
        self.err = 0
        self.sndbuf = self.rcvbuf = BUFFER_DEFAULT
        self.rcvlowat = 1
        self.rcvtimeo: int | None = None
        self.sndtimeo: int | None = None
        self.wmem = 0
        self.backlog = 0
        self.linger: int | None = None
        self.flags: dict[int, int] = {}
        self.options: dict[tuple[int, int], int] = {}
        self.read_queue = WaitQueue()
        self.write_queue = WaitQueue()
        self.file: SocketFile | None = None
        self.dead = False
        self.uid = 0
        self.ino = 0

    # What the calls do

    def bind(self, task: Task, address: bytes) -> None:
        """bind(2)."""
        raise Errno(EOPNOTSUPP)

    def connect(self, task: Task, address: bytes, nonblock: bool) -> None:
        """connect(2)."""
        raise Errno(EOPNOTSUPP)

    def socketpair(self, task: Task, other: Sock) -> None:
        """Connects two new sockets with each other."""
        raise Errno(EOPNOTSUPP)

    def listen(self, task: Task, backlog: int) -> None:
        """listen(2)."""
        raise Errno(EOPNOTSUPP)

    def accept(self, task: Task, nonblock: bool) -> Sock:
        """The next connection of a listening socket."""
        raise Errno(EOPNOTSUPP)

    def getname(self, peer: int) -> bytes:
        """The own address (0) or the other end's: 1 for getpeername(2), 2 for accept(2)."""
        raise Errno(EOPNOTSUPP)

    def sendmsg(self, task: Task, it: Iter, flags: int, msg: Msg | None) -> int:
        """Sends what `it` holds; how many bytes."""
        raise Errno(EOPNOTSUPP)

    def recvmsg(self, task: Task, it: Iter, flags: int, msg: Msg | None) -> int:
        """Receives into `it`; how many bytes."""
        raise Errno(EOPNOTSUPP)

    def do_shutdown(self, task: Task, how: int) -> None:
        """shutdown(2), `how` as RCV_SHUTDOWN and SEND_SHUTDOWN."""
        raise Errno(EOPNOTSUPP)

    def poll(self, task: Task) -> int:
        """POLL* bits."""
        raise NotImplementedError

    def setsockopt(self, task: Task, level: int, name: int, value: int, size: int) -> None:
        """An option of another level than SOL_SOCKET, at the user's `value`."""
        raise Errno(EOPNOTSUPP)

    def getsockopt(self, task: Task, level: int, name: int, size: int) -> bytes:
        """The same, read."""
        raise Errno(EOPNOTSUPP)

    def set_flag(self, task: Task, name: int, value: int) -> None:
        """An on-off option of SOL_SOCKET."""
        self.flags[name] = value

    def inq(self) -> int:
        """Bytes that can be read at once (SIOCINQ)."""
        raise Errno(EINVAL)

    def outq(self) -> int:
        """Bytes that are on their way (SIOCOUTQ)."""
        return self.wmem

    def at_mark(self) -> bool:
        """Does the next byte come after urgent data (SIOCATMARK)?"""
        raise Errno(ENOTTY)

    def set_rcvlowat(self, value: int) -> None:
        """SO_RCVLOWAT."""
        self.rcvlowat = value or 1

    def peercred(self) -> tuple[int, int, int]:
        """SO_PEERCRED: pid, user and group."""
        return 0, 0xFFFFFFFF, 0xFFFFFFFF

    def peergroups(self) -> tuple[int, ...]:
        """SO_PEERGROUPS."""
        raise Errno(ENOPROTOOPT)

    def release(self) -> None:
        """The descriptor is gone."""

    # Helpers

    def sock_error(self) -> int:
        """The pending error, which is pending no longer."""
        err = self.err
        if err:
            self.err = 0
        return err

    def send_timeout(self, nonblock: int) -> int | None:
        """How long a send may sleep: 0 for not at all, None for ever."""
        return 0 if nonblock else self.sndtimeo

    def receive_timeout(self, nonblock: int) -> int | None:
        """How long a receive may sleep."""
        return 0 if nonblock else self.rcvtimeo

    def wake_all(self) -> None:
        """Something happened that every sleeper must see (sk_state_change, sk_error_report)."""
        self.read_queue.wake_up()
        self.write_queue.wake_up()

    def poll_queues(self, events: int) -> list[WaitQueue]:
        """What to sleep on for `events`; errors and hang-ups wake both queues."""
        if not events & WRITABLE:
            return [self.read_queue]
        if not events & _READ_EVENTS:
            return [self.write_queue]
        return [self.read_queue, self.write_queue]

    def free_skb(self, skb: Skb) -> None:
        """A packet of this socket's receive queue was consumed or dropped."""
        size = skb.truesize
        self.net.used -= size
        owner = skb.owner
        if owner is not None:
            owner.wmem -= size
            if owner.wmem << 2 <= owner.sndbuf:
                owner.write_queue.wake_up(0, WRITABLE)
        files = skb.files
        if files is not None:
            from emukernel.kernel.net.scm import destroy_skb_files

            destroy_skb_files(self.net, skb)


def wait_for(task: Task, queue: Any, timeout: int | None) -> None:
    """Sleeps until the queue wakes the task (by raising Blocked).

    Errno(EAGAIN) once `timeout` has passed, 0 being at once. A signal restarts a call without a
    time-out and ends one that has it with EINTR (sock_intr_errno).
    """
    if timeout is None:
        wait_on(task, queue, None, ERESTARTSYS)
    elif not timeout or not wait_on(task, queue, call_deadline(task, timeout), EINTR):
        raise Errno(EAGAIN)


def purge(sk: Sock, queue: deque[Skb]) -> None:
    """Drops all packets of a queue."""
    while queue:
        sk.free_skb(queue.popleft())


def send_sigpipe(task: Task, flags: int) -> None:
    """Tells the sender that nobody receives any more, unless it asked not to be told."""
    if not flags & MSG_NOSIGNAL:
        from emukernel.kernel.signal.send import send_sig

        send_sig(SIGPIPE, task)
