"""What the three kinds of System V IPC have in common (ipc/util.c): ids, keys, permissions.

An id is the slot of an object and, above it, a number that changes when slots are used again, so
that an old id does not lead to a new object.
"""

from __future__ import annotations

from struct import Struct
from typing import Generic, TypeVar

from emukernel.kernel.cred import CAP_SYS_ADMIN, NO_ID
from emukernel.kernel.errno import (
    EACCES,
    EEXIST,
    EINVAL,
    ENOENT,
    ENOMEM,
    ENOSPC,
    EPERM,
    Errno,
)
from emukernel.kernel.time.timekeeping import NSEC_PER_SEC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emukernel.kernel.ipc.mqueue import MqueueSuperBlock
    from emukernel.kernel.ipc.msg import MessageQueue
    from emukernel.kernel.ipc.sem import SemaphoreArray
    from emukernel.kernel.ipc.shm import Segment
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

IPC_PRIVATE = 0
IPC_CREAT, IPC_EXCL, IPC_NOWAIT = 0o1000, 0o2000, 0o4000
IPC_RMID, IPC_SET, IPC_STAT, IPC_INFO = range(4)

S_IRUGO, S_IWUGO, S_IXUGO, S_IRWXUGO = 0o444, 0o222, 0o111, 0o777
CAP_IPC_OWNER = 15

_SEQ_SHIFT = 15
_SLOT_MASK = (1 << _SEQ_SHIFT) - 1
_MNI = 1 << _SEQ_SHIFT
_SEQ_MAX = (1 << 31 >> _SEQ_SHIFT) - 1
_MIN_CYCLE = 64

#: struct ipc64_perm: key uid gid cuid cgid mode seq.
PERM = Struct("<iIIIIIHxx4x16x")


class IpcPerm:
    """What every object has (struct kern_ipc_perm): its id and key, owner, creator, mode bits.

    `ctime` is when it was made or changed last, in s since 1970; `removed` says that it is gone.
    """

    __slots__ = ("cgid", "ctime", "cuid", "gid", "id", "key", "mode", "removed", "seq", "uid")

    def __init__(self, task: Task, key: int, mode: int) -> None:
        self.key = key
        self.mode = mode & S_IRWXUGO
        self.uid = self.cuid = task.cred.euid
        self.gid = self.cgid = task.cred.egid
        self.id = self.seq = 0
        self.ctime = now(task)
        self.removed = False

    def pack(self) -> bytes:
        """The struct ipc64_perm."""
        return PERM.pack(
            self.key, self.uid, self.gid, self.cuid, self.cgid, self.mode, self.seq & 0xFFFF
        )

    def permits(self, task: Task, wanted: int) -> bool:
        """Whether the task may do all of `wanted`: permission bits in any class (ipcperms)."""
        wanted = (wanted >> 6 | wanted >> 3 | wanted) & 7
        cred = task.cred
        granted = self.mode
        if cred.euid in (self.cuid, self.uid):
            granted >>= 6
        elif _in_group(task, self.cgid) or _in_group(task, self.gid):
            granted >>= 3
        return not wanted & ~granted or cred.capable(CAP_IPC_OWNER)

    def check(self, task: Task, wanted: int) -> None:
        """Errno(EACCES) unless the task may do `wanted`."""
        if not self.permits(task, wanted):
            raise Errno(EACCES)

    def owned_by(self, task: Task) -> bool:
        """Is the task the owner's or the creator's?"""
        return task.cred.euid in (self.uid, self.cuid)

    def set_perm(self, data: bytes) -> None:
        """IPC_SET: owner and permissions out of a struct ipc64_perm. Errno(EINVAL)."""
        _key, uid, gid, _cuid, _cgid, mode, _seq = PERM.unpack_from(data)
        if NO_ID in (uid, gid):
            raise Errno(EINVAL)
        self.uid, self.gid = uid, gid
        self.mode = self.mode & ~S_IRWXUGO | mode & S_IRWXUGO


def _in_group(task: Task, gid: int) -> bool:
    return gid == task.cred.fsgid or gid in task.cred.groups


T = TypeVar("T", bound=IpcPerm)


class IpcIds(Generic[T]):
    """The objects of one kind by slot, and slots by key (struct ipc_ids). `limit`: how many."""

    __slots__ = ("_last", "_next", "_seq", "keys", "limit", "objects")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.objects: dict[int, T] = {}
        self.keys: dict[int, T] = {}
        self._next = 0
        self._last = -1
        self._seq = 0

    def add(self, new: T) -> int:
        """Gives an object its id. Errno(ENOSPC)."""
        objects = self.objects
        if len(objects) >= min(self.limit, _MNI):
            raise Errno(ENOSPC)
        end = min(max(len(objects) * 3 // 2, _MIN_CYCLE), _MNI)
        slot = self._next if self._next < end else 0
        while slot in objects:
            slot = slot + 1 if slot + 1 < end else 0
        self._next = slot + 1
        if slot <= self._last:
            self._seq = self._seq + 1 if self._seq + 1 < _SEQ_MAX else 0
        self._last = slot
        new.seq = self._seq
        new.id = (new.seq << _SEQ_SHIFT) + slot
        objects[slot] = new
        if new.key != IPC_PRIVATE:
            self.keys[new.key] = new
        return new.id

    def remove(self, old: T) -> None:
        """Takes an object out."""
        self.make_private(old)
        del self.objects[old.id & _SLOT_MASK]
        old.removed = True

    def make_private(self, old: T) -> None:
        """No key leads to the object any more."""
        if old.key != IPC_PRIVATE:
            del self.keys[old.key]
            old.key = IPC_PRIVATE

    def by_slot(self, id: int) -> T:
        """The object in the slot of an id, whichever it is. Errno(EINVAL)."""
        found = self.objects.get(id & _SLOT_MASK)
        if found is None:
            raise Errno(EINVAL)
        return found

    def get(self, id: int) -> T:
        """The object of an id. Errno(EINVAL)."""
        found = self.objects.get(id & _SLOT_MASK)
        if found is None or found.id != id:
            raise Errno(EINVAL)
        return found

    def max_slot(self) -> int:
        """The highest slot in use, 0 if there is none."""
        return max(self.objects, default=0)

    def control(self, task: Task, id: int) -> T:
        """The object of an id that the task wants to change or remove. Errno(EINVAL, EPERM)."""
        found = self.get(id)
        if not found.owned_by(task) and not task.cred.capable(CAP_SYS_ADMIN):
            raise Errno(EPERM)
        return found


def ipcget(
    task: Task,
    ids: IpcIds[T],
    key: int,
    flags: int,
    make: Callable[[], T],
    check: Callable[[T], None] | None = None,
) -> int:
    """The id for a key: `make` makes what is not there, `check` looks at what is.

    Errno: ENOENT, EEXIST, EACCES, and what the functions raise.
    """
    found = None if key == IPC_PRIVATE else ids.keys.get(key)
    if found is None:
        if key != IPC_PRIVATE and not flags & IPC_CREAT:
            raise Errno(ENOENT)
        return make().id
    if flags & IPC_CREAT and flags & IPC_EXCL:
        raise Errno(EEXIST)
    if check is not None:
        check(found)
    found.check(task, flags)
    return found.id


class IpcNamespace:
    """All IPC objects of the machine, and what they take of the kernel's memory.

    `used` counts bytes that semaphores and messages take, about as many as they do in this
    program; together they may have an eighth of RAM, beyond which a call is ENOMEM.
    """

    __slots__ = (
        "limit", "limits", "mqueues", "msg", "sem", "sem_used", "shm", "shm_pages", "used",
    )  # fmt: skip

    def __init__(self, kernel: Kernel) -> None:
        from emukernel.kernel.ipc.ipc_sysctl import default_limits

        #: What /proc/sys shows, by name: those of semaphores are four.
        self.limits = default_limits()
        self.shm: IpcIds[Segment] = IpcIds(self.limits["shmmni"][0])
        self.sem: IpcIds[SemaphoreArray] = IpcIds(self.limits["sem"][3])
        self.msg: IpcIds[MessageQueue] = IpcIds(self.limits["msgmni"][0])
        self.shm_pages = 0
        self.sem_used = 0
        self.used = 0
        self.limit = kernel.memory.size // 8
        #: The file system of POSIX message queues, once there was one.
        self.mqueues: MqueueSuperBlock | None = None

    def charge(self, size: int) -> None:
        """Takes (or, negative, gives back) kernel memory. Errno(ENOMEM)."""
        used = self.used + size
        if size > 0 and used > self.limit:
            raise Errno(ENOMEM)
        self.used = used


def ipc_namespace(kernel: Kernel) -> IpcNamespace:
    """The machine's IPC objects, made at the first look."""
    found = kernel.ipc
    if found is None:
        found = kernel.ipc = IpcNamespace(kernel)
    return found


def now(task: Task) -> int:
    """The time of day in s, as IPC objects have it."""
    return task.kernel.clock.realtime() // NSEC_PER_SEC
