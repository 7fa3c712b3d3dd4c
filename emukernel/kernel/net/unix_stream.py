"""AF_UNIX, SOCK_STREAM: bytes without borders, but for what travels with them."""

from __future__ import annotations

from emukernel.kernel.errno import (
    EFAULT,
    EINVAL,
    EISCONN,
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
    POLLPRI,
    POLLRDHUP,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
)
from emukernel.kernel.net.af_unix import UnixSock
from emukernel.kernel.net.sock import (
    CLOSE,
    ESTABLISHED,
    LISTEN,
    MSG_DONTWAIT,
    MSG_OOB,
    MSG_PEEK,
    MSG_WAITALL,
    RCV_SHUTDOWN,
    READABLE,
    SEND_SHUTDOWN,
    SHUTDOWN_MASK,
    SOCK_STREAM,
    STREAM_PIECE_MAX,
    Net,
    Skb,
    send_sigpipe,
    stream_truesize,
    wait_for,
)
from emukernel.kernel.net.sockopt import SO_OOBINLINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.net.sendmsg import Msg
    from emukernel.kernel.task import Task


class UnixStream(UnixSock):
    """A local stream. `oob` is the packet with the urgent byte that was not read yet."""

    __slots__ = ("oob",)

    connection_based = True

    def __init__(self, net: Net) -> None:
        super().__init__(net, SOCK_STREAM)
        self.oob: Skb | None = None

    def new(self) -> UnixSock:
        return UnixStream(self.net)

    def connect(self, task: Task, address: bytes, nonblock: bool) -> None:
        self.connect_stream(task, address, nonblock)

    # Sending

    def sendmsg(self, task: Task, it: Iter, flags: int, msg: Msg | None) -> int:
        net = self.net
        if msg is not None and msg.control:
            from emukernel.kernel.net.scm import scm_send

            scm_send(task, net, msg)
        if flags & MSG_OOB and not it.count:
            raise Errno(EOPNOTSUPP)
        if msg is not None and msg.name:
            raise Errno(EISCONN if self.state == ESTABLISHED else EOPNOTSUPP)
        other = self.peer
        if other is None:
            raise Errno(ENOTCONN)
        assert type(other) is UnixStream
        call = task.call
        done: int = call.get("done", 0) if call else 0
        if done:
            it.advance(done)
        if self.shutdown & SEND_SHUTDOWN:
            return self._broken(task, flags, done)
        end = done + it.count
        while done < end:
            urgent = flags & MSG_OOB and done == end - 1
            left = end - done - (flags & MSG_OOB and not urgent)
            size = min(left, (self.sndbuf >> 1) - 64, STREAM_PIECE_MAX)
            try:
                self._wait_for_memory(task, flags, done)
                truesize = stream_truesize(size)
                net.charge(truesize)
                data = it.copy_from_iter(size)
                if len(data) < size:
                    net.used -= truesize
                    raise Errno(EFAULT)
            except Errno:
                if done:
                    return done
                raise
            if other.dead or other.shutdown & RCV_SHUTDOWN:
                net.used -= truesize
                return self._broken(task, flags, done)
            skb = Skb(data, truesize, self)
            self.wmem += truesize
            if msg is not None:
                skb.creds = self.creds_of(task, other, msg)
                if msg.files and not done:
                    from emukernel.kernel.net.scm import attach_files

                    attach_files(task, net, skb, msg)
            elif self.passcred or other.passcred:
                skb.creds = self.creds_of(task, other, None)
            if urgent:
                other.oob = skb
            other.queue.append(skb)
            other.read_queue.wake_up(0, READABLE)
            done += size
        return done

    def _wait_for_memory(self, task: Task, flags: int, done: int) -> None:
        """Returns when the send buffer has room (sock_alloc_send_pskb)."""
        if self.err:
            raise Errno(self.sock_error())
        if self.shutdown & SEND_SHUTDOWN:
            raise Errno(EPIPE)
        if self.wmem >= self.sndbuf:
            if done:
                task.call["done"] = done
            wait_for(task, self.write_queue, self.send_timeout(flags & MSG_DONTWAIT))

    def _broken(self, task: Task, flags: int, done: int) -> int:
        if done:
            return done
        send_sigpipe(task, flags)
        raise Errno(EPIPE)

    # Receiving

    def recvmsg(self, task: Task, it: Iter, flags: int, msg: Msg | None) -> int:
        if self.state != ESTABLISHED:
            raise Errno(EINVAL)
        if flags & MSG_OOB:
            return self._receive_urgent(it, flags, msg)
        call = task.call
        done: int = call.get("done", 0) if call else 0
        creds: tuple[int, int, int] | None = call.get("creds") if call else None
        if done:
            it.advance(done)
        files: list[File] = []
        try:
            wanted = it.count + done
            target = wanted if flags & MSG_WAITALL else min(self.rcvlowat, wanted) or 1
            while True:
                copied, creds = self._take(it, flags, msg, files, creds, done)
                if copied is not None:
                    done += copied
                queue = self.queue
                if not it.count and (done or copied is not None):
                    break
                if done and (done >= target or queue or files or flags & MSG_PEEK):
                    break
                if self.err:
                    raise Errno(self.sock_error())
                if self.shutdown & RCV_SHUTDOWN:
                    break
                if done:
                    call["done"] = done
                    call["creds"] = creds
                wait_for(task, self.read_queue, self.receive_timeout(flags & MSG_DONTWAIT))
        except Errno:
            if not done:
                raise
        if msg is not None or files:
            from emukernel.kernel.net.scm import NO_CREDS, scm_recv

            if not self.passcred:
                creds = None
            elif creds is None:
                creds = NO_CREDS
            scm_recv(task, msg, flags, creds, files)
        return done

    def _take(
        self,
        it: Iter,
        flags: int,
        msg: Msg | None,
        files: list[File],
        creds: tuple[int, int, int] | None,
        before: int,
    ) -> tuple[int | None, tuple[int, int, int] | None]:
        """Copies what is there, up to a border that must not be crossed unseen.

        `before` bytes came before. How many now (None where there is nothing, 0 where there is
        something but no room), and the credentials of whoever sent them.
        """
        queue = self.queue
        peek = flags & MSG_PEEK
        done = at = 0
        found = False
        while at < len(queue):
            skb = queue[at]
            data = skb.data
            left = len(data) - skb.start
            if not left:
                # Where an urgent byte was that has been read.
                if done or before:
                    break
                if peek:
                    at += 1
                else:
                    self.free_skb(queue.popleft())
                continue
            if skb is self.oob:
                if done or before:
                    break
                inline = self.flags.get(SO_OOBINLINE)
                if not peek:
                    self.oob = None
                    if not inline:
                        self.free_skb(queue.popleft())
                        continue
                elif not inline:
                    found = False
                    at += 1
                    continue
            if self.passcred:
                from emukernel.kernel.net.scm import NO_CREDS

                sender = skb.creds or NO_CREDS
                if creds is not None and creds != sender:
                    break
                creds = sender
            if msg is not None and msg.name is None:
                assert isinstance(skb.owner, UnixSock)
                msg.name = skb.owner.addr or b""
            found = True
            size = min(left, it.count)
            if size == len(data):
                copied = it.copy_to_iter(data)
            else:
                copied = it.copy_to_iter(memoryview(data)[skb.start : skb.start + size])
            if copied < size:
                if not done:
                    raise Errno(EFAULT)
                break
            done += size
            if peek:
                if skb.files is not None:
                    files += [file.get() for file in skb.files.files]
                    break
                at += 1
                if done and not it.count:
                    break
                continue
            if skb.files is not None:
                from emukernel.kernel.net.scm import detach_files

                files += detach_files(self.net, skb)
            if size < left:
                skb.start += size
                break
            queue.popleft()
            self.free_skb(skb)
            if files or not it.count:
                break
        return done if found else None, creds

    def _receive_urgent(self, it: Iter, flags: int, msg: Msg | None) -> int:
        skb = self.oob
        if skb is None or self.flags.get(SO_OOBINLINE):
            raise Errno(EINVAL)
        if not it.copy_to_iter(skb.data[skb.start :]):
            raise Errno(EFAULT)
        if not flags & MSG_PEEK:
            skb.start = len(skb.data)
            self.oob = None
        if msg is not None:
            msg.flags |= MSG_OOB
        return 1

    # State

    def poll(self, task: Task) -> int:
        mask = 0
        shutdown = self.shutdown
        if self.err:
            mask |= POLLERR
        if shutdown == SHUTDOWN_MASK:
            mask |= POLLHUP
        if shutdown & RCV_SHUTDOWN:
            mask |= POLLRDHUP | POLLIN | POLLRDNORM
        if self.queue or self.embryos:
            mask |= POLLIN | POLLRDNORM
            if self.oob is not None:
                mask |= POLLPRI
        if self.state == CLOSE:
            mask |= POLLHUP
        if self.writable():
            mask |= POLLOUT | POLLWRNORM | POLLWRBAND
        return mask

    def inq(self) -> int:
        if self.state == LISTEN:
            raise Errno(EINVAL)
        return sum([len(skb.data) - skb.start for skb in self.queue])

    def at_mark(self) -> bool:
        if not self.queue:
            return False
        first = self.queue[0]
        return first is self.oob or first.start == len(first.data)
