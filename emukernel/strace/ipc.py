"""System V IPC and POSIX message queues: keys, commands, messages and what the commands fill in."""

from __future__ import annotations

from struct import unpack_from

from emukernel.strace import layout
from emukernel.strace.call import pointer
from emukernel.strace.kinds import bytes_at, memory
from emukernel.strace.names import enum, more_flags
from emukernel.strace.scalar import mode, scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.strace.call import Call

PERMISSIONS = 0o777
IPC_64 = 0x100
IPC_SET, IPC_STAT, IPC_INFO = 1, 2, 3
O_CREAT = 0o100
PERM_SIZE = 48


def key(call: Call, i: int) -> str:
    value = call.value(i) & 0xFFFFFFFF
    return f"{value:#x}" if value else "IPC_PRIVATE"


def flags(call: Call, i: int) -> str:
    """`IPC_CREAT|0600`."""
    value = call.value(i) & 0xFFFFFFFF
    rest = value & ~PERMISSIONS
    permissions = mode(value & PERMISSIONS)
    return f"{more_flags('ipc.flags', rest)}|{permissions}" if rest else permissions


def _cmd(names: str, value: int) -> str:
    text = enum(names, value & ~IPC_64)
    return f"IPC_64|{text}" if value & IPC_64 else text


def shm_cmd(call: Call, i: int) -> str:
    """The command of shmctl(2)."""
    return _cmd("ipc.shm_cmd", call.value(i))


def sem_cmd(call: Call, i: int) -> str:
    """The command of semctl(2)."""
    return _cmd("ipc.sem_cmd", call.value(i))


def msg_cmd(call: Call, i: int) -> str:
    """The command of msgctl(2)."""
    return _cmd("ipc.msg_cmd", call.value(i))


def shm_buf(call: Call, i: int) -> str | None:
    """What shmctl(2) reads or fills in."""
    return _buffer(call, i, "shm", 13, 14)


def sem_arg(call: Call, i: int) -> str | None:
    """What semctl(2) reads or fills in; values for semaphores as they are."""
    return _buffer(call, i, "sem", 18, 19)


def msg_buf(call: Call, i: int) -> str | None:
    """What msgctl(2) reads or fills in."""
    return _buffer(call, i, "msg", 11, 12)


def _buffer(call: Call, i: int, prefix: str, stat: int, info: int) -> str | None:
    """The last argument of a ctl call; `stat` and `info` are the numbers of its *_STAT and
    *_INFO, and that of *_STAT_ANY is the one behind the higher."""
    command = call.value(i - 1) & ~IPC_64
    address = call.args[i]
    if command == IPC_SET:
        return _object(call, prefix, address, changes=True)
    filled = command in (IPC_STAT, IPC_INFO, stat, info, max(stat, info) + 1)
    if not filled or call.failed:
        return pointer(address)
    if not call.exited:
        return None
    if command == IPC_INFO:
        return memory(call, f"{prefix}info", address)
    if command == info:
        return memory(call, "shm_info" if prefix == "shm" else f"{prefix}info", address)
    return _object(call, prefix, address, changes=False)


def _object(call: Call, prefix: str, address: int, *, changes: bool) -> str:
    """A struct shmid_ds, semid_ds or msqid_ds; with `changes` what IPC_SET takes from it."""
    struct = layout.struct(f"{prefix}id_ds" if prefix != "msg" else "msqid_ds")
    data = call.read(address, struct.size)
    if data is None:
        return pointer(address)
    number, uid, gid, cuid, cgid, bits = unpack_from("<iIIIII", data)
    texts = [f"uid={scalar('uid', uid)}", f"gid={scalar('uid', gid)}", f"mode={mode(bits)}"]
    if not changes:
        texts += [f"key={number}", f"cuid={scalar('uid', cuid)}", f"cgid={scalar('uid', cgid)}"]
    perm = f"{prefix}_perm={{{', '.join(texts)}}}"
    if not changes:
        shown = struct.show(data)[1:]
        if prefix == "shm":
            # strace has the times last.
            atime, dtime, ctime = unpack_from("<qqq", data, PERM_SIZE + 8)
            shown = f"{shown[:-1]}, shm_atime={atime}, shm_dtime={dtime}, shm_ctime={ctime}}}"
        return f"{{{perm}, {shown}"
    if prefix == "msg":
        return f"{{{perm}, msg_qbytes={unpack_from('<Q', data, PERM_SIZE + 40)[0]}}}"
    return f"{{{perm}}}"


def message(call: Call, i: int) -> str | None:
    """The struct msgbuf of msgsnd(2) and msgrcv(2), all of it, whatever length was received."""
    address = call.args[i]
    if call.name == "msgrcv":
        if not call.exited:
            return None
        if call.failed:
            return pointer(address)
    kind = call.integer(address, 8, signed=True) if address else None
    text = None if kind is None else bytes_at(call, address + 8, call.value(i + 1))
    return pointer(address) if text is None else f"{{mtype={kind}, mtext={text}}}"


def mq_mode(call: Call, i: int) -> str:
    """The mode of mq_open(2), where there is a queue to be made."""
    return mode(call.value(i)) if call.value(i - 1) & O_CREAT else ""


def mq_attr(call: Call, i: int) -> str:
    """The attributes of mq_open(2), where there is a queue to be made."""
    return memory(call, "mq_attr", call.args[i]) if call.value(i - 2) & O_CREAT else ""
