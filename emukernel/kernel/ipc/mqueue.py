"""POSIX message queues: mq_open and its kind (ipc/mqueue.c; mq_overview(7)).

A queue is a file in a file system of its own, which is not mounted anywhere. Messages are taken by
priority, those of one priority in the order they came.
"""

from __future__ import annotations

from bisect import insort
from contextlib import suppress
from stat import S_IFREG
from struct import Struct

from emukernel.kernel.cred import CAP_SYS_RESOURCE
from emukernel.kernel.errno import (
    EACCES,
    EAGAIN,
    EBADF,
    EBUSY,
    EEXIST,
    EFAULT,
    EINVAL,
    EMFILE,
    EMSGSIZE,
    ENAMETOOLONG,
    ENOENT,
    ENOSPC,
    ENOTSOCK,
    EOVERFLOW,
    ERESTARTSYS,
    ETIMEDOUT,
    Errno,
)
from emukernel.kernel.fs.dcache import Dentry, Path
from emukernel.kernel.fs.file import (
    FMODE_READ,
    FMODE_WRITE,
    O_ACCMODE,
    O_CREAT,
    O_EXCL,
    O_NOCTTY,
    O_NONBLOCK,
    O_TRUNC,
    POLLIN,
    POLLOUT,
    POLLRDNORM,
    POLLWRNORM,
    File,
)
from emukernel.kernel.fs.filemap import generic_llseek
from emukernel.kernel.fs.inode import NAME_MAX, Inode, SuperBlock
from emukernel.kernel.fs.mount import Mount
from emukernel.kernel.fs.namei import may_delete
from emukernel.kernel.fs.permission import MAY_READ, MAY_WRITE, inode_permission
from emukernel.kernel.ipc.util import ipc_namespace
from emukernel.kernel.resource import RLIMIT_MSGQUEUE
from emukernel.kernel.signal.numbers import SI_MESGQ, valid_signal
from emukernel.kernel.signal.send import send_signal
from emukernel.kernel.signal.siginfo import value_info
from emukernel.kernel.time.posix_timers import (
    SIGEV_NONE,
    SIGEV_SIGNAL,
    SIGEV_THREAD,
    get_sigevent,
)
from emukernel.kernel.time.timekeeping import KTIME_MAX, get_timespec
from emukernel.kernel.uaccess import copy_from_user, copy_to_user, put_user_u32
from emukernel.kernel.wait import WaitQueue, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

MQUEUE_MAGIC = 0x19800202
MQ_PRIO_MAX = 32768
HARD_MSGMAX, HARD_MSGSIZEMAX = 65536, 16 << 20

_FILENT_SIZE, _DIRENT_SIZE = 80, 20
#: struct msg_msg and struct posix_msg_tree_node: what RLIMIT_MSGQUEUE counts beyond the messages.
_MSG_MSG = _TREE_NODE = 48
#: What a queue is charged with, and a message beyond its bytes.
_QUEUE_SIZE, _MSG_SIZE = 2048, 256
_NOTIFY_COOKIE_LEN = 32
_ULONG_MAX = (1 << 64) - 1
_MQ_ATTR = Struct("<4q32x")  # mq_flags mq_maxmsg mq_msgsize mq_curmsgs

Message = tuple[int, int, bytes]
"""(minus priority, number, text): in the order in which they are taken."""


class MqueueSuperBlock(SuperBlock):
    """The file system; its queues are the entries of the root."""

    __slots__ = ("mount", "queues")

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel, "mqueue", MQUEUE_MAGIC, "mqueue")
        root = Inode(self, self.new_ino(), 0o041777)
        root.nlink = 2
        root.size = 2 * _DIRENT_SIZE
        self.root = Dentry(b"/", None, root)
        self.mount = Mount(0, self, None, 0)
        self.queues = 0


class Waiter:
    """A task that waits for a message, or with `message` for room (struct ext_wait_queue).

    `ready`: whoever made that possible has done the rest.
    """

    __slots__ = ("message", "queue", "ready", "waiters")

    def __init__(self, waiters: list[Waiter], message: tuple[int, bytes] | None) -> None:
        self.waiters = waiters
        self.message = message
        self.ready = False
        self.queue = WaitQueue()

    def unlink(self) -> None:
        """It waits no more."""
        if self in self.waiters:
            self.waiters.remove(self)

    def finish(self) -> None:
        """It has what it waited for: wakes the task."""
        self.unlink()
        self.ready = True
        self.queue.wake_up()


class MqueueInode(Inode):
    """A queue (struct mqueue_inode_info). `notify` is whom a message in an empty queue is told to:
    (process, id of the memory it had then, how, signal, value)."""

    __slots__ = (
        "bytes_charged", "max_messages", "message_size", "messages", "notify", "number", "owner",
        "poll_queue", "qsize", "receivers", "senders",
    )  # fmt: skip

    def __init__(
        self, task: Task, sb: MqueueSuperBlock, mode: int, max_messages: int, message_size: int
    ) -> None:
        cred = task.cred
        super().__init__(sb, sb.new_ino(), S_IFREG | mode, cred.fsuid, cred.fsgid)
        self.size = _FILENT_SIZE
        self.max_messages = max_messages
        self.message_size = message_size
        self.messages: list[Message] = []
        self.number = 0
        self.qsize = 0
        self.notify: tuple[Task, int, int, int, int] | None = None
        self.receivers: list[Waiter] = []
        self.senders: list[Waiter] = []
        self.poll_queue = WaitQueue()
        #: Whose RLIMIT_MSGQUEUE pays, and how much.
        self.owner = cred.uid
        self.bytes_charged = 0

    def open(self, task: Task, path: Path, flags: int) -> File:
        return MqueueFile(path, flags)

    def evict(self) -> None:
        kernel = self.sb.kernel
        for _priority, _number, text in self.messages:
            ipc_namespace(kernel).charge(-len(text) - _MSG_SIZE)
        self.messages.clear()
        ipc_namespace(kernel).charge(-_QUEUE_SIZE)
        _charge_bytes(kernel, self.owner, -self.bytes_charged)
        assert isinstance(self.sb, MqueueSuperBlock)
        self.sb.queues -= 1

    def insert(self, task: Task, message: tuple[int, bytes]) -> None:
        """Puts a message into the queue. Errno(ENOMEM)."""
        priority, text = message
        ipc_namespace(task.kernel).charge(len(text) + _MSG_SIZE)
        self.number += 1
        insort(self.messages, (-priority, self.number, text))
        self.qsize += len(text)

    def take(self, task: Task) -> tuple[int, bytes]:
        """Takes the first message out; lets a sender in that waited."""
        priority, _number, text = self.messages.pop(0)
        self.qsize -= len(text)
        ipc_namespace(task.kernel).charge(-len(text) - _MSG_SIZE)
        if self.senders:
            sender = self.senders[0]
            assert sender.message is not None
            with suppress(Errno):
                self.insert(task, sender.message)
                sender.finish()
        else:
            self.poll_queue.wake_up(0, POLLOUT | POLLWRNORM)
        return -priority, text

    def arrived(self, task: Task) -> None:
        """A message came in that nobody waited for: tells who wanted to know (__do_notify)."""
        if self.notify is not None and len(self.messages) == 1:
            process, mm_id, how, signo, value = self.notify
            self.notify = None
            # Not to another program that the process is running now.
            if how == SIGEV_SIGNAL and signo and process.mm.id == mm_id:
                info = value_info(signo, SI_MESGQ, task.tgid, task.cred.uid, value)
                send_signal(process, info, True)
        self.poll_queue.wake_up(0, POLLIN | POLLRDNORM)


class MqueueFile(File):
    """An open queue. Reading it tells its state."""

    __slots__ = ()

    flushes = True
    splices = False
    splice_writes = False

    @property
    def info(self) -> MqueueInode:
        """The queue."""
        inode = self.inode
        assert isinstance(inode, MqueueInode)
        return inode

    def flush(self, task: Task) -> None:
        notify = self.info.notify
        if notify is not None and notify[0].signal is task.signal:
            self.info.notify = None

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        info = self.info
        process, _mm_id, how, signo, _value = info.notify or (None, 0, 0, 0, 0)
        pid = 0 if process is None else process.tgid
        text = (
            f"QSIZE:{info.qsize:<10} NOTIFY:{how:<5} "
            f"SIGNO:{signo if how == SIGEV_SIGNAL else 0:<5} NOTIFY_PID:{pid:<6}\n"
        )
        data = text.encode()[pos : pos + it.count]
        done = it.copy_to_iter(data)
        if data and not done:
            raise Errno(EFAULT)
        return done

    def llseek(self, task: Task, offset: int, whence: int) -> int:
        return generic_llseek(self, offset, whence, self.inode.size)

    def poll(self, task: Task) -> int:
        info = self.info
        mask = POLLIN | POLLRDNORM if info.messages else 0
        if len(info.messages) < info.max_messages:
            mask |= POLLOUT | POLLWRNORM
        return mask

    def poll_queues(self, events: int) -> list[Any]:
        return [self.info.poll_queue]


def _charge_bytes(kernel: Kernel, uid: int, size: int, limit: int = _ULONG_MAX) -> None:
    """Counts bytes of queues for a user. Errno(EMFILE) beyond RLIMIT_MSGQUEUE."""
    counts = kernel.vfs.user_counts
    total = counts.get(("mqueue", uid), 0) + size
    if total > limit:
        raise Errno(EMFILE)
    if total:
        counts["mqueue", uid] = total
    else:
        counts.pop(("mqueue", uid), None)


# -- names ---------------------------------------------------------------------------------------


def _mqueuefs(kernel: Kernel) -> MqueueSuperBlock:
    ns = ipc_namespace(kernel)
    if ns.mqueues is None:
        ns.mqueues = MqueueSuperBlock(kernel)
    return ns.mqueues


def _lookup(task: Task, u_name: int) -> tuple[MqueueSuperBlock, bytes, Dentry | None]:
    """The name in user memory, and the queue that has it. Errno(EACCES) for what is no name."""
    from emukernel.kernel.fs.lookup import getname

    name = getname(task, u_name)
    if name in (b".", b"..") or b"/" in name:
        raise Errno(EACCES)
    if len(name) > NAME_MAX:
        raise Errno(ENAMETOOLONG)
    sb = _mqueuefs(task.kernel)
    assert sb.root is not None
    return sb, name, sb.root.inode.entries.get(name)


def _create(
    task: Task, sb: MqueueSuperBlock, name: bytes, mode: int, attr: tuple[int, ...] | None
) -> Dentry:
    """Makes a queue (mqueue_create_attr, mqueue_get_inode)."""
    privileged = task.cred.capable(CAP_SYS_RESOURCE)
    limits = ipc_namespace(task.kernel).limits
    if sb.queues >= limits["queues_max"][0] and not privileged:
        raise Errno(ENOSPC)
    most, largest = limits["msg_max"][0], limits["msgsize_max"][0]
    max_messages = min(most, limits["msg_default"][0])
    message_size = min(largest, limits["msgsize_default"][0])
    if attr is not None:
        _flags, max_messages, message_size, _current = attr
    if privileged:
        most, largest = HARD_MSGMAX, HARD_MSGSIZEMAX
    if not 0 < max_messages <= most or not 0 < message_size <= largest:
        raise Errno(EINVAL)
    if message_size * max_messages > _ULONG_MAX:
        raise Errno(EOVERFLOW)
    size = max_messages * (message_size + _MSG_MSG) + min(max_messages, MQ_PRIO_MAX) * _TREE_NODE
    _charge_bytes(task.kernel, task.cred.uid, size, task.rlimits[RLIMIT_MSGQUEUE][0])
    try:
        ipc_namespace(task.kernel).charge(_QUEUE_SIZE)
    except Errno:
        _charge_bytes(task.kernel, task.cred.uid, -size)
        raise
    inode = MqueueInode(task, sb, mode & ~task.fs.umask & 0o7777, max_messages, message_size)
    inode.bytes_charged = size
    sb.queues += 1
    root = sb.root
    assert root is not None
    root.inode.size += _DIRENT_SIZE
    root.inode.touch_mtime()
    dentry = root.inode.entries[name] = Dentry(name, root, inode)
    return dentry


def sys_mq_open(task: Task, u_name: int, oflag: int, mode: int, u_attr: int) -> int:
    """mq_open(2). The name is without the slash that the C library's mq_open(3) wants."""
    attr = _MQ_ATTR.unpack(copy_from_user(task, u_attr, _MQ_ATTR.size)) if u_attr else None
    sb, name, dentry = _lookup(task, u_name)
    files = task.files
    files.unused(task)
    if dentry is None:
        if not oflag & O_CREAT:
            raise Errno(ENOENT)
        dentry = _create(task, sb, name, mode, attr)
    else:
        if oflag & O_CREAT and oflag & O_EXCL:
            raise Errno(EEXIST)
        if oflag & O_ACCMODE == O_ACCMODE:
            raise Errno(EINVAL)
        wanted = (MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE)[oflag & O_ACCMODE]
        inode_permission(task.cred, dentry.inode, wanted)
    flags = oflag & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC)
    return files.add(task, MqueueFile(Path(sb.mount, dentry), flags), True)


def sys_mq_unlink(task: Task, u_name: int) -> int:
    """mq_unlink(2)."""
    sb, name, dentry = _lookup(task, u_name)
    root = sb.root
    if dentry is None or root is None:
        raise Errno(ENOENT)
    may_delete(task, root.inode, dentry, False)
    del root.inode.entries[name]
    root.inode.size -= _DIRENT_SIZE
    root.inode.touch_mtime()
    dentry.unhashed = True
    dentry.inode.nlink -= 1
    dentry.inode.release_unused()
    return 0


# -- messages ------------------------------------------------------------------------------------


def _file(task: Task, mqdes: int, mode: int = 0) -> MqueueFile:
    """The queue of a descriptor that is open for `mode`. Errno(EBADF)."""
    file = task.files.get(mqdes & 0xFFFF_FFFF)
    if not isinstance(file, MqueueFile) or file.mode & mode != mode:
        raise Errno(EBADF)
    return file


def _expires(task: Task, timeout: int) -> int | None:
    """Until when to wait, a moment of CLOCK_REALTIME; None: for ever. Errno(EFAULT, EINVAL)."""
    return get_timespec(task, timeout) if timeout else None


def _sleep(task: Task, waiter: Waiter, expires: int | None) -> None:
    """Waits for a place in the queue or a message. Errno(ETIMEDOUT), or a signal's."""
    clock = task.kernel.clock
    deadline = None
    if expires is not None and expires < KTIME_MAX:
        deadline = clock.monotonic() + expires - clock.realtime()
    try:
        wait_on(task, (waiter.queue, clock.was_set), deadline, ERESTARTSYS)
    except Errno:
        waiter.unlink()
        raise
    waiter.unlink()
    raise Errno(ETIMEDOUT)


def sys_mq_timedsend(
    task: Task, mqdes: int, u_msg_ptr: int, msg_len: int, msg_prio: int, u_abs_timeout: int
) -> int:
    """mq_timedsend(2)."""
    waiter: Waiter | None = task.call.get("ipc")
    if waiter is not None and waiter.ready:
        return 0
    expires = _expires(task, u_abs_timeout)
    if waiter is not None:
        _sleep(task, waiter, expires)
    if msg_prio >= MQ_PRIO_MAX:
        raise Errno(EINVAL)
    file = _file(task, mqdes, FMODE_WRITE)
    info = file.info
    if msg_len > info.message_size:
        raise Errno(EMSGSIZE)
    message = (msg_prio, copy_from_user(task, u_msg_ptr, msg_len))
    if len(info.messages) >= info.max_messages:
        if file.flags & O_NONBLOCK:
            raise Errno(EAGAIN)
        waiter = task.call["ipc"] = Waiter(info.senders, message)
        info.senders.append(waiter)
        _sleep(task, waiter, expires)
    if info.receivers:
        receiver = info.receivers[0]
        receiver.message = message
        receiver.finish()
    else:
        info.insert(task, message)
        info.arrived(task)
    info.touch_mtime()
    return 0


def sys_mq_timedreceive(
    task: Task, mqdes: int, u_msg_ptr: int, msg_len: int, u_msg_prio: int, u_abs_timeout: int
) -> int:
    """mq_timedreceive(2)."""
    waiter: Waiter | None = task.call.get("ipc")
    if waiter is None or not waiter.ready:
        expires = _expires(task, u_abs_timeout)
        if waiter is not None:
            _sleep(task, waiter, expires)
        file = _file(task, mqdes, FMODE_READ)
        info = file.info
        if msg_len < info.message_size:
            raise Errno(EMSGSIZE)
        if not info.messages:
            if file.flags & O_NONBLOCK:
                raise Errno(EAGAIN)
            waiter = task.call["ipc"] = Waiter(info.receivers, None)
            info.receivers.append(waiter)
            _sleep(task, waiter, expires)
        message = info.take(task)
        info.touch_mtime()
    else:
        assert waiter.message is not None
        message = waiter.message
    priority, text = message
    if u_msg_prio:
        put_user_u32(task, u_msg_prio, priority)
    copy_to_user(task, u_msg_ptr, text)
    return len(text)


def sys_mq_notify(task: Task, mqdes: int, u_notification: int) -> int:
    """mq_notify(2). SIGEV_THREAD wants a netlink socket, of which there are none (EINVAL)."""
    if not u_notification:
        file = _file(task, mqdes)
        file.flush(task)
        return 0
    value, signo, how, _tid = get_sigevent(task, u_notification)
    if how not in (SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD):
        raise Errno(EINVAL)
    if how == SIGEV_SIGNAL and not valid_signal(signo):
        raise Errno(EINVAL)
    if how == SIGEV_THREAD:
        from emukernel.kernel.net.socket import SocketFile

        copy_from_user(task, value, _NOTIFY_COOKIE_LEN)
        if not isinstance(task.files.get(signo & 0xFFFF_FFFF), SocketFile):
            raise Errno(ENOTSOCK)
        raise Errno(EINVAL)
    info = _file(task, mqdes).info
    if info.notify is not None:
        raise Errno(EBUSY)
    info.notify = (task.group_leader, task.mm.id, how, signo, value)
    info.atime = info.ctime = task.kernel.clock.realtime()
    return 0


def sys_mq_getsetattr(task: Task, mqdes: int, u_mqstat: int, u_omqstat: int) -> int:
    """What mq_getattr(3) and mq_setattr(3) are made of."""
    new = None
    if u_mqstat:
        new = _MQ_ATTR.unpack(copy_from_user(task, u_mqstat, _MQ_ATTR.size))[0]
        if new & ~O_NONBLOCK:
            raise Errno(EINVAL)
    file = _file(task, mqdes)
    info = file.info
    old = _MQ_ATTR.pack(
        file.flags & O_NONBLOCK, info.max_messages, info.message_size, len(info.messages)
    )
    if new is not None:
        file.flags = file.flags & ~O_NONBLOCK | new
        info.atime = info.ctime = task.kernel.clock.realtime()
    if u_omqstat:
        copy_to_user(task, u_omqstat, old)
    return 0
