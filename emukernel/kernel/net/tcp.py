"""SOCK_STREAM of AF_INET and AF_INET6 (Linux: net/ipv4/tcp.c, af_inet.c, tcp(7)).

Connections are made and ended in tcp_connection.py. Here bytes go straight into the other end's
buffer, urgent ones among them.
"""

from __future__ import annotations

from emukernel.kernel.errno import (
    EAGAIN,
    EFAULT,
    EINVAL,
    ENOTCONN,
    EPIPE,
    Errno,
)
from emukernel.kernel.fs.file import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLPRI,
    POLLRDHUP,
    POLLRDNORM,
    POLLWRNORM,
)
from emukernel.kernel.net.sock import (
    CLOSE,
    CLOSE_WAIT,
    ESTABLISHED,
    FIN_WAIT2,
    LISTEN,
    MSG_DONTWAIT,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    MSG_WAITALL,
    RCV_SHUTDOWN,
    READABLE,
    SEND_SHUTDOWN,
    SHUTDOWN_MASK,
    SYN_SENT,
    send_sigpipe,
    wait_for,
)
from emukernel.kernel.net.sockopt import SO_OOBINLINE
from emukernel.kernel.net.tcp_connection import IPPROTO_TCP, TcpConnection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.net.sendmsg import Msg
    from emukernel.kernel.task import Task

_PIECE = 1 << 18
_SENDING = (ESTABLISHED, CLOSE_WAIT)


class TcpSock(TcpConnection):
    """A stream socket, with its calls that move data."""

    __slots__ = ()

    # Sending

    def outq(self) -> int:
        if self.state == LISTEN:
            raise Errno(EINVAL)
        return self._sent()

    def _stream_error(self, task: Task, flags: int) -> Errno:
        """What a send fails with; SIGPIPE where that is EPIPE."""
        err = self.sock_error() or EPIPE
        if err == EPIPE:
            send_sigpipe(task, flags)
        return Errno(err)

    def sendmsg(self, task: Task, it: Iter, flags: int, msg: Msg | None) -> int:
        if msg is not None and msg.control:
            from emukernel.kernel.net.scm import control_messages

            for _ in control_messages(msg.control):
                pass
        call = task.call
        done: int = call.get("done", 0) if call else 0
        if done:
            it.advance(done)
        timeout = self.send_timeout(flags & MSG_DONTWAIT)
        try:
            if self.state not in _SENDING:
                if self.err or self.state != SYN_SENT:
                    raise self._stream_error(task, flags)
                wait_for(task, self.write_queue, timeout)
            while True:
                if self.err or self.shutdown & SEND_SHUTDOWN:
                    if done:
                        break
                    raise self._stream_error(task, flags)
                if not it.count:
                    break
                space = self.sndbuf - self._sent()
                if space <= 0:
                    self.nospace = True
                    if done:
                        call["done"] = done
                    wait_for(task, self.write_queue, timeout)
                size = min(space, it.count, _PIECE)
                self.net.charge(size)
                data = it.copy_from_iter(size)
                self.net.used -= size - len(data)
                done += len(data)
                self._transmit(data, bool(flags & MSG_OOB) and not it.count)
                if len(data) < size:
                    if not done:
                        raise Errno(EFAULT)
                    break
                if not it.count:
                    # Before the error that these bytes may have caused is looked at.
                    break
        except Errno:
            if not done:
                raise
        return done

    def _transmit(self, data: bytes, urgent: bool) -> None:
        peer = self.peer
        assert peer is not None
        if peer.dead or peer.state == CLOSE:
            # Nobody is there to read it: a reset is the answer.
            self.net.used -= len(data)
            self.reset()
            return
        if peer.state == FIN_WAIT2 and peer.shutdown & RCV_SHUTDOWN:
            # Shut down both ways: data for it ends the connection.
            self.net.used -= len(data)
            peer.reset()
            self.reset()
            return
        peer.buf += data
        if urgent and data:
            peer.urgent = peer.position + len(peer.buf) - 1
            peer.urgent_read = False
        peer.read_queue.wake_up(0, READABLE)

    # Receiving

    def recvmsg(self, task: Task, it: Iter, flags: int, msg: Msg | None) -> int:
        if self.state == LISTEN:
            raise Errno(ENOTCONN)
        timeout = self.receive_timeout(flags & MSG_DONTWAIT)
        if flags & MSG_OOB:
            return self._receive_urgent(it, flags, msg)
        call = task.call
        done: int = call.get("done", 0) if call else 0
        if done:
            it.advance(done)
        wanted = it.count + done
        target = wanted if flags & MSG_WAITALL else min(self.rcvlowat, wanted) or 1
        try:
            while True:
                copied = self._take(it, flags, done)
                done += copied
                if not it.count and (done or self.buf):
                    break
                if done and (done >= target or flags & MSG_PEEK):
                    break
                if done:
                    if copied and self.urgent == self.position:
                        break
                    if self.err or self.state == CLOSE or self.shutdown & RCV_SHUTDOWN:
                        break
                    call["done"] = done
                else:
                    if self.fin:
                        break
                    if self.err:
                        raise Errno(self.sock_error())
                    if self.shutdown & RCV_SHUTDOWN:
                        break
                    if self.state == CLOSE:
                        raise Errno(ENOTCONN)
                wait_for(task, self.read_queue, timeout)
        except Errno:
            if not done:
                raise
        return done

    def _take(self, it: Iter, flags: int, before: int) -> int:
        """Copies what is there, up to urgent data."""
        buf = self.buf
        size = min(len(buf), it.count)
        if self.urgent is not None:
            ahead = self.urgent - self.position
            if ahead < 0:
                self.urgent = None
            elif ahead:
                size = min(size, ahead)
            elif not self.flags.get(SO_OOBINLINE):
                if before:
                    return 0
                if flags & MSG_PEEK:
                    return self._copy(it, flags, 1, min(len(buf) - 1, it.count))
                self._drop(1)
                self.urgent = None
                size = min(len(buf), it.count)
        done = self._copy(it, flags, 0, size)
        if not flags & MSG_PEEK:
            self._drop(done)
        return done

    def _copy(self, it: Iter, flags: int, start: int, size: int) -> int:
        if flags & MSG_TRUNC:
            it.advance(size)
            return size
        if not size:
            return 0
        done = it.copy_to_iter(bytes(self.buf[start : start + size]))
        if not done:
            raise Errno(EFAULT)
        return done

    def _receive_urgent(self, it: Iter, flags: int, msg: Msg | None) -> int:
        if self.urgent is None or self.urgent_read or self.flags.get(SO_OOBINLINE):
            raise Errno(EINVAL)
        if self.state == CLOSE and not self.fin:
            raise Errno(ENOTCONN)
        at = self.urgent - self.position
        if not 0 <= at < len(self.buf):
            raise Errno(EAGAIN)
        if msg is not None:
            msg.flags |= MSG_OOB
        if not flags & MSG_PEEK:
            self.urgent_read = True
        if not it.count:
            if msg is not None:
                msg.flags |= MSG_TRUNC
            return 0
        if not it.copy_to_iter(bytes(self.buf[at : at + 1])):
            raise Errno(EFAULT)
        return 1

    # State

    def poll(self, task: Task) -> int:
        state = self.state
        if state == LISTEN:
            return POLLIN | POLLRDNORM if self.backlog_queue else 0
        mask = 0
        shutdown = self.shutdown
        if shutdown == SHUTDOWN_MASK or state == CLOSE:
            mask |= POLLHUP
        if shutdown & RCV_SHUTDOWN:
            mask |= POLLIN | POLLRDNORM | POLLRDHUP
        if state != SYN_SENT:
            ready = len(self.buf)
            if self.urgent is not None:
                if self.urgent == self.position and not self.flags.get(SO_OOBINLINE):
                    ready -= 1
                if not self.urgent_read:
                    mask |= POLLPRI
            if ready >= self.rcvlowat:
                mask |= POLLIN | POLLRDNORM
            if shutdown & SEND_SHUTDOWN or self.writable():
                mask |= POLLOUT | POLLWRNORM
            else:
                self.nospace = True
        if self.err:
            mask |= POLLERR
        return mask

    def inq(self) -> int:
        if self.state == LISTEN:
            raise Errno(EINVAL)
        if self.urgent is None or self.flags.get(SO_OOBINLINE) or self.urgent < self.position:
            return len(self.buf)
        ahead = self.urgent - self.position
        return ahead or len(self.buf) - 1

    def at_mark(self) -> bool:
        return self.urgent is not None and self.urgent == self.position

    def setsockopt(self, task: Task, level: int, name: int, value: int, size: int) -> None:
        if level == IPPROTO_TCP:
            from emukernel.kernel.net.tcp_options import tcp_setsockopt

            tcp_setsockopt(task, self, name, value, size)
        else:
            super().setsockopt(task, level, name, value, size)

    def getsockopt(self, task: Task, level: int, name: int, size: int) -> bytes:
        if level == IPPROTO_TCP:
            from emukernel.kernel.net.tcp_options import tcp_getsockopt

            return tcp_getsockopt(self, name, size)
        return super().getsockopt(task, level, name, size)
