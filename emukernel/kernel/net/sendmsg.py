"""The calls that move data: sendto(2), sendmsg(2), recvfrom(2), recvmsg(2) and their kin.

Linux: net/socket.c. A call that slept is entered again from its start: what it has moved by then
is in `task.call` ("done" for one message, "sent" for messages of sendmmsg and recvmmsg).
"""

from __future__ import annotations

from struct import Struct, pack

from emukernel.kernel.errno import (
    EAGAIN,
    EFAULT,
    EINTR,
    EINVAL,
    EMSGSIZE,
    ENOBUFS,
    ERESTARTSYS,
    Errno,
)
from emukernel.kernel.fs.file import O_NONBLOCK
from emukernel.kernel.net.sock import (
    MSG_CMSG_COMPAT,
    MSG_DONTWAIT,
    MSG_OOB,
    MSG_WAITFORONE,
)
from emukernel.kernel.net.socket import (
    SOCKADDR_MAX,
    SocketFile,
    move_addr_to_kernel,
    move_addr_to_user,
    sockfd_lookup,
)
from emukernel.kernel.uaccess import (
    MAX_RW_COUNT,
    UIO_MAXIOV,
    IovIter,
    access_ok,
    copy_from_user,
    copy_to_user,
    get_user_s32,
    import_iovec,
    put_user_u32,
    put_user_u64,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.file import File
    from emukernel.kernel.task import Task

_OPTMEM_MAX = 131072
_INT_MAX = 0x7FFFFFFF
_MMSGHDR_SIZE = 64

#: struct user_msghdr: name, name length, segments, how many, control, its length, flags.
_MSGHDR = Struct("<Qi4xQQQQI4x")
_NS = 10**9


class Msg:
    """What goes with a message besides its bytes (struct msghdr).

    Sending: `name` is the address given or None, `control` the control data, from which
    AF_UNIX takes `files` and `creds`. Receiving: `name` is where it came from, control messages
    go to user memory at `address`, where `room` bytes are left, and `flags` are MSG_* to return.
    """

    __slots__ = ("address", "control", "creds", "files", "flags", "name", "room")

    def __init__(self, name: bytes | None = None, control: bytes = b"") -> None:
        self.name = name
        self.control = control
        self.files: list[File] | None = None
        self.creds: tuple[int, int, int] | None = None
        self.flags = 0
        self.address = 0
        self.room = 0


def _range(task: Task, address: int, size: int) -> IovIter:
    size = min(size, MAX_RW_COUNT)
    if not access_ok(address, size):
        raise Errno(EFAULT)
    return IovIter(task, [(address, size)])


def _file_flags(file: SocketFile, flags: int) -> int:
    return flags | MSG_DONTWAIT if file.flags & O_NONBLOCK else flags


# Sending


def sys_sendto(
    task: Task, fd: int, buff: int, len: int, flags: int, addr: int, addr_len: int
) -> int:
    """sendto(2)"""
    it = _range(task, buff, len)
    file = sockfd_lookup(task, fd)
    msg = Msg(move_addr_to_kernel(task, addr, addr_len)) if addr else None
    return file.sk.sendmsg(task, it, _file_flags(file, flags), msg)


def _do_sendmsg(task: Task, file: SocketFile, address: int, flags: int) -> int:
    """Sends what the struct msghdr at `address` describes."""
    name, name_size, segments, count, control, control_size, _ = _MSGHDR.unpack(
        copy_from_user(task, address, _MSGHDR.size)
    )
    msg = Msg()
    if not name:
        name_size = 0
    if name_size < 0:
        raise Errno(EINVAL)
    if name_size:
        msg.name = copy_from_user(task, name, min(name_size, SOCKADDR_MAX))
    if count > UIO_MAXIOV:
        raise Errno(EMSGSIZE)
    it = IovIter(task, import_iovec(task, segments, count))
    if control_size > _INT_MAX or (control_size and control_size > _OPTMEM_MAX):
        raise Errno(ENOBUFS)
    if control_size:
        msg.control = copy_from_user(task, control, control_size)
    try:
        return file.sk.sendmsg(task, it, _file_flags(file, flags), msg)
    finally:
        if msg.files:
            for passed in msg.files:
                passed.put()


def sys_sendmsg(task: Task, fd: int, msg: int, flags: int) -> int:
    """sendmsg(2)"""
    if flags & MSG_CMSG_COMPAT:
        raise Errno(EINVAL)
    return _do_sendmsg(task, sockfd_lookup(task, fd), msg, flags)


def sys_sendmmsg(task: Task, fd: int, mmsg: int, vlen: int, flags: int) -> int:
    """sendmmsg(2)"""
    if flags & MSG_CMSG_COMPAT:
        raise Errno(EINVAL)
    file = sockfd_lookup(task, fd)
    call = task.call
    sent: int = call.get("sent", 0)
    while sent < min(vlen, UIO_MAXIOV):
        address = mmsg + sent * _MMSGHDR_SIZE
        try:
            size = _do_sendmsg(task, file, address, flags)
            put_user_u32(task, address + _MSGHDR.size, size)
        except Errno:
            if sent:
                break
            raise
        sent += 1
        call["sent"] = sent
        call.pop("done", None)
    return sent


# Receiving


def sys_recvfrom(
    task: Task, fd: int, ubuf: int, size: int, flags: int, addr: int, addr_len: int
) -> int:
    """recvfrom(2)"""
    it = _range(task, ubuf, size)
    file = sockfd_lookup(task, fd)
    if not addr:
        return file.sk.recvmsg(task, it, _file_flags(file, flags), None)
    msg = Msg()
    done = file.sk.recvmsg(task, it, _file_flags(file, flags), msg)
    move_addr_to_user(task, msg.name or b"", addr, addr_len)
    return done


def _do_recvmsg(task: Task, file: SocketFile, address: int, flags: int) -> int:
    """Receives what the struct msghdr at `address` has room for."""
    name, name_size, segments, count, control, control_size, _ = _MSGHDR.unpack(
        copy_from_user(task, address, _MSGHDR.size)
    )
    if name and name_size < 0:
        raise Errno(EINVAL)
    if count > UIO_MAXIOV:
        raise Errno(EMSGSIZE)
    it = IovIter(task, import_iovec(task, segments, count))
    msg = Msg()
    msg.address = control
    msg.room = control_size
    done = file.sk.recvmsg(task, it, _file_flags(file, flags), msg)
    if name:
        move_addr_to_user(task, msg.name or b"", name, address + 8)
    put_user_u32(task, address + 48, msg.flags)
    put_user_u64(task, address + 40, control_size - msg.room)
    return done


def sys_recvmsg(task: Task, fd: int, msg: int, flags: int) -> int:
    """recvmsg(2)"""
    if flags & MSG_CMSG_COMPAT:
        raise Errno(EINVAL)
    return _do_recvmsg(task, sockfd_lookup(task, fd), msg, flags)


def sys_recvmmsg(task: Task, fd: int, mmsg: int, vlen: int, flags: int, timeout: int) -> int:
    """recvmmsg(2): the time-out is looked at after each message only, as Linux does."""
    if flags & MSG_CMSG_COMPAT:
        raise Errno(EINVAL)
    end = _recvmmsg_end(task, timeout)
    received = _receive_many(task, sockfd_lookup(task, fd), mmsg, vlen, flags, end)
    if timeout and received:
        left = 0 if end is None else max(end - task.kernel.clock.monotonic(), 0)
        copy_to_user(task, timeout, pack("<qq", left // _NS, left % _NS))
    return received


def _receive_many(
    task: Task, file: SocketFile, mmsg: int, vlen: int, flags: int, end: int | None
) -> int:
    call = task.call
    received: int = call.get("received", 0)
    if not received:
        error = file.sk.sock_error()
        if error:
            raise Errno(error)
    while received < vlen:
        address = mmsg + received * _MMSGHDR_SIZE
        wait = flags & ~MSG_WAITFORONE
        if flags & MSG_WAITFORONE and received:
            wait |= MSG_DONTWAIT
        try:
            size = _do_recvmsg(task, file, address, wait)
            put_user_u32(task, address + _MSGHDR.size, size)
        except Errno as failed:
            if not received:
                raise
            if failed.errno not in (EAGAIN, EINTR, ERESTARTSYS):
                # Told by the next call.
                file.sk.err = failed.errno
            break
        received += 1
        call["received"] = received
        call.pop("done", None)
        call.pop("deadline", None)
        if end is not None and task.kernel.clock.monotonic() >= end:
            break
        if get_user_s32(task, address + 48) & MSG_OOB:
            break
    return received


def _recvmmsg_end(task: Task, timeout: int) -> int | None:
    """The moment at which recvmmsg stops, fixed at the call's first entry; None without one."""
    if not timeout:
        return None
    call = task.call
    if "end" not in call:
        seconds, ns = Struct("<qq").unpack(copy_from_user(task, timeout, 16))
        if seconds < 0 or not 0 <= ns < _NS:
            raise Errno(EINVAL)
        call["end"] = task.kernel.clock.monotonic() + seconds * _NS + ns
    end: int = call["end"]
    return end
