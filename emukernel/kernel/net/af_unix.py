"""AF_UNIX: names, connections and the end of sockets (Linux: net/unix/af_unix.c, unix(7))."""

from __future__ import annotations

from collections import deque
from stat import S_IFSOCK, S_ISSOCK

from emukernel.kernel.errno import (
    EADDRINUSE,
    ECONNREFUSED,
    ECONNRESET,
    EEXIST,
    EINVAL,
    EISCONN,
    ENOTCONN,
    EOPNOTSUPP,
    EPROTOTYPE,
    Errno,
)
from emukernel.kernel.net.sock import (
    AF_UNIX,
    CLOSE,
    ESTABLISHED,
    LISTEN,
    MAX_DGRAM_QLEN,
    RCV_SHUTDOWN,
    READABLE,
    SHUTDOWN_MASK,
    WRITABLE,
    Net,
    Skb,
    Sock,
    purge,
    wait_for,
)
from emukernel.kernel.net.sockopt import SO_PASSCRED
from emukernel.kernel.wait import WaitQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.net.sendmsg import Msg
    from emukernel.kernel.task import Task

SUN_PATH_OFFSET = 2
SOCKADDR_UN_SIZE = 110
UNNAMED = b"\x01\x00"
_FAMILY = UNNAMED


class UnixSock(Sock):
    """A local socket.

    `addr` is the whole struct sockaddr_un it is bound to, `path` the place in the tree if it has
    one. `queue` are received packets, `embryos` connections to accept. `peer_wait` is where
    those sleep who wait for room in either, `relays` are sockets to tell of it. `cred` is what
    SO_PEERCRED shows, `groups` the supplementary groups with it.
    """

    __slots__ = ("addr", "cred", "embryos", "groups", "passcred", "path", "peer", "peer_wait",
                 "queue", "relays")  # fmt: skip

    def __init__(self, net: Net, type: int) -> None:
        super().__init__(net, AF_UNIX, type, 0)
        self.addr: bytes | None = None
        self.path: Path | None = None
        self.peer: UnixSock | None = None
        self.queue: deque[Skb] = deque()
        self.embryos: deque[UnixSock] = deque()
        self.peer_wait = WaitQueue()
        self.relays: list[UnixSock] = []
        self.cred: tuple[int, int, int] | None = None
        self.groups: tuple[int, ...] = ()
        self.passcred = False
        self.backlog = MAX_DGRAM_QLEN

    def new(self) -> UnixSock:
        """A socket of the same type, for a connection."""
        raise NotImplementedError

    def set_flag(self, task: Task, name: int, value: int) -> None:
        super().set_flag(task, name, value)
        if name == SO_PASSCRED:
            self.passcred = bool(value)

    def peercred(self) -> tuple[int, int, int]:
        return super().peercred() if self.cred is None else self.cred

    def peergroups(self) -> tuple[int, ...]:
        if self.cred is None:
            from emukernel.kernel.errno import ENODATA

            raise Errno(ENODATA)
        return self.groups

    def init_peercred(self, task: Task) -> None:
        """SO_PEERCRED shows the task from now on."""
        cred = task.cred
        self.cred = task.tgid, cred.euid, cred.egid
        self.groups = cred.groups

    def getname(self, peer: int) -> bytes:
        if peer:
            if self.peer is None:
                raise Errno(ENOTCONN)
            return self.peer.addr or UNNAMED
        return self.addr or UNNAMED

    # Names

    def bind(self, task: Task, address: bytes) -> None:
        if address == _FAMILY:
            self.autobind()
            return
        validate_address(address)
        if address[SUN_PATH_OFFSET]:
            self._bind_path(task, address)
            return
        if self.addr is not None:
            raise Errno(EINVAL)
        key = self.type, address
        if key in self.net.abstract:
            raise Errno(EADDRINUSE)
        self.net.abstract[key] = self
        self.addr = address

    def _bind_path(self, task: Task, address: bytes) -> None:
        from emukernel.kernel.fs.dcache import Path
        from emukernel.kernel.fs.lookup import AT_FDCWD
        from emukernel.kernel.fs.namei import filename_create, may_create

        name = address[SUN_PATH_OFFSET:].partition(b"\0")[0]
        try:
            parent, last = filename_create(task, AT_FDCWD, name, False)
        except Errno as error:
            if error.errno == EEXIST:
                raise Errno(EADDRINUSE) from None
            raise
        directory = parent.dentry.inode
        may_create(task, directory)
        mode = S_IFSOCK | 0o777 & ~task.fs.umask
        dentry = directory.mknod(task, parent.dentry, last, mode, 0)
        if self.addr is not None:
            directory.unlink(task, dentry)
            raise Errno(EINVAL)
        self.addr = _FAMILY + name + b"\0"
        self.path = Path(parent.mnt, dentry)
        self.net.unix_inodes[dentry.inode] = self

    def autobind(self) -> None:
        """A name of the kernel's choice: five hexadecimal digits, abstract."""
        if self.addr is not None:
            return
        net = self.net
        while True:
            net.next_autobind = net.next_autobind + 1 & 0xFFFFF
            address = _FAMILY + b"\0%05x" % net.next_autobind
            if (self.type, address) not in net.abstract:
                break
        net.abstract[self.type, address] = self
        self.addr = address

    def find_other(self, task: Task, address: bytes) -> UnixSock:
        """The socket bound to a name. Errno: ECONNREFUSED, EPROTOTYPE and those of a path walk."""
        found: Sock | None
        if address[SUN_PATH_OFFSET]:
            from emukernel.kernel.fs.lookup import AT_FDCWD, LOOKUP_FOLLOW, path_lookupat
            from emukernel.kernel.fs.permission import MAY_WRITE, inode_permission

            name = address[SUN_PATH_OFFSET:].partition(b"\0")[0]
            path = path_lookupat(task, AT_FDCWD, name, LOOKUP_FOLLOW)
            inode = path.dentry.inode
            inode_permission(task.cred, inode, MAY_WRITE)
            if not S_ISSOCK(inode.mode):
                raise Errno(ECONNREFUSED)
            found = self.net.unix_inodes.get(inode)
            if found is not None and found.type != self.type:
                raise Errno(EPROTOTYPE)
        else:
            found = self.net.abstract.get((self.type, address))
        if found is None:
            raise Errno(ECONNREFUSED)
        assert isinstance(found, UnixSock)
        return found

    # Connections

    def socketpair(self, task: Task, other: Sock) -> None:
        assert isinstance(other, UnixSock)
        self.peer, other.peer = other, self
        self.init_peercred(task)
        other.init_peercred(task)
        self.state = other.state = ESTABLISHED

    def listen(self, task: Task, backlog: int) -> None:
        if not self.connection_based:
            raise Errno(EOPNOTSUPP)
        if self.addr is None or self.state not in (CLOSE, LISTEN):
            raise Errno(EINVAL)
        if backlog > self.backlog:
            self.peer_wake()
        self.backlog = backlog
        self.state = LISTEN
        self.init_peercred(task)

    def connect_stream(self, task: Task, address: bytes, nonblock: bool) -> None:
        """connect(2) of a stream or a SOCK_SEQPACKET socket."""
        validate_address(address)
        if self.passcred:
            self.autobind()
        other = self.find_other(task, address)
        if other.state != LISTEN or other.shutdown & RCV_SHUTDOWN:
            raise Errno(ECONNREFUSED)
        if len(other.embryos) > other.backlog:
            wait_for(task, other.peer_wait, self.send_timeout(nonblock))
        if self.state != CLOSE:
            raise Errno(EISCONN if self.state == ESTABLISHED else EINVAL)
        new = other.new()
        new.peer = self
        new.state = ESTABLISHED
        new.init_peercred(task)
        new.addr = other.addr
        new.path = other.path
        new.passcred = other.passcred
        new.flags[SO_PASSCRED] = int(other.passcred)
        self.cred, self.groups = other.cred, other.groups
        self.state = ESTABLISHED
        self.peer = new
        other.embryos.append(new)
        other.read_queue.wake_up(0, READABLE)

    def accept(self, task: Task, nonblock: bool) -> Sock:
        if not self.connection_based:
            raise Errno(EOPNOTSUPP)
        if self.state != LISTEN:
            raise Errno(EINVAL)
        if not self.embryos:
            if self.err:
                raise Errno(self.sock_error())
            timeout = self.receive_timeout(nonblock)
            if self.shutdown & RCV_SHUTDOWN and timeout != 0:
                raise Errno(EINVAL)
            wait_for(task, self.read_queue, timeout)
        new = self.embryos.popleft()
        self.peer_wake()
        return new

    def do_shutdown(self, task: Task, how: int) -> None:
        self.shutdown |= how
        other = self.peer
        if other is not None and self.connection_based:
            # What one end no longer reads the other can't write, and the other way round.
            other.shutdown |= (how & 1) << 1 | how >> 1
            other.wake_all()
        self.wake_all()

    def release(self) -> None:
        net = self.net
        self.dead = True
        self._unhash()
        self.shutdown = SHUTDOWN_MASK
        was_listening = self.state == LISTEN
        # A connection that was never accepted has no inode.
        self.state = CLOSE
        peer = self.peer
        if peer is not None:
            if self.connection_based:
                peer.shutdown = SHUTDOWN_MASK
                if self._unread() or not (was_listening or self.ino):
                    peer.err = ECONNRESET
                peer.wake_all()
            self.peer = None
        self.peer_wake()
        self.wake_all()
        while self.embryos:
            self.embryos.popleft().release()
        purge(self, self.queue)
        if net.inflight:
            from emukernel.kernel.net.scm import unix_gc

            unix_gc(net)

    def peer_wake(self) -> None:
        """There is room for those who wait for it."""
        self.peer_wait.wake_up(0, WRITABLE)
        if self.relays:
            relays, self.relays = self.relays, []
            for sk in relays:
                sk.write_queue.wake_up(0, WRITABLE)

    def _unread(self) -> bool:
        """Is there something in the queue, besides one packet that is empty?"""
        queue = self.queue
        return len(queue) > 1 or (len(queue) == 1 and queue[0].start < len(queue[0].data))

    def _unhash(self) -> None:
        net = self.net
        if self.addr is not None and net.abstract.get((self.type, self.addr)) is self:
            del net.abstract[self.type, self.addr]
        if self.path is not None:
            inode = self.path.dentry.inode
            if net.unix_inodes.get(inode) is self:
                del net.unix_inodes[inode]

    # Receiving

    def writable(self) -> bool:
        """Is at least three quarters of the send buffer free?"""
        return self.state != LISTEN and self.wmem << 2 <= self.sndbuf

    def creds_of(self, task: Task, other: UnixSock, msg: Msg | None) -> tuple[int, int, int] | None:
        """What a packet tells of its sender: what it claims, or who it is if anyone wants that."""
        if msg is not None and msg.creds is not None:
            return msg.creds
        if self.passcred or other.passcred:
            cred = task.cred
            return task.tgid, cred.uid, cred.gid
        return None


def validate_address(address: bytes) -> None:
    """Errno(EINVAL) for what is no sockaddr_un with a name."""
    if not SUN_PATH_OFFSET < len(address) <= SOCKADDR_UN_SIZE or address[:2] != _FAMILY:
        raise Errno(EINVAL)
