"""System V semaphores: semget, semop, semtimedop, semctl, and undo at exit (ipc/sem.c).

An operation that can't be done is queued with what it wants. Whoever changes a semaphore carries
out what has become possible, in the order of the queue, and wakes the sleeper with the result: so
the state that a sleeper finds is the one that its operation left.
"""

from __future__ import annotations

from array import array
from struct import Struct

from emukernel.kernel.errno import (
    E2BIG,
    EAGAIN,
    EFBIG,
    EIDRM,
    EINTR,
    EINVAL,
    ENOSPC,
    ERANGE,
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
from emukernel.kernel.time.timekeeping import KTIME_MAX, NSEC_PER_SEC
from emukernel.kernel.uaccess import copy_from_user, copy_to_user
from emukernel.kernel.wait import WaitQueue, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.ipc.util import IpcNamespace
    from emukernel.kernel.task import Task

    Op = tuple[int, int, int]

GETPID, GETVAL, GETALL, GETNCNT, GETZCNT, SETVAL, SETALL = range(11, 18)
SEM_STAT, SEM_INFO, SEM_STAT_ANY = 18, 19, 20
SEM_UNDO = 0x1000

# What IPC_INFO says of limits that there are none of: semmap and semmnu, semume.
SEMMNS = 1024000000
SEMUME = 500
SEMVMX = SEMAEM = 32767
_SEMUSZ = 20
#: What a semaphore is charged with: struct sem.
_SEM_SIZE = 64

_SEMBUF = Struct("<Hhh")
_SEMID = Struct("<q8xq8xQ16x")  # behind the permissions: otime ctime nsems
_SEMINFO = Struct("<10i")
_TIMESPEC = Struct("<qq")


class UndoList:
    """What a process, or tasks that share it (CLONE_SYSVSEM), will undo at its end: by array, the
    amount for each semaphore."""

    __slots__ = ("arrays", "users")

    def __init__(self) -> None:
        self.users = 1
        self.arrays: dict[SemaphoreArray, dict[int, int]] = {}


class Sleeper:
    """An operation in the queue (struct sem_queue). `status` is its result once it has one: 0 or
    an error number; `blocking` the part of it that can't be done."""

    __slots__ = ("array", "blocking", "ops", "queue", "status", "task", "undo")

    def __init__(self, task: Task, array: SemaphoreArray, ops: list[Op]) -> None:
        self.task = task
        self.array = array
        self.ops = ops
        self.undo: dict[int, int] | None = None
        self.status: int | None = None
        self.blocking: Op = ops[0]
        self.queue = WaitQueue()

    @property
    def alters(self) -> bool:
        """Does it do more than wait for zero?"""
        return any(op for _num, op, _flags in self.ops)

    def unlink(self) -> None:
        """It waits no more."""
        queue = self.array.altering if self.alters else self.array.waiting_for_zero
        if self in queue:
            queue.remove(self)

    def finish(self, status: int) -> None:
        """It has a result: wakes the task."""
        self.unlink()
        self.status = status
        self.queue.wake_up()


class SemaphoreArray(IpcPerm):
    """A set of semaphores (struct sem_array): values, who changed each last, and who waits."""

    __slots__ = ("altering", "otime", "pids", "undos", "values", "waiting_for_zero")

    def __init__(self, task: Task, key: int, flags: int, count: int) -> None:
        super().__init__(task, key, flags)
        self.values = array("h", bytes(2 * count))
        self.pids = array("i", bytes(4 * count))
        self.otime = 0
        self.altering: list[Sleeper] = []
        self.waiting_for_zero: list[Sleeper] = []
        #: The undo lists in which this array is.
        self.undos: list[UndoList] = []

    def stat(self) -> bytes:
        """The struct semid64_ds."""
        return self.pack() + _SEMID.pack(self.otime, self.ctime, len(self.values))

    # Operations

    def perform(self, sleeper: Sleeper) -> bool:
        """Does all of an operation or nothing; false where it has to wait (perform_atomic_semop).

        Errno: EAGAIN, it would have to wait but does not want to; ERANGE.
        """
        values = self.values
        undo = sleeper.undo
        new: dict[int, int] = {}
        adjusted: dict[int, int] = {}
        for op in sleeper.ops:
            num, change, flags = op
            value = new.get(num, values[num])
            if (not change and value) or value + change < 0:
                sleeper.blocking = op
                if flags & IPC_NOWAIT:
                    raise Errno(EAGAIN)
                return False
            value += change
            if value > SEMVMX:
                raise Errno(ERANGE)
            if flags & SEM_UNDO:
                assert undo is not None
                amount = adjusted.get(num, undo.get(num, 0)) - change
                if not -SEMAEM - 1 <= amount <= SEMAEM:
                    raise Errno(ERANGE)
                adjusted[num] = amount
            new[num] = value
        pid = sleeper.task.tgid
        for num, value in new.items():
            values[num] = value
            self.pids[num] = pid
        if undo is not None:
            undo.update(adjusted)
        return True

    def update(self, task: Task, otime: bool) -> None:
        """Semaphores have changed: does what has become possible (do_smart_update)."""
        done = self._wake_zero()
        at = 0
        while at < len(self.altering):
            sleeper = self.altering[at]
            try:
                if not self.perform(sleeper):
                    at += 1
                    continue
                status = 0
            except Errno as error:
                status = error.errno
            sleeper.finish(status)
            if not status:
                done = True
                self._wake_zero()
                if len(sleeper.ops) > 1 or any(len(s.ops) > 1 for s in self.altering):
                    # What stands before it may have been waiting for just that.
                    at = 0
        if otime or done:
            self.otime = now(task)

    def _wake_zero(self) -> bool:
        """Wakes those who waited for zeros that are there now; whether there were any."""
        done = False
        for sleeper in list(self.waiting_for_zero):
            try:
                if not self.perform(sleeper):
                    continue
                status = 0
            except Errno as error:
                status = error.errno
            sleeper.finish(status)
            done = done or not status
        return done

    def forget_undo(self, nums: range) -> None:
        """SETVAL and SETALL: what was to be undone of these semaphores isn't any more."""
        for undo_list in self.undos:
            undo = undo_list.arrays[self]
            for num in nums:
                undo.pop(num, None)

    def waiting(self, num: int, zero: bool) -> int:
        """How many wait for a semaphore to be zero, or else to grow."""
        count = 0
        for sleeper in self.waiting_for_zero + self.altering:
            blocking, change, _flags = sleeper.blocking
            count += blocking == num and (change == 0 if zero else change < 0)
        return count


# -- undo ----------------------------------------------------------------------------------------


def _undo_of(task: Task, array: SemaphoreArray) -> dict[int, int]:
    """What the task will undo of an array (find_alloc_undo)."""
    undo_list = task.sysvsem
    if undo_list is None:
        undo_list = task.sysvsem = UndoList()
    undo = undo_list.arrays.get(array)
    if undo is None:
        undo = undo_list.arrays[array] = {}
        array.undos.append(undo_list)
    return undo


def share_undo(task: Task, child: Task) -> None:
    """CLONE_SYSVSEM: both undo together, when the last of them ends."""
    if task.sysvsem is None:
        task.sysvsem = UndoList()
    task.sysvsem.users += 1
    child.sysvsem = task.sysvsem


def exit_sem(task: Task) -> None:
    """A task ends: the last one that has its undo list undoes."""
    undo_list, task.sysvsem = task.sysvsem, None
    if undo_list is None:
        return
    undo_list.users -= 1
    if undo_list.users:
        return
    for semaphores, undo in undo_list.arrays.items():
        semaphores.undos.remove(undo_list)
        for num, amount in undo.items():
            if amount:
                value = semaphores.values[num] + amount
                semaphores.values[num] = min(max(value, 0), SEMVMX)
                semaphores.pids[num] = task.tgid
        semaphores.update(task, True)


# -- semget, semop -------------------------------------------------------------------------------


def _new_array(task: Task, ns: IpcNamespace, key: int, nsems: int, flags: int) -> SemaphoreArray:
    if not nsems:
        raise Errno(EINVAL)
    if ns.sem_used + nsems > ns.limits["sem"][1]:
        raise Errno(ENOSPC)
    ns.charge(nsems * _SEM_SIZE)
    new = SemaphoreArray(task, key, flags, nsems)
    try:
        ns.sem.add(new)
    except Errno:
        ns.charge(-nsems * _SEM_SIZE)
        raise
    ns.sem_used += nsems
    return new


def sys_semget(task: Task, key: int, nsems: int, semflg: int) -> int:
    """semget(2)."""
    ns = ipc_namespace(task.kernel)
    if not 0 <= nsems <= ns.limits["sem"][0]:
        raise Errno(EINVAL)

    def check(found: SemaphoreArray) -> None:
        if nsems > len(found.values):
            raise Errno(EINVAL)

    return ipcget(
        task, ns.sem, key, semflg, lambda: _new_array(task, ns, key, nsems, semflg), check
    )


def sys_semop(task: Task, semid: int, tsops: int, nsops: int) -> int:
    """semop(2)."""
    return sys_semtimedop(task, semid, tsops, nsops, 0)


def sys_semtimedop(task: Task, semid: int, tsops: int, nsops: int, timeout: int) -> int:
    """semtimedop(2). A signal is EINTR even where other calls start again."""
    sleeper: Sleeper | None = task.call.get("ipc")
    if sleeper is None:
        sleeper = _start(task, semid, tsops, nsops, timeout)
        if sleeper is None:
            return 0
    if sleeper.status is not None:
        if sleeper.status:
            raise Errno(sleeper.status)
        return 0
    try:
        wait_on(task, sleeper.queue, task.call.get("expires"), EINTR)
    except Errno:
        sleeper.unlink()
        raise
    sleeper.unlink()
    raise Errno(EAGAIN)


def _start(task: Task, semid: int, tsops: int, nsops: int, timeout: int) -> Sleeper | None:
    """The first entry of a call: None where it is done, else what waits now."""
    span = _TIMESPEC.unpack(copy_from_user(task, timeout, 16)) if timeout else None
    if nsops > ipc_namespace(task.kernel).limits["sem"][2]:
        raise Errno(E2BIG)
    if nsops < 1:
        raise Errno(EINVAL)
    ops: list[Op] = list(_SEMBUF.iter_unpack(copy_from_user(task, tsops, nsops * _SEMBUF.size)))
    if semid < 0:
        raise Errno(EINVAL)
    if span is not None and not (span[0] >= 0 and 0 <= span[1] < NSEC_PER_SEC):
        raise Errno(EINVAL)
    semaphores = ipc_namespace(task.kernel).sem.get(semid)
    if max([num for num, _op, _flags in ops]) >= len(semaphores.values):
        raise Errno(EFBIG)
    sleeper = Sleeper(task, semaphores, ops)
    alters = sleeper.alters
    semaphores.check(task, S_IWUGO if alters else S_IRUGO)
    if any(flags & SEM_UNDO for _num, _op, flags in ops):
        sleeper.undo = _undo_of(task, semaphores)
    if semaphores.perform(sleeper):
        if alters:
            semaphores.update(task, True)
        else:
            semaphores.otime = now(task)
        return None
    if span is not None:
        expires = task.kernel.clock.monotonic() + span[0] * NSEC_PER_SEC + span[1]
        task.call["expires"] = min(expires, KTIME_MAX)
    task.call["ipc"] = sleeper
    (semaphores.altering if alters else semaphores.waiting_for_zero).append(sleeper)
    return sleeper


# -- semctl --------------------------------------------------------------------------------------


def sys_semctl(task: Task, semid: int, semnum: int, cmd: int, arg: int) -> int:
    """semctl(2)."""
    if semid < 0:
        raise Errno(EINVAL)
    ns = ipc_namespace(task.kernel)
    if cmd in (IPC_INFO, SEM_INFO):
        used = (len(ns.sem.objects), ns.sem_used) if cmd == SEM_INFO else (_SEMUSZ, SEMAEM)
        semmsl, semmns, semopm, semmni = ns.limits["sem"]
        info = _SEMINFO.pack(
            SEMMNS, semmni, semmns, SEMMNS, semmsl, semopm, SEMUME, used[0], SEMVMX, used[1]
        )
        copy_to_user(task, arg, info)
        return ns.sem.max_slot()
    if cmd in (IPC_STAT, SEM_STAT, SEM_STAT_ANY):
        found = ns.sem.get(semid) if cmd == IPC_STAT else ns.sem.by_slot(semid)
        if cmd != SEM_STAT_ANY:
            found.check(task, S_IRUGO)
        copy_to_user(task, arg, found.stat())
        return 0 if cmd == IPC_STAT else found.id
    if cmd in (GETALL, GETVAL, GETPID, GETNCNT, GETZCNT, SETALL):
        return _main(task, ns.sem.get(semid), semnum, cmd, arg)
    if cmd == SETVAL:
        return _setval(task, ns, semid, semnum, (arg & 0xFFFF_FFFF ^ 1 << 31) - (1 << 31))
    if cmd == IPC_SET:
        data = copy_from_user(task, arg, PERM.size + _SEMID.size)
        found = ns.sem.control(task, semid)
        found.set_perm(data)
        found.ctime = now(task)
        return 0
    if cmd == IPC_RMID:
        _remove(ns, ns.sem.control(task, semid))
        return 0
    raise Errno(EINVAL)


def _main(task: Task, semaphores: SemaphoreArray, semnum: int, cmd: int, arg: int) -> int:
    """The commands that read, and SETALL."""
    semaphores.check(task, S_IWUGO if cmd == SETALL else S_IRUGO)
    values = semaphores.values
    if cmd == GETALL:
        copy_to_user(task, arg, values.tobytes())
        return 0
    if cmd == SETALL:
        new = array("H", copy_from_user(task, arg, 2 * len(values)))
        if max(new) > SEMVMX:
            raise Errno(ERANGE)
        semaphores.values = array("h", new.tobytes())
        semaphores.pids = array("i", [task.tgid]) * len(values)
        semaphores.forget_undo(range(len(values)))
        semaphores.ctime = now(task)
        semaphores.update(task, False)
        return 0
    if not 0 <= semnum < len(values):
        raise Errno(EINVAL)
    if cmd == GETVAL:
        return values[semnum]
    if cmd == GETPID:
        return semaphores.pids[semnum]
    return semaphores.waiting(semnum, cmd == GETZCNT)


def _setval(task: Task, ns: IpcNamespace, semid: int, semnum: int, value: int) -> int:
    if not 0 <= value <= SEMVMX:
        raise Errno(ERANGE)
    semaphores = ns.sem.get(semid)
    if not 0 <= semnum < len(semaphores.values):
        raise Errno(EINVAL)
    semaphores.check(task, S_IWUGO)
    semaphores.forget_undo(range(semnum, semnum + 1))
    semaphores.values[semnum] = value
    semaphores.pids[semnum] = task.tgid
    semaphores.ctime = now(task)
    semaphores.update(task, False)
    return 0


def _remove(ns: IpcNamespace, semaphores: SemaphoreArray) -> None:
    """IPC_RMID: all who wait get EIDRM (freeary)."""
    ns.sem.remove(semaphores)
    count = len(semaphores.values)
    ns.sem_used -= count
    ns.charge(-count * _SEM_SIZE)
    for undo_list in semaphores.undos:
        del undo_list.arrays[semaphores]
    semaphores.undos.clear()
    for sleeper in semaphores.waiting_for_zero + semaphores.altering:
        sleeper.finish(EIDRM)


def proc_sem(task: Task) -> bytes:
    """/proc/sysvipc/sem"""
    lines = [
        "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n"
    ]
    for _slot, s in sorted(ipc_namespace(task.kernel).sem.objects.items()):
        lines.append(
            f"{s.key:10d} {s.id:10d}  {s.mode:4o} {len(s.values):10d} {s.uid:5d} {s.gid:5d} "
            f"{s.cuid:5d} {s.cgid:5d} {s.otime:10d} {s.ctime:10d}\n"
        )
    return "".join(lines).encode()
