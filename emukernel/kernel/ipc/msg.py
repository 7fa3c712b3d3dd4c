"""System V message queues: msgget, msgsnd, msgrcv, msgctl (ipc/msg.c).

A message for which somebody waits is handed over by the sender and never enters the queue.
"""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.cred import CAP_SYS_RESOURCE
from emukernel.kernel.errno import (
    E2BIG,
    EAGAIN,
    EIDRM,
    EINVAL,
    ENOMSG,
    EPERM,
    ERESTARTNOHAND,
    Errno,
)
from emukernel.kernel.ipc.util import (
    IPC_INFO,
    IPC_NOWAIT,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    PERM,
    S_IRUGO,
    S_IWUGO,
    IpcPerm,
    ipc_namespace,
    ipcget,
    now,
)
from emukernel.kernel.uaccess import copy_from_user, copy_to_user, get_user_s64, put_user_u64
from emukernel.kernel.wait import WaitQueue, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.ipc.util import IpcNamespace
    from emukernel.kernel.task import Task

    Message = tuple[int, bytes]

MSG_NOERROR, MSG_EXCEPT, MSG_COPY = 0o10000, 0o20000, 0o40000
MSG_STAT, MSG_INFO, MSG_STAT_ANY = 11, 12, 13

# What IPC_INFO says of limits that there are none of.
_MSGMNB = 16384
_MSGSSZ = 16
_MSGPOOL = 32000 * _MSGMNB // 1024
_MSGSEG = 0xFFFF
#: What a message is charged with beyond its bytes.
_MSG_SIZE = 256
_INT_MAX = (1 << 31) - 1
_LONG_MAX = (1 << 63) - 1

# How a receiver looks for its message.
_ANY, _EQUAL, _NOTEQUAL, _LESSEQUAL, _NUMBER = range(5)

#: struct msqid64_ds behind its permissions: stime rtime ctime cbytes qnum qbytes lspid lrpid.
_MSQID = Struct("<3q3Qii16x")
_MSGINFO = Struct("<7iHxx")
_QBYTES = PERM.size + 40


class Receiver:
    """Who waits for a message (struct msg_receiver); `result` is the message or an error."""

    __slots__ = ("max_size", "mode", "owner", "queue", "result", "task", "type")

    def __init__(
        self, task: Task, owner: MessageQueue, type: int, mode: int, max_size: int
    ) -> None:
        self.task = task
        self.owner = owner
        self.type = type
        self.mode = mode
        self.max_size = max_size
        self.result: Message | int | None = None
        self.queue = WaitQueue()

    def unlink(self) -> None:
        """It waits no more."""
        if self in self.owner.receivers:
            self.owner.receivers.remove(self)

    def finish(self, result: Message | int) -> None:
        """It has a result: wakes the task."""
        self.unlink()
        self.result = result
        self.queue.wake_up()


class MessageQueue(IpcPerm):
    """A queue (struct msg_queue): messages are (type, text), oldest first. Times in s."""

    __slots__ = (
        "cbytes", "lrpid", "lspid", "messages", "qbytes", "receivers", "rtime", "senders", "stime",
    )  # fmt: skip

    def __init__(self, task: Task, key: int, flags: int, qbytes: int) -> None:
        super().__init__(task, key, flags)
        self.messages: list[Message] = []
        self.cbytes = 0
        self.qbytes = qbytes
        self.stime = self.rtime = 0
        self.lspid = self.lrpid = 0
        self.receivers: list[Receiver] = []
        self.senders = WaitQueue()

    def fits(self, size: int) -> bool:
        """Whether a message of `size` bytes may enter."""
        return self.cbytes + size <= self.qbytes and len(self.messages) + 1 <= self.qbytes

    def find(self, type: int, mode: int) -> int | None:
        """The place of the message that a receiver wants."""
        found = None
        for at, (kind, _text) in enumerate(self.messages):
            if mode == _NUMBER:
                if at == type:
                    return at
            elif _matches(kind, type, mode):
                if mode != _LESSEQUAL or kind == 1:
                    return at
                found, type = at, kind - 1
        return found

    def hand_over(self, task: Task, message: Message) -> bool:
        """Gives a message to who waits for it (pipelined_send)."""
        for receiver in list(self.receivers):
            if not _matches(message[0], receiver.type, receiver.mode):
                continue
            if len(message[1]) > receiver.max_size:
                receiver.finish(E2BIG)
                continue
            self.lrpid = receiver.task.tgid
            self.rtime = now(task)
            receiver.finish(message)
            return True
        return False

    def stat(self) -> bytes:
        """The struct msqid64_ds."""
        return self.pack() + _MSQID.pack(
            self.stime, self.rtime, self.ctime, self.cbytes, len(self.messages), self.qbytes,
            self.lspid, self.lrpid,
        )  # fmt: skip


def _matches(kind: int, type: int, mode: int) -> bool:
    """Whether a message of type `kind` is wanted."""
    if mode == _EQUAL:
        return kind == type
    if mode == _NOTEQUAL:
        return kind != type
    if mode == _LESSEQUAL:
        return kind <= type
    return True


def _new_queue(task: Task, ns: IpcNamespace, key: int, flags: int) -> MessageQueue:
    new = MessageQueue(task, key, flags, ns.limits["msgmnb"][0])
    ns.msg.add(new)
    return new


def sys_msgget(task: Task, key: int, msgflg: int) -> int:
    """msgget(2)."""
    ns = ipc_namespace(task.kernel)
    return ipcget(task, ns.msg, key, msgflg, lambda: _new_queue(task, ns, key, msgflg))


def sys_msgsnd(task: Task, msqid: int, msgp: int, msgsz: int, msgflg: int) -> int:
    """msgsnd(2)."""
    ns = ipc_namespace(task.kernel)
    call = task.call
    queue: MessageQueue | None = call.get("queue")
    message: Message
    if queue is None:
        kind = get_user_s64(task, msgp)
        if msgsz > ns.limits["msgmax"][0] or msqid < 0 or kind < 1:
            raise Errno(EINVAL)
        message = (kind, copy_from_user(task, msgp + 8, msgsz))
        queue = ns.msg.get(msqid)
    else:
        message = call["message"]
        if queue.removed:
            raise Errno(EIDRM)
    queue.check(task, S_IWUGO)
    if not queue.fits(msgsz):
        if msgflg & IPC_NOWAIT:
            raise Errno(EAGAIN)
        call["queue"], call["message"] = queue, message
        wait_on(task, queue.senders, None, ERESTARTNOHAND)
    if queue.receivers and queue.hand_over(task, message):
        queue.lspid = task.tgid
        queue.stime = now(task)
        return 0
    ns.charge(msgsz + _MSG_SIZE)
    queue.lspid = task.tgid
    queue.stime = now(task)
    queue.messages.append(message)
    queue.cbytes += msgsz
    return 0


def sys_msgrcv(task: Task, msqid: int, msgp: int, msgsz: int, msgtyp: int, msgflg: int) -> int:
    """msgrcv(2)."""
    message = _receive(task, msqid, msgsz, msgtyp, msgflg)
    kind, text = message
    put_user_u64(task, msgp, kind)
    copy_to_user(task, msgp + 8, text[:msgsz])
    return min(len(text), msgsz)


def _mode(type: int, flags: int) -> tuple[int, int]:
    """How to look for a message, and for which type (convert_mode)."""
    if flags & MSG_COPY:
        return _NUMBER, type
    if type == 0:
        return _ANY, 0
    if type < 0:
        return _LESSEQUAL, min(-type, _LONG_MAX)
    return (_NOTEQUAL if flags & MSG_EXCEPT else _EQUAL), type


def _receive(task: Task, msqid: int, size: int, type: int, flags: int) -> Message:
    """Takes a message, or waits for one."""
    ns = ipc_namespace(task.kernel)
    receiver: Receiver | None = task.call.get("ipc")
    if receiver is None:
        if msqid < 0 or size > _LONG_MAX:
            raise Errno(EINVAL)
        if flags & MSG_COPY and (flags & MSG_EXCEPT or not flags & IPC_NOWAIT):
            raise Errno(EINVAL)
        queue = ns.msg.get(msqid)
    else:
        queue = receiver.owner
        result = receiver.result
        if isinstance(result, tuple):
            return result
        if result is not None and result != EAGAIN:
            raise Errno(result)
        receiver.unlink()
    queue.check(task, S_IRUGO)
    mode, type = _mode(type, flags)
    at = queue.find(type, mode)
    if at is None:
        if flags & IPC_NOWAIT:
            raise Errno(ENOMSG)
        max_size = _LONG_MAX if flags & MSG_NOERROR else size
        receiver = task.call["ipc"] = Receiver(task, queue, type, mode, max_size)
        queue.receivers.append(receiver)
        try:
            wait_on(task, receiver.queue, None, ERESTARTNOHAND)
        except Errno:
            receiver.unlink()
            raise
    assert at is not None
    message = queue.messages[at]
    if size < len(message[1]) and not flags & MSG_NOERROR:
        raise Errno(E2BIG)
    if flags & MSG_COPY:
        return message
    del queue.messages[at]
    queue.cbytes -= len(message[1])
    ns.charge(-len(message[1]) - _MSG_SIZE)
    queue.lrpid = task.tgid
    queue.rtime = now(task)
    queue.senders.wake_up()
    return message


def sys_msgctl(task: Task, msqid: int, cmd: int, buf: int) -> int:
    """msgctl(2)."""
    if msqid < 0 or cmd < 0:
        raise Errno(EINVAL)
    ns = ipc_namespace(task.kernel)
    if cmd in (IPC_INFO, MSG_INFO):
        pool, map, tql = _MSGPOOL, _MSGMNB, _MSGMNB
        if cmd == MSG_INFO:
            queues = ns.msg.objects.values()
            pool = len(queues)
            map = sum(len(queue.messages) for queue in queues)
            tql = sum(queue.cbytes for queue in queues)
        limits = [ns.limits[name][0] for name in ("msgmax", "msgmnb", "msgmni")]
        info = _MSGINFO.pack(pool, map, *limits, _MSGSSZ, tql & _INT_MAX, _MSGSEG)
        copy_to_user(task, buf, info)
        return ns.msg.max_slot()
    if cmd in (IPC_STAT, MSG_STAT, MSG_STAT_ANY):
        queue = ns.msg.get(msqid) if cmd == IPC_STAT else ns.msg.by_slot(msqid)
        if cmd != MSG_STAT_ANY:
            queue.check(task, S_IRUGO)
        copy_to_user(task, buf, queue.stat())
        return 0 if cmd == IPC_STAT else queue.id
    if cmd == IPC_SET:
        data = copy_from_user(task, buf, PERM.size + _MSQID.size)
        queue = ns.msg.control(task, msqid)
        qbytes = int.from_bytes(data[_QBYTES : _QBYTES + 8], "little")
        if qbytes > ns.limits["msgmnb"][0] and not task.cred.capable(CAP_SYS_RESOURCE):
            raise Errno(EPERM)
        queue.set_perm(data)
        queue.qbytes = qbytes
        queue.ctime = now(task)
        # Who waits may have lost the right to, and more may fit now.
        _wake(queue, EAGAIN)
        return 0
    if cmd == IPC_RMID:
        queue = ns.msg.control(task, msqid)
        ns.msg.remove(queue)
        ns.charge(-queue.cbytes - len(queue.messages) * _MSG_SIZE)
        queue.messages.clear()
        _wake(queue, EIDRM)
        return 0
    raise Errno(EINVAL)


def _wake(queue: MessageQueue, error: int) -> None:
    for receiver in list(queue.receivers):
        receiver.finish(error)
    queue.senders.wake_up()


def proc_msg(task: Task) -> bytes:
    """/proc/sysvipc/msg"""
    lines = [
        "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
        "      stime      rtime      ctime\n"
    ]
    for _slot, q in sorted(ipc_namespace(task.kernel).msg.objects.items()):
        lines.append(
            f"{q.key:10d} {q.id:10d}  {q.mode:4o}  {q.cbytes:10d} {len(q.messages):10d} "
            f"{q.lspid:5d} {q.lrpid:5d} {q.uid:5d} {q.gid:5d} {q.cuid:5d} {q.cgid:5d} "
            f"{q.stime:10d} {q.rtime:10d} {q.ctime:10d}\n"
        )
    return "".join(lines).encode()
