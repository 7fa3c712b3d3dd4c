"""AF_UNIX, SOCK_DGRAM and SOCK_SEQPACKET: messages that stay whole."""

from __future__ import annotations

from emukernel.kernel.errno import (
    ECONNREFUSED,
    ECONNRESET,
    EFAULT,
    EINVAL,
    EMSGSIZE,
    ENOTCONN,
    EOPNOTSUPP,
    EPERM,
    EPIPE,
    Errno,
)
from emukernel.kernel.fs.file import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLRDHUP,
    POLLRDNORM,
)
from emukernel.kernel.net.af_unix import UnixSock, validate_address
from emukernel.kernel.net.sock import (
    CLOSE,
    ESTABLISHED,
    LISTEN,
    MSG_DONTWAIT,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    RCV_SHUTDOWN,
    READABLE,
    SEND_SHUTDOWN,
    SHUTDOWN_MASK,
    SOCK_SEQPACKET,
    WRITABLE,
    Net,
    Skb,
    dgram_truesize,
    purge,
    wait_for,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.net.sendmsg import Msg
    from emukernel.kernel.task import Task

_OVERHEAD = 32


class UnixDgram(UnixSock):
    """A local datagram socket, or one of a connection that keeps messages whole."""

    __slots__ = ("connection_based",)

    def __init__(self, net: Net, type: int) -> None:
        super().__init__(net, type)
        self.connection_based = type == SOCK_SEQPACKET

    def new(self) -> UnixSock:
        return UnixDgram(self.net, self.type)

    # Connections

    def connect(self, task: Task, address: bytes, nonblock: bool) -> None:
        if self.connection_based:
            self.connect_stream(task, address, nonblock)
            return
        if len(address) < 2:
            raise Errno(EINVAL)
        other: UnixSock | None = None
        if address[:2] != b"\0\0":
            validate_address(address)
            if self.passcred:
                self.autobind()
            other = self.find_other(task, address)
            if not self._may_send(other):
                raise Errno(EPERM)
            self.state = other.state = ESTABLISHED
        else:
            self.state = CLOSE
        old = self.peer
        self.peer = other
        if old is not None and old is not other:
            self.disconnected(old)
            old.peer_wake()

    def disconnected(self, other: UnixSock) -> None:
        """This socket no longer talks to `other` (unix_dgram_disconnected)."""
        if self.queue:
            purge(self, self.queue)
            self.peer_wake()
            if not other.dead and other.peer is self:
                other.err = ECONNRESET
                other.wake_all()

    def _may_send(self, other: UnixSock) -> bool:
        return other.peer is None or other.peer is self

    # Sending

    def sendmsg(self, task: Task, it: Iter, flags: int, msg: Msg | None) -> int:
        named = msg is not None and msg.name
        if self.connection_based:
            if self.err:
                raise Errno(self.sock_error())
            if self.state != ESTABLISHED:
                raise Errno(ENOTCONN)
            named = None
        net = self.net
        if msg is not None and msg.control:
            from emukernel.kernel.net.scm import scm_send

            scm_send(task, net, msg)
        if flags & MSG_OOB:
            raise Errno(EOPNOTSUPP)
        if named:
            validate_address(named)
        if self.passcred:
            self.autobind()
        size = it.count
        if size > self.sndbuf - _OVERHEAD:
            raise Errno(EMSGSIZE)
        if self.err:
            raise Errno(self.sock_error())
        if self.shutdown & SEND_SHUTDOWN:
            raise Errno(EPIPE)
        timeout = self.send_timeout(flags & MSG_DONTWAIT)
        if self.wmem >= self.sndbuf:
            wait_for(task, self.write_queue, timeout)
        data = it.copy_from_iter(size)
        if len(data) < size:
            raise Errno(EFAULT)
        other = self.find_other(task, named) if named else self.peer
        if other is None:
            raise Errno(ENOTCONN)
        self._check_receiver(task, other, timeout)
        truesize = dgram_truesize(size)
        net.charge(truesize)
        skb = Skb(data, truesize, self)
        self.wmem += truesize
        skb.creds = self.creds_of(task, other, msg)
        if msg is not None and msg.files:
            from emukernel.kernel.net.scm import attach_files

            attach_files(task, net, skb, msg)
        other.queue.append(skb)
        other.read_queue.wake_up(0, READABLE)
        return size

    def _check_receiver(self, task: Task, other: UnixSock, timeout: int | None) -> None:
        """Errno, or sleep, unless `other` takes a message now."""
        if not self._may_send(other):
            raise Errno(EPERM)
        if other.dead:
            if self.connection_based:
                raise Errno(EPIPE)
            self.state = CLOSE
            self.peer = None
            self.disconnected(other)
            raise Errno(ECONNREFUSED)
        if other.shutdown & RCV_SHUTDOWN:
            raise Errno(EPIPE)
        if other is not self and other.peer is not self and len(other.queue) > other.backlog:
            wait_for(task, other.peer_wait, timeout)

    # Receiving

    def recvmsg(self, task: Task, it: Iter, flags: int, msg: Msg | None) -> int:
        if self.connection_based and self.state != ESTABLISHED:
            raise Errno(ENOTCONN)
        if flags & MSG_OOB:
            raise Errno(EOPNOTSUPP)
        if self.err:
            raise Errno(self.sock_error())
        if not self.queue:
            timeout = self.receive_timeout(flags & MSG_DONTWAIT)
            if self.shutdown & RCV_SHUTDOWN and (self.connection_based or timeout != 0):
                return 0
            wait_for(task, self.read_queue, timeout)
        skb = self.queue[0]
        if not flags & MSG_PEEK:
            self.queue.popleft()
            self.peer_wake()
        files: list[File] = []
        try:
            if msg is not None:
                assert isinstance(skb.owner, UnixSock)
                msg.name = skb.owner.addr or b""
            data = skb.data
            size = len(data)
            if it.count < size:
                size = it.count
                data = data[:size]
                if msg is not None:
                    msg.flags |= MSG_TRUNC
            if it.copy_to_iter(data) < size:
                raise Errno(EFAULT)
            if skb.files is not None:
                if flags & MSG_PEEK:
                    files = [file.get() for file in skb.files.files]
                else:
                    from emukernel.kernel.net.scm import detach_files

                    files = detach_files(self.net, skb)
        finally:
            if not flags & MSG_PEEK:
                self.free_skb(skb)
        if msg is not None or files:
            from emukernel.kernel.net.scm import NO_CREDS, scm_recv

            creds = skb.creds or NO_CREDS if self.passcred else None
            scm_recv(task, msg, flags, creds, files)
        return len(skb.data) if flags & MSG_TRUNC else size

    # State

    def poll(self, task: Task) -> int:
        mask = 0
        shutdown = self.shutdown
        if self.err:
            mask |= POLLERR
        if shutdown & RCV_SHUTDOWN:
            mask |= POLLRDHUP | POLLIN | POLLRDNORM
        if shutdown == SHUTDOWN_MASK:
            mask |= POLLHUP
        if self.queue or self.embryos:
            mask |= POLLIN | POLLRDNORM
        if self.connection_based and self.state == CLOSE:
            mask |= POLLHUP
        if self.writable():
            other = self.peer
            if other is None or other.peer is self or len(other.queue) <= other.backlog:
                mask |= WRITABLE
            elif self not in other.relays:
                other.relays.append(self)
        return mask

    def inq(self) -> int:
        if self.state == LISTEN:
            raise Errno(EINVAL)
        if self.connection_based:
            return sum([len(skb.data) for skb in self.queue])
        return len(self.queue[0].data) if self.queue else 0
