"""How a TCP connection comes to be and ends (Linux: net/ipv4/af_inet.c, tcp.c, tcp_input.c).

Both ends of every connection are in this kernel, so that there are no segments: the states follow
as on a wire without delay. What programs see of TCP is kept: states, half-closed connections,
resets, backlogs, time-wait.
"""

from __future__ import annotations

from collections import deque

from emukernel.kernel.errno import (
    EADDRINUSE,
    EAGAIN,
    EALREADY,
    ECONNABORTED,
    ECONNREFUSED,
    ECONNRESET,
    EINPROGRESS,
    EINVAL,
    EISCONN,
    ENOTCONN,
    EPIPE,
    ETIMEDOUT,
    Errno,
)
from emukernel.kernel.net.af_inet import InetSock
from emukernel.kernel.net.sock import (
    CLOSE,
    CLOSE_WAIT,
    ESTABLISHED,
    FIN_WAIT2,
    LAST_ACK,
    LISTEN,
    RCV_SHUTDOWN,
    READABLE,
    SEND_SHUTDOWN,
    SHUTDOWN_MASK,
    SOCK_STREAM,
    SYN_SENT,
    WRITABLE,
    Net,
    Sock,
    wait_for,
)
from emukernel.kernel.net.sockopt import SO_REUSEADDR, SO_REUSEPORT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.sched.core import Timer
    from emukernel.kernel.task import Task

IPPROTO_TCP = 6
# Send buffers before and after a connection is there; receive buffers (net.ipv4.tcp_?mem).
SNDBUF_INITIAL = 16384
SNDBUF_CONNECTED = 2626560
RCVBUF = 131072
_TIME_WAIT_NS = 60 * 10**9
_TIME_WAIT_MAX = 4096
_SYN_NS = 127 * 10**9

# States of the socket above TCP's own (enum socket_state).
UNCONNECTED, CONNECTING, CONNECTED, DISCONNECTING = 1, 2, 3, 4


class TcpConnection(InetSock):
    """A stream socket.

    `peer` is the other end, `buf` what it sent and nobody read, `position` how many bytes were
    read before. `urgent` is the position of the urgent byte, None without one, and `urgent_read`
    says that it was read out of band. `fin` says that the other end sends no more,
    `nospace` that someone found no room to send. `ss` is the
    state above TCP's. `backlog_queue` are connections to accept, `syn_queue` those whom the
    full backlog keeps waiting, `waiting_at` the listener in whose syn_queue this socket is, until
    `timer` at most.
    """

    __slots__ = (
        "backlog_queue",
        "buf",
        "fin",
        "nospace",
        "peer",
        "position",
        "ss",
        "syn_queue",
        "timer",
        "urgent",
        "urgent_read",
        "waiting_at",
    )

    connection_based = True

    def __init__(self, net: Net, family: int) -> None:
        super().__init__(net, family, SOCK_STREAM, IPPROTO_TCP)
        self.sndbuf = SNDBUF_INITIAL
        self.rcvbuf = RCVBUF
        self.ss = UNCONNECTED
        self.peer: TcpConnection | None = None
        self.buf = bytearray()
        self.position = 0
        self.urgent: int | None = None
        self.urgent_read = False
        self.fin = False
        self.nospace = False
        self.backlog_queue: deque[TcpConnection] = deque()
        self.syn_queue: deque[TcpConnection] = deque()
        self.waiting_at: TcpConnection | None = None
        self.timer: Timer | None = None

    # Connecting

    def connect(self, task: Task, address: bytes, nonblock: bool) -> None:
        if len(address) < 2:
            raise Errno(EINVAL)
        if address[:2] == b"\0\0":
            self.disconnect()
            self.ss = UNCONNECTED
            return
        call = task.call
        error = EINPROGRESS
        if self.ss == CONNECTED:
            raise Errno(EISCONN)
        if self.ss == DISCONNECTING:
            raise Errno(EINVAL)
        if self.ss == UNCONNECTED:
            if self.state != CLOSE:
                raise Errno(EISCONN)
            self._start(task, address)
            call["connecting"] = True
            if nonblock:
                raise Errno(EINPROGRESS)
        elif "connecting" not in call:
            error = EALREADY
        if self.state == SYN_SENT:
            try:
                wait_for(task, self.write_queue, self.send_timeout(nonblock))
            except Errno as failed:
                if failed.errno == EAGAIN:
                    raise Errno(error) from None
                raise
        if self.state == CLOSE:
            err = self.sock_error() or ECONNABORTED
            self.disconnect()
            self.ss = UNCONNECTED
            raise Errno(err)
        self.ss = CONNECTED

    def _start(self, task: Task, address: bytes) -> None:
        """Sends the first packet of a connection, and has it answered."""
        host, port = self.parse(address)
        host, own = self.route(host)
        self.host = own
        self.autobind(task)
        self.peer_host, self.peer_port = host, port
        self.state = SYN_SENT
        self.ss = CONNECTING
        self.err = 0
        self.fin = False
        listener = self._listener(host, port)
        if listener is None and (host, port) == (own, self.port):
            # Who calls itself gets through: both ends open at once.
            self.peer = self
            self.state = ESTABLISHED
            self.wake_all()
            if self.shutdown & SEND_SHUTDOWN:
                self.send_fin()
        elif listener is None:
            self.reset()
        elif len(listener.backlog_queue) > listener.backlog:
            listener.syn_queue.append(self)
            self.waiting_at = listener
            end = task.kernel.clock.monotonic() + _SYN_NS
            self.timer = task.kernel.sched.add_timer(end, self)
        else:
            self._establish(listener)

    def expire(self, kernel: Kernel) -> None:
        """Nobody has answered the first packet for long enough."""
        if self.state == SYN_SENT:
            self._leave_syn_queue()
            self.done(ETIMEDOUT)

    def _leave_syn_queue(self) -> None:
        listener, self.waiting_at = self.waiting_at, None
        if listener is not None and self in listener.syn_queue:
            listener.syn_queue.remove(self)
            if self.timer is not None:
                self.net.kernel.sched.cancel_timer(self.timer)
                self.timer = None

    def _listener(self, host: bytes, port: int) -> TcpConnection | None:
        """The socket that listens at an address; one of several that share it (SO_REUSEPORT)."""
        best: list[TcpConnection] = []
        score = 0
        for sk in self.net.ports.get((IPPROTO_TCP, port), ()):
            if sk.state != LISTEN:
                continue
            fits = sk.receives(host)
            if fits > score:
                best, score = [sk], fits
            elif fits and fits == score:
                best.append(sk)
        return best[self.port % len(best)] if best else None

    def _establish(self, listener: TcpConnection) -> None:
        """The handshake: this socket is connected, the listener has a connection to accept."""
        child = type(self)(self.net, listener.family)
        child.flags = dict(listener.flags)
        child.options = dict(listener.options)
        child.sndbuf, child.rcvbuf = listener.sndbuf, listener.rcvbuf
        child.rcvlowat, child.linger = listener.rcvlowat, listener.linger
        child.rcvtimeo, child.sndtimeo = listener.rcvtimeo, listener.sndtimeo
        child.uid = listener.uid
        child.host, child.peer_host, child.peer_port = self.peer_host, self.host, self.port
        child.hash_port(self.peer_port)
        child.ss = CONNECTED
        child.peer, self.peer = self, child
        for sk in (child, self):
            sk.state = ESTABLISHED
            if sk.sndbuf == SNDBUF_INITIAL:
                sk.sndbuf = SNDBUF_CONNECTED
        listener.backlog_queue.append(child)
        listener.read_queue.wake_up(0, READABLE)
        self.wake_all()

    def listen(self, task: Task, backlog: int) -> None:
        if self.ss != UNCONNECTED or self.state not in (CLOSE, LISTEN):
            raise Errno(EINVAL)
        if self.state == CLOSE:
            if self.port:
                # Others may have bound the same port; only one of them gets to listen.
                for other in self.net.ports.get((IPPROTO_TCP, self.port), ()):
                    if other.state == LISTEN and self.conflicts(other):
                        raise Errno(EADDRINUSE)
                if not self.hashed:
                    self.hash_port(self.port)
            else:
                self.get_port(task, 0)
        self.backlog = backlog
        self.state = LISTEN
        self._answer_waiting()

    def _answer_waiting(self) -> None:
        while self.syn_queue and len(self.backlog_queue) <= self.backlog:
            client = self.syn_queue[0]
            client._leave_syn_queue()
            client._establish(self)

    def accept(self, task: Task, nonblock: bool) -> Sock:
        if self.state != LISTEN:
            raise Errno(EINVAL)
        if not self.backlog_queue:
            wait_for(task, self.read_queue, self.receive_timeout(nonblock))
        child = self.backlog_queue.popleft()
        self._answer_waiting()
        return child

    def _port_free(self, task: Task, port: int) -> bool:
        if not super()._port_free(task, port):
            return False
        past = self.net.time_wait.get(port)
        if not past:
            return True
        now = task.kernel.clock.monotonic()
        past[:] = [entry for entry in past if entry[1] > now]
        if not past:
            del self.net.time_wait[port]
        mine = self.flags.get(SO_REUSEADDR) or self.flags.get(SO_REUSEPORT)
        return all((mine and reuse) or not self.same_host(old) for old, _end, reuse in past)

    # Ending

    def done(self, err: int) -> None:
        """The connection is no more (tcp_done)."""
        self.state = CLOSE
        self.shutdown = SHUTDOWN_MASK
        self.err = err
        if not self.bound_port:
            self.unhash_port()
        self.wake_all()

    def reset(self) -> None:
        """The other end has reset the connection, or never wanted it."""
        if self.state == CLOSE:
            return
        if self.state == SYN_SENT:
            err = ECONNREFUSED
        elif self.state == CLOSE_WAIT:
            err = EPIPE
        else:
            err = ECONNRESET
        self.done(err)

    def receive_fin(self) -> None:
        """The other end sends no more."""
        if self.state == CLOSE:
            return
        self.shutdown |= RCV_SHUTDOWN
        self.fin = True
        if self.state == ESTABLISHED:
            self.state = CLOSE_WAIT
            self.wake_all()
        elif self.state == FIN_WAIT2:
            self._enter_time_wait()
            self.done(0)

    def send_fin(self) -> None:
        """Nothing is sent any more: the connection is half closed, or at its end."""
        peer = self.peer
        if self.state == ESTABLISHED:
            self.state = FIN_WAIT2
        elif self.state == CLOSE_WAIT:
            self.state = LAST_ACK
        else:
            return
        if peer is not None:
            peer.receive_fin()
        if self.state == LAST_ACK:
            self.done(0)

    def _enter_time_wait(self) -> None:
        waiting = self.net.time_wait
        now = self.net.kernel.clock.monotonic()
        if len(waiting) >= _TIME_WAIT_MAX:
            for port in [p for p, past in waiting.items() if past[-1][1] <= now]:
                del waiting[port]
            if len(waiting) >= _TIME_WAIT_MAX:
                return
        past = waiting.setdefault(self.port, [])
        reuse = bool(self.flags.get(SO_REUSEADDR) or self.flags.get(SO_REUSEPORT))
        if len(past) < 16:
            past.append((self._tombstone(), now + _TIME_WAIT_NS, reuse))

    def _tombstone(self) -> InetSock:
        """What a later bind(2) compares its address with."""
        stone = InetSock.__new__(InetSock)
        stone.family, stone.host, stone.options = self.family, self.host, dict(self.options)
        return stone

    def disconnect(self) -> None:
        """Back to a socket that is bound at most (tcp_disconnect)."""
        old = self.state
        if old == LISTEN:
            self._stop_listening()
        elif old != CLOSE:
            self.err = ECONNRESET
            if self.peer is not None:
                self.peer.reset()
        self._leave_syn_queue()
        self._drop(len(self.buf))
        self.state = CLOSE
        self.peer = None
        self.shutdown = 0
        self.fin = False
        self.urgent = None
        self.peer_host, self.peer_port = self.any_host(), 0
        if not self.bound_host:
            self.host = self.any_host()
        if old != CLOSE and not self.bound_port:
            self.unhash_port()
        self.wake_all()

    def _stop_listening(self) -> None:
        self.state = CLOSE
        while self.backlog_queue:
            child = self.backlog_queue.popleft()
            if child.peer is not None:
                child.peer.reset()
            child.release()
        while self.syn_queue:
            client = self.syn_queue[0]
            client._leave_syn_queue()
            client.reset()

    def do_shutdown(self, task: Task, how: int) -> None:
        state = self.state
        if self.ss == CONNECTING:
            self.ss = DISCONNECTING if state in (SYN_SENT, CLOSE) else CONNECTED
        if state in (LISTEN, SYN_SENT):
            if state == SYN_SENT or how & RCV_SHUTDOWN:
                self.disconnect()
                self.ss = UNCONNECTED
            return
        self.shutdown |= how
        if how & SEND_SHUTDOWN:
            self.send_fin()
        self.wake_all()
        if state == CLOSE:
            raise Errno(ENOTCONN)

    def release(self) -> None:
        self.dead = True
        if self.state == LISTEN:
            self._stop_listening()
        self._leave_syn_queue()
        unread = len(self.buf)
        self._drop(unread)
        peer = self.peer
        if self.state not in (CLOSE, SYN_SENT):
            if unread or self.linger == 0:
                self.state = CLOSE
                if peer is not None:
                    peer.reset()
            else:
                self.send_fin()
                if self.state == FIN_WAIT2:
                    self._enter_time_wait()
        self.unhash_port()
        self.shutdown = SHUTDOWN_MASK
        self.peer = None
        self.wake_all()

    # Buffers

    def _sent(self) -> int:
        """Bytes sent that the other end's window has no room for yet."""
        peer = self.peer
        return 0 if peer is None else max(len(peer.buf) - (peer.rcvbuf >> 1), 0)

    def writable(self) -> bool:
        """Is at least a third of the send buffer free?"""
        sent = self._sent()
        return self.sndbuf - sent >= sent >> 1

    def _drop(self, size: int) -> None:
        """The first bytes of the buffer are done with: there is room for others."""
        if not size:
            return
        del self.buf[:size]
        self.position += size
        self.net.used -= size
        peer = self.peer
        if peer is not None and peer.nospace and peer.writable():
            peer.nospace = False
            peer.write_queue.wake_up(0, WRITABLE)
