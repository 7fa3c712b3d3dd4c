"""File locks: flock(2), and fcntl(2)'s record locks (Linux: fs/locks.c).

A record lock is (owner, type, first byte, last byte, pid). Its owner is the descriptor table for
POSIX locks and the open file for OFD locks; flock's locks belong to the open file as well.
"""

from __future__ import annotations

from struct import pack, unpack

from emukernel.kernel.errno import (
    EAGAIN,
    EBADF,
    EDEADLK,
    EINVAL,
    ENOLCK,
    EOVERFLOW,
    EWOULDBLOCK,
    Errno,
)
from emukernel.kernel.fs.file import FMODE_READ, FMODE_WRITE, File, FilesStruct
from emukernel.kernel.mm.slab import LOCK_SIZE
from emukernel.kernel.uaccess import copy_from_user, copy_to_user
from emukernel.kernel.wait import WaitQueue, wait_on
from emukernel.machine.physmem import OutOfMemory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.fs.inode import Inode
    from emukernel.kernel.mm.slab import Slab
    from emukernel.kernel.task import Task

    Owner = File | FilesStruct
    Record = tuple[Owner, int, int, int, int]

LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN = 1, 2, 4, 8
F_RDLCK, F_WRLCK, F_UNLCK = 0, 1, 2
F_GETLK, F_SETLK, F_SETLKW = 5, 6, 7
_F_OFD_GETLK, _F_OFD_SETLKW = 36, 38
OFFSET_MAX = (1 << 63) - 1


class Locks:
    """The locks on one inode, and those who wait for one."""

    __slots__ = ("flocks", "queue", "records", "slab")

    def __init__(self, slab: Slab) -> None:
        self.slab = slab
        self.flocks: list[tuple[File, int]] = []
        self.records: list[Record] = []
        self.queue = WaitQueue()

    def replace(self, records: list[Record]) -> None:
        """The record locks from now on; Errno(ENOLCK) when there is no memory for more."""
        more = len(records) - len(self.records)
        if more > 0:
            try:
                self.slab.charge(more * LOCK_SIZE)
            except OutOfMemory:
                raise Errno(ENOLCK) from None
        else:
            self.slab.uncharge(-more * LOCK_SIZE)
        self.records = records
        self.queue.wake_up()


def _locks(inode: Inode) -> Locks:
    locks = inode.locks
    if locks is None:
        locks = inode.locks = Locks(inode.sb.kernel.slab)
    assert isinstance(locks, Locks)
    return locks


def sys_flock(task: Task, fd: int, cmd: int) -> int:
    """flock(2)"""
    if cmd & 32:  # LOCK_MAND was taken out and is ignored with success
        return 0
    kind = cmd & ~LOCK_NB
    if kind not in (LOCK_SH, LOCK_EX, LOCK_UN):
        raise Errno(EINVAL)
    file = task.files.get(fd)
    if kind != LOCK_UN and not file.mode & (FMODE_READ | FMODE_WRITE):
        raise Errno(EBADF)
    locks = _locks(file.inode)
    held = next((held for owner, held in locks.flocks if owner is file), None)
    if held == kind:
        return 0
    # A change of type gives the old lock up first, and is not atomic.
    if held is not None:
        locks.flocks = [entry for entry in locks.flocks if entry[0] is not file]
        locks.queue.wake_up()
    if kind == LOCK_UN:
        return 0
    if any(kind == LOCK_EX or other == LOCK_EX for _, other in locks.flocks):
        if cmd & LOCK_NB:
            raise Errno(EWOULDBLOCK)
        wait_on(task, locks.queue)
    locks.flocks.append((file, kind))
    return 0


def _read_flock(task: Task, file: File, addr: int) -> tuple[int, int, int, int]:
    """struct flock: (type, first byte, last byte, pid)."""
    kind, whence, start, length, pid = unpack("<hh4xqqi4x", copy_from_user(task, addr, 32))
    if whence == 1:
        base = file.pos
    elif whence == 2:
        base = file.inode.size
    elif whence == 0:
        base = 0
    else:
        raise Errno(EINVAL)
    if start > OFFSET_MAX - base:
        raise Errno(EOVERFLOW)
    start += base
    if start < 0:
        raise Errno(EINVAL)
    if length > 0:
        if length - 1 > OFFSET_MAX - start:
            raise Errno(EOVERFLOW)
        end = start + length - 1
    elif length < 0:
        if start + length < 0:
            raise Errno(EINVAL)
        end = start - 1
        start += length
    else:
        end = OFFSET_MAX
    return kind, start, end, pid


def _conflict(locks: Locks, owner: Owner, kind: int, start: int, end: int) -> Record | None:
    for record in locks.records:
        other, held, first, last, _ = record
        if other is not owner and first <= end and last >= start and F_WRLCK in (kind, held):
            return record
    return None


def _set(locks: Locks, owner: Owner, kind: int, start: int, end: int, pid: int) -> None:
    """Gives `owner` this lock on [start, end] in place of what it had there."""
    records: list[Record] = []
    for record in locks.records:
        other, held, first, last, other_pid = record
        if other is not owner or last < start - 1 or first > end + 1:
            records.append(record)
            continue
        if held == kind:
            start, end = min(start, first), max(end, last)
            continue
        if first < start:
            records.append((other, held, first, min(last, start - 1), other_pid))
        if last > end:
            records.append((other, held, max(first, end + 1), last, other_pid))
    if kind != F_UNLCK:
        records.append((owner, kind, start, end, pid))
    locks.replace(records)


def fcntl_lock(task: Task, file: File, cmd: int, arg: int) -> int:
    """F_GETLK, F_SETLK, F_SETLKW and their OFD forms."""
    kind, start, end, pid = _read_flock(task, file, arg)
    ofd = cmd >= _F_OFD_GETLK
    if ofd and pid:
        raise Errno(EINVAL)
    if kind not in (F_RDLCK, F_WRLCK, F_UNLCK):
        raise Errno(EINVAL)
    owner: Owner = file if ofd else task.files
    locks = _locks(file.inode)
    if cmd in (F_GETLK, _F_OFD_GETLK):
        if kind == F_UNLCK and not ofd:
            raise Errno(EINVAL)
        _answer(task, arg, _conflict(locks, owner, kind, start, end))
        return 0
    if kind == F_RDLCK and not file.mode & FMODE_READ:
        raise Errno(EBADF)
    if kind == F_WRLCK and not file.mode & FMODE_WRITE:
        raise Errno(EBADF)
    if kind != F_UNLCK:
        blocker = _conflict(locks, owner, kind, start, end)
        if blocker is not None:
            if cmd not in (F_SETLKW, _F_OFD_SETLKW):
                raise Errno(EAGAIN)
            if not ofd and _deadlock(task, owner, blocker[0]):
                raise Errno(EDEADLK)
            task.call["lock_owner"] = owner
            task.call["lock_blocker"] = blocker[0]
            wait_on(task, locks.queue)
    _set(locks, owner, kind, start, end, -1 if ofd else task.tgid)
    return 0


def _deadlock(task: Task, owner: Owner, blocker: Owner) -> bool:
    """Does `blocker` wait, perhaps through others, for `owner`?"""
    waits = {
        id(t.call["lock_owner"]): t.call["lock_blocker"]
        for t in task.kernel.tasks.values()
        if t is not task and "lock_owner" in t.call
    }
    seen = 0
    at: Owner | None = blocker
    while at is not None and seen <= len(waits):
        if at is owner:
            return True
        at = waits.get(id(at))
        seen += 1
    return False


def _answer(task: Task, addr: int, conflict: Record | None) -> None:
    """F_GETLK's struct flock: the lock in the way, or just F_UNLCK in the caller's own."""
    if conflict is None:
        copy_to_user(task, addr, pack("<h", F_UNLCK))
        return
    _, held, first, last, pid = conflict
    length = 0 if last == OFFSET_MAX else last - first + 1
    copy_to_user(task, addr, pack("<hh4xqqi4x", held, 0, first, length, pid))


def release_posix(files: FilesStruct, inode: Inode) -> None:
    """A process closed a descriptor of the file: all of its POSIX locks on it go."""
    locks = _locks(inode)
    kept = [record for record in locks.records if record[0] is not files]
    if len(kept) != len(locks.records):
        locks.replace(kept)


def release_file(file: File) -> None:
    """The last reference to an open file is gone: its flock and OFD locks go."""
    locks = _locks(file.inode)
    locks.flocks = [entry for entry in locks.flocks if entry[0] is not file]
    locks.replace([record for record in locks.records if record[0] is not file])
