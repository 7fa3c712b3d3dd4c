"""socket(2) and the calls on it that move no data (Linux: net/socket.c)."""

from __future__ import annotations

from stat import S_IFSOCK

from emukernel.kernel.errno import (
    EAFNOSUPPORT,
    EBADF,
    ECONNABORTED,
    EINVAL,
    ENOTSOCK,
    ENOTTY,
    EPERM,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
    Errno,
)
from emukernel.kernel.fs.file import FMODE_PATH, O_CLOEXEC, O_NONBLOCK, O_RDWR, File
from emukernel.kernel.fs.mount import pseudo_path
from emukernel.kernel.net.sock import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    MSG_DONTWAIT,
    MSG_EOR,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOCKFS_MAGIC,
    SOMAXCONN,
    Net,
    Sock,
    get_net,
)
from emukernel.kernel.uaccess import (
    copy_from_user,
    copy_to_user,
    get_user_s32,
    put_user_u32,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.task import Task

SOCKADDR_MAX = 128
SOCK_TYPE_MASK = 0xF
SOCK_CLOEXEC = O_CLOEXEC
SOCK_NONBLOCK = O_NONBLOCK
SOCK_PACKET, SOCK_MAX = 10, 11
NPROTO = 46
IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_MAX = 1, 6, 17, 263
SOL_SOCKET = 1
CAP_NET_RAW = 13

SIOCINQ, SIOCOUTQ, SIOCATMARK = 0x541B, 0x5411, 0x8905
FIOSETOWN, SIOCSPGRP, FIOGETOWN, SIOCGPGRP = 0x8901, 0x8902, 0x8903, 0x8904


class SocketFile(File):
    """The open file of a socket."""

    __slots__ = ("sk",)

    seekable = False
    splices = False

    def __init__(self, path: Path, flags: int, sk: Sock) -> None:
        super().__init__(path, flags)
        self.sk = sk
        sk.file = self
        sk.ino = self.inode.ino
        sk.net.sockets[sk.ino] = sk

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        if not it.count:
            return 0
        return self.sk.recvmsg(task, it, MSG_DONTWAIT if self.flags & O_NONBLOCK else 0, None)

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        flags = MSG_DONTWAIT if self.flags & O_NONBLOCK else 0
        if self.sk.type == SOCK_SEQPACKET:
            flags |= MSG_EOR
        return self.sk.sendmsg(task, it, flags, None)

    def poll(self, task: Task) -> int:
        return self.sk.poll(task)

    def poll_queues(self, events: int) -> list[Any]:
        return self.sk.poll_queues(events)

    def ioctl(self, task: Task, cmd: int, arg: int) -> int:
        sk = self.sk
        if cmd == SIOCINQ:
            put_user_u32(task, arg, sk.inq())
        elif cmd == SIOCOUTQ:
            put_user_u32(task, arg, sk.outq())
        elif cmd == SIOCATMARK:
            put_user_u32(task, arg, sk.at_mark())
        elif cmd in (FIOSETOWN, SIOCSPGRP):
            who = get_user_s32(task, arg)
            self.owner = (1, who) if who >= 0 else (2, -who)
        elif cmd in (FIOGETOWN, SIOCGPGRP):
            kind, who = self.owner
            put_user_u32(task, arg, -who if kind == 2 else who)
        elif 0x8910 <= cmd <= 0x8993:
            from emukernel.kernel.net.dev_ioctl import dev_ioctl

            dev_ioctl(task, cmd, arg)
        else:
            raise Errno(ENOTTY)
        return 0

    def release(self) -> None:
        sk = self.sk
        sk.net.sockets.pop(sk.ino, None)
        sk.file = None
        sk.release()


# Descriptors


def sockfd_lookup(task: Task, fd: int) -> SocketFile:
    """The socket file of a descriptor; Errno(EBADF, ENOTSOCK)."""
    file = task.files.table.get(fd)
    if file is None or file.mode & FMODE_PATH:
        raise Errno(EBADF)
    if type(file) is not SocketFile:
        raise Errno(ENOTSOCK)
    return file


def sock_alloc_file(task: Task, sk: Sock, flags: int) -> SocketFile:
    """An open file for a socket; `flags` may hold SOCK_NONBLOCK."""
    sk.uid = task.cred.fsuid
    path = pseudo_path(task.kernel, "sockfs", SOCKFS_MAGIC, b"socket:[%d]", S_IFSOCK | 0o777)
    inode = path.dentry.inode
    inode.uid, inode.gid = task.cred.fsuid, task.cred.fsgid
    return SocketFile(path, O_RDWR | flags & O_NONBLOCK, sk)


def _check_flags(flags: int) -> None:
    if flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK):
        raise Errno(EINVAL)


def move_addr_to_kernel(task: Task, address: int, size: int) -> bytes:
    """A socket address in user memory; Errno(EINVAL, EFAULT)."""
    if not 0 <= size <= SOCKADDR_MAX:
        raise Errno(EINVAL)
    return copy_from_user(task, address, size) if size else b""


def move_addr_to_user(task: Task, data: bytes, address: int, length: int) -> None:
    """Writes as much of an address as there is room for, and how long it is. EINVAL, EFAULT."""
    room = get_user_s32(task, length)
    if room < 0:
        raise Errno(EINVAL)
    if room and data:
        copy_to_user(task, address, data[:room])
    put_user_u32(task, length, len(data))


# Making


def sock_create(task: Task, family: int, kind: int, protocol: int) -> Sock:
    """A new socket. Errno: EAFNOSUPPORT, EINVAL, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPERM."""
    if not 0 <= family < NPROTO:
        raise Errno(EAFNOSUPPORT)
    if kind >= SOCK_MAX:
        raise Errno(EINVAL)
    net = get_net(task.kernel)
    if family == AF_UNIX:
        return _unix_create(net, kind, protocol)
    if family in (AF_INET, AF_INET6) and not (family == AF_INET and kind == SOCK_PACKET):
        return _inet_create(task, net, family, kind, protocol)
    raise Errno(EAFNOSUPPORT)


def _unix_create(net: Net, kind: int, protocol: int) -> Sock:
    from emukernel.kernel.net.unix_dgram import UnixDgram
    from emukernel.kernel.net.unix_stream import UnixStream

    if protocol not in (0, AF_UNIX):
        raise Errno(EPROTONOSUPPORT)
    if kind == SOCK_STREAM:
        return UnixStream(net)
    if kind == SOCK_RAW:
        kind = SOCK_DGRAM
    if kind not in (SOCK_DGRAM, SOCK_SEQPACKET):
        raise Errno(ESOCKTNOSUPPORT)
    return UnixDgram(net, kind)


def _inet_create(task: Task, net: Net, family: int, kind: int, protocol: int) -> Sock:
    if not 0 <= protocol < IPPROTO_MAX:
        raise Errno(EINVAL)
    if kind == SOCK_STREAM and protocol in (0, IPPROTO_TCP):
        from emukernel.kernel.net.tcp import TcpSock

        return TcpSock(net, family)
    if kind == SOCK_DGRAM and protocol in (0, IPPROTO_UDP):
        from emukernel.kernel.net.udp import UdpSock

        return UdpSock(net, family)
    if kind == SOCK_RAW and protocol and not task.cred.capable(CAP_NET_RAW):
        raise Errno(EPERM)
    if kind in (SOCK_STREAM, SOCK_DGRAM, SOCK_RAW):
        raise Errno(EPROTONOSUPPORT)
    raise Errno(ESOCKTNOSUPPORT)


def sys_socket(task: Task, family: int, type: int, protocol: int) -> int:
    """socket(2)"""
    flags = type & ~SOCK_TYPE_MASK
    _check_flags(flags)
    sk = sock_create(task, family, type & SOCK_TYPE_MASK, protocol)
    file = sock_alloc_file(task, sk, flags)
    return task.files.add(task, file, bool(flags & SOCK_CLOEXEC))


def sys_socketpair(task: Task, family: int, type: int, protocol: int, usockvec: int) -> int:
    """socketpair(2)"""
    flags = type & ~SOCK_TYPE_MASK
    _check_flags(flags)
    files = task.files
    first = files.unused(task)
    second = files.unused(task, first + 1)
    put_user_u32(task, usockvec, first)
    put_user_u32(task, usockvec + 4, second)
    one = sock_create(task, family, type & SOCK_TYPE_MASK, protocol)
    two = sock_create(task, family, type & SOCK_TYPE_MASK, protocol)
    one.socketpair(task, two)
    cloexec = bool(flags & SOCK_CLOEXEC)
    files.install(first, sock_alloc_file(task, one, flags), cloexec)
    files.install(second, sock_alloc_file(task, two, flags), cloexec)
    return 0


# Names and connections


def sys_bind(task: Task, fd: int, umyaddr: int, addrlen: int) -> int:
    """bind(2)"""
    sk = sockfd_lookup(task, fd).sk
    sk.bind(task, move_addr_to_kernel(task, umyaddr, addrlen))
    return 0


def sys_listen(task: Task, fd: int, backlog: int) -> int:
    """listen(2)"""
    sk = sockfd_lookup(task, fd).sk
    sk.listen(task, backlog if 0 <= backlog <= SOMAXCONN else SOMAXCONN)
    return 0


def sys_connect(task: Task, fd: int, uservaddr: int, addrlen: int) -> int:
    """connect(2)"""
    file = sockfd_lookup(task, fd)
    address = move_addr_to_kernel(task, uservaddr, addrlen)
    file.sk.connect(task, address, bool(file.flags & O_NONBLOCK))
    return 0


def sys_accept4(task: Task, fd: int, upeer_sockaddr: int, upeer_addrlen: int, flags: int) -> int:
    """accept4(2)"""
    files = task.files
    listener = files.get(fd)
    _check_flags(flags)
    newfd = files.unused(task)
    if type(listener) is not SocketFile:
        raise Errno(ENOTSOCK)
    sk = listener.sk.accept(task, bool(listener.flags & O_NONBLOCK))
    file = sock_alloc_file(task, sk, flags)
    if upeer_sockaddr:
        try:
            try:
                peer = sk.getname(2)
            except Errno:
                raise Errno(ECONNABORTED) from None
            move_addr_to_user(task, peer, upeer_sockaddr, upeer_addrlen)
        except Errno:
            file.put()
            raise
    files.install(newfd, file, bool(flags & SOCK_CLOEXEC))
    return newfd


def sys_accept(task: Task, fd: int, upeer_sockaddr: int, upeer_addrlen: int) -> int:
    """accept(2)"""
    return sys_accept4(task, fd, upeer_sockaddr, upeer_addrlen, 0)


def sys_getsockname(task: Task, fd: int, usockaddr: int, usockaddr_len: int) -> int:
    """getsockname(2)"""
    name = sockfd_lookup(task, fd).sk.getname(0)
    move_addr_to_user(task, name, usockaddr, usockaddr_len)
    return 0


def sys_getpeername(task: Task, fd: int, usockaddr: int, usockaddr_len: int) -> int:
    """getpeername(2)"""
    name = sockfd_lookup(task, fd).sk.getname(1)
    move_addr_to_user(task, name, usockaddr, usockaddr_len)
    return 0


def sys_shutdown(task: Task, fd: int, how: int) -> int:
    """shutdown(2)"""
    sk = sockfd_lookup(task, fd).sk
    if not 0 <= how <= 2:
        raise Errno(EINVAL)
    sk.do_shutdown(task, how + 1)
    return 0


# Options


def sys_setsockopt(task: Task, fd: int, level: int, optname: int, optval: int, optlen: int) -> int:
    """setsockopt(2)"""
    sk = sockfd_lookup(task, fd).sk
    if optlen < 0:
        raise Errno(EINVAL)
    if level == SOL_SOCKET:
        from emukernel.kernel.net.sockopt import sock_setsockopt

        sock_setsockopt(task, sk, optname, optval, optlen)
    else:
        sk.setsockopt(task, level, optname, optval, optlen)
    return 0


def sys_getsockopt(task: Task, fd: int, level: int, optname: int, optval: int, optlen: int) -> int:
    """getsockopt(2)"""
    sk = sockfd_lookup(task, fd).sk
    size = get_user_s32(task, optlen)
    if size < 0:
        raise Errno(EINVAL)
    if level == SOL_SOCKET:
        from emukernel.kernel.net.sockopt import sock_getsockopt

        value = sock_getsockopt(task, sk, optname, size, optlen)
    else:
        value = sk.getsockopt(task, level, optname, size)
    copy_to_user(task, optval, value[:size])
    put_user_u32(task, optlen, min(size, len(value)))
    return 0
