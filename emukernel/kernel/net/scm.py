"""Control messages: descriptors and credentials that travel with bytes (Linux: net/core/scm.c).

cmsg(3), unix(7). A file in flight is a reference in a packet. Sockets can be in each other's
queues, and then nothing would ever close them: `unix_gc` finds those.
"""

from __future__ import annotations

from struct import Struct, iter_unpack, pack, unpack_from

from emukernel.kernel.cred import CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN, CAP_SYS_RESOURCE
from emukernel.kernel.errno import EINVAL, EPERM, ESRCH, ETOOMANYREFS, Errno
from emukernel.kernel.fs.file import RLIMIT_NOFILE
from emukernel.kernel.net.sock import (
    MSG_CMSG_CLOEXEC,
    MSG_CTRUNC,
    Net,
    Skb,
)
from emukernel.kernel.uaccess import copy_to_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.kernel.fs.file import File
    from emukernel.kernel.net.sendmsg import Msg
    from emukernel.kernel.task import Task

SOL_SOCKET = 1
SCM_RIGHTS = 1
SCM_CREDENTIALS = 2
SCM_MAX_FD = 253
CMSG_HEADER = 16
NO_CREDS = (0, 65534, 65534)
"""What a receiver sees of a sender whose credentials nobody asked for when it sent."""

_HEADER = Struct("<QII")


class InFlight:
    """Files in a packet, sent by user `uid`."""

    __slots__ = ("files", "uid")

    def __init__(self, files: list[File], uid: int) -> None:
        self.files = files
        self.uid = uid


def control_messages(control: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(level, type, data) of each message; Errno(EINVAL) for a length that can't be."""
    at = 0
    while at + CMSG_HEADER <= len(control):
        length, level, kind = _HEADER.unpack_from(control, at)
        if length < CMSG_HEADER or length > len(control) - at:
            raise Errno(EINVAL)
        yield level, kind, control[at + CMSG_HEADER : at + length]
        at += length + 7 & ~7


def scm_send(task: Task, net: Net, msg: Msg) -> None:
    """Takes what a sender of AF_UNIX passes along: `msg.files` and `msg.creds`.

    Errno: EINVAL, EBADF, EPERM, ESRCH, ETOOMANYREFS.
    """
    for level, kind, data in control_messages(msg.control):
        if level != SOL_SOCKET:
            continue
        if kind == SCM_RIGHTS:
            _copy_files(task, msg, data)
        elif kind == SCM_CREDENTIALS:
            if len(data) != 12:
                raise Errno(EINVAL)
            msg.creds = _check_creds(task, *unpack_from("<III", data))
        else:
            raise Errno(EINVAL)
    if msg.files:
        cred = task.cred
        held = net.inflight_users.get(cred.uid, 0)
        if held > task.rlimits[RLIMIT_NOFILE][0] and not (
            cred.capable(CAP_SYS_RESOURCE) or cred.capable(CAP_SYS_ADMIN)
        ):
            raise Errno(ETOOMANYREFS)


def _copy_files(task: Task, msg: Msg, data: bytes) -> None:
    fds = [fd for (fd,) in iter_unpack("<i", data[: len(data) & ~3])]
    files = [] if msg.files is None else msg.files
    if len(files) + len(fds) > SCM_MAX_FD:
        raise Errno(EINVAL)
    msg.files = files
    for fd in fds:
        files.append(task.files.get_raw(fd).get())


def _check_creds(task: Task, pid: int, uid: int, gid: int) -> tuple[int, int, int]:
    """May the task say that it is these? Errno(EPERM, ESRCH)."""
    cred = task.cred
    if (
        (pid != task.tgid and not cred.capable(CAP_SYS_ADMIN))
        or (uid not in (cred.uid, cred.euid, cred.suid) and not cred.capable(CAP_SETUID))
        or (gid not in (cred.gid, cred.egid, cred.sgid) and not cred.capable(CAP_SETGID))
    ):
        raise Errno(EPERM)
    if not task.kernel.pid_in_use(pid):
        raise Errno(ESRCH)
    return pid, uid, gid


def attach_files(task: Task, net: Net, skb: Skb, msg: Msg) -> None:
    """The message's files go into the packet."""
    files, msg.files = msg.files, None
    if not files:
        return
    uid = task.cred.uid
    skb.files = InFlight(files, uid)
    net.inflight_users[uid] = net.inflight_users.get(uid, 0) + len(files)
    for file in files:
        if _unix_queue_owner(file):
            net.inflight[file] = net.inflight.get(file, 0) + 1


def detach_files(net: Net, skb: Skb) -> list[File]:
    """The packet's files come out of it, with their references."""
    inflight, skb.files = skb.files, None
    if inflight is None:
        return []
    left = net.inflight_users[inflight.uid] - len(inflight.files)
    if left:
        net.inflight_users[inflight.uid] = left
    else:
        del net.inflight_users[inflight.uid]
    for file in inflight.files:
        count = net.inflight.get(file)
        if count == 1:
            del net.inflight[file]
        elif count is not None:
            net.inflight[file] = count - 1
    return inflight.files


def destroy_skb_files(net: Net, skb: Skb) -> None:
    """Closes the files of a packet that nobody receives.

    Closing one can free the next queue with the next file and so on: one after the other, not one
    within the other.
    """
    net.dying += detach_files(net, skb)
    if net.reaping:
        return
    net.reaping = True
    try:
        while net.dying:
            net.dying.pop().put()
    finally:
        net.reaping = False


# Receiving


def put_cmsg(task: Task, msg: Msg, level: int, kind: int, data: bytes) -> None:
    """Appends a control message where the receiver has room; MSG_CTRUNC where it has not."""
    if not msg.address or msg.room < CMSG_HEADER:
        msg.flags |= MSG_CTRUNC
        return
    length = CMSG_HEADER + len(data)
    if msg.room < length:
        msg.flags |= MSG_CTRUNC
        length = msg.room
    try:
        copy_to_user(task, msg.address, (_HEADER.pack(length, level, kind) + data)[:length])
    except Errno:
        return
    _advance(msg, CMSG_HEADER + len(data))


def _advance(msg: Msg, length: int) -> None:
    step = min(length + 7 & ~7, msg.room)
    msg.address += step
    msg.room -= step


def scm_recv(
    task: Task,
    msg: Msg | None,
    flags: int,
    creds: tuple[int, int, int] | None,
    files: list[File],
) -> None:
    """Hands over what came with bytes: `creds` if the socket has SO_PASSCRED, and the files."""
    if msg is None or not msg.address:
        if msg is not None and (creds is not None or files):
            msg.flags |= MSG_CTRUNC
    else:
        if creds is not None:
            put_cmsg(task, msg, SOL_SOCKET, SCM_CREDENTIALS, pack("<III", *creds))
        if files:
            _put_files(task, msg, flags, files)
    for file in files:
        file.put()


def _put_files(task: Task, msg: Msg, flags: int, files: list[File]) -> None:
    table = task.files
    room = max(msg.room - CMSG_HEADER, 0) // 4
    fds: list[int] = []
    for file in files[:room]:
        try:
            fd = table.unused(task)
            copy_to_user(task, msg.address + CMSG_HEADER + len(fds) * 4, pack("<i", fd))
        except Errno:
            break
        table.install(fd, file.get(), bool(flags & MSG_CMSG_CLOEXEC))
        fds.append(fd)
    if fds:
        length = CMSG_HEADER + 4 * len(fds)
        try:
            copy_to_user(task, msg.address, _HEADER.pack(length, SOL_SOCKET, SCM_RIGHTS))
        except Errno:
            return
        _advance(msg, length)
    if len(fds) < len(files):
        msg.flags |= MSG_CTRUNC


# Cycles


def _unix_queue_owner(file: File) -> bool:
    """Can files lie in this file's queue?"""
    from emukernel.kernel.net.af_unix import UnixSock
    from emukernel.kernel.net.socket import SocketFile

    return isinstance(file, SocketFile) and isinstance(file.sk, UnixSock)


def _queued(file: File) -> list[tuple[Skb, InFlight]]:
    """The packets with files in a socket's queues, those of unaccepted connections too."""
    from emukernel.kernel.net.af_unix import UnixSock
    from emukernel.kernel.net.socket import SocketFile

    assert isinstance(file, SocketFile)
    assert isinstance(file.sk, UnixSock)
    found = []
    for sk in (file.sk, *file.sk.embryos):
        for skb in sk.queue:
            if skb.files is not None:
                found.append((skb, skb.files))
    return found


def unix_gc(net: Net) -> None:
    """Closes sockets that are only in queues which only such sockets could read.

    A file is a candidate if all its references are in flight. Of the candidates those live that
    lie in a queue of someone who lives.
    """
    inflight = net.inflight
    dead = {file for file, count in inflight.items() if file.count == count}
    if not dead:
        return
    inner = dict.fromkeys(dead, 0)
    for file in dead:
        for _skb, sent in _queued(file):
            for other in sent.files:
                if other in inner:
                    inner[other] += 1
    alive = [file for file in dead if inner[file] < inflight[file]]
    while alive:
        file = alive.pop()
        if file in dead:
            dead.discard(file)
            for _skb, sent in _queued(file):
                alive += [other for other in sent.files if other in dead]
    packets = [skb for file in dead for skb, _sent in _queued(file)]
    for skb in packets:
        destroy_skb_files(net, skb)
