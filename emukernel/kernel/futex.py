"""Futexes: futex(2) and robust lists (kernel/futex/*.c).

A futex is a 32-bit word in user memory. Its key is (id of the address space, address), or for
memory that a mapping of a file shares (the file's page cache, offset). Who waits stands in
`kernel.futex_queues` under the key: that is all the state there is, and plain data.

The priority-inheriting operations are in futex_pi.
"""

from __future__ import annotations

from contextlib import suppress
from struct import Struct

from emukernel.kernel.cred import CAP_SYS_PTRACE
from emukernel.kernel.errno import (
    EAGAIN,
    EFAULT,
    EINVAL,
    ENOSYS,
    EPERM,
    ERESTART_RESTARTBLOCK,
    ERESTARTSYS,
    ESRCH,
    ETIMEDOUT,
    Errno,
)
from emukernel.kernel.mm.vma import VM_SHARED, VM_WRITE
from emukernel.kernel.time.timekeeping import KTIME_MAX, get_timespec
from emukernel.kernel.uaccess import (
    access_ok,
    copy_from_user,
    get_user_u32,
    get_user_u64,
    put_user_u32,
    put_user_u64,
)
from emukernel.kernel.wait import WaitQueue, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

    Key = tuple[Any, int]

FUTEX_WAIT = 0
FUTEX_WAKE = 1
FUTEX_REQUEUE = 3
FUTEX_CMP_REQUEUE = 4
FUTEX_WAKE_OP = 5
FUTEX_LOCK_PI = 6
FUTEX_UNLOCK_PI = 7
FUTEX_TRYLOCK_PI = 8
FUTEX_WAIT_BITSET = 9
FUTEX_WAKE_BITSET = 10
FUTEX_WAIT_REQUEUE_PI = 11
FUTEX_CMP_REQUEUE_PI = 12
FUTEX_LOCK_PI2 = 13
FUTEX_PRIVATE_FLAG = 128
FUTEX_CLOCK_REALTIME = 256
_COMMAND = ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)
_TIMED = (FUTEX_WAIT, FUTEX_LOCK_PI, FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI, FUTEX_LOCK_PI2)
_REALTIME_ALLOWED = (FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI, FUTEX_LOCK_PI2)

FUTEX_BITSET_MATCH_ANY = 0xFFFF_FFFF

FUTEX_WAITERS = 0x8000_0000
FUTEX_OWNER_DIED = 0x4000_0000
FUTEX_TID_MASK = 0x3FFF_FFFF
ROBUST_LIST_LIMIT = 2048
_ROBUST_LIST_HEAD_SIZE = 24
# struct robust_list_head: the first entry, the offset of the futex in an entry, list_op_pending.
_ROBUST_LIST_HEAD = Struct("<QqQ")

_FUTEX_OP_OPARG_SHIFT = 8
_U32 = 0xFFFF_FFFF


class FutexWaiter:
    """One task that waits (struct futex_q). `woken` is set, and the key dropped, by who wakes it.

    `queue` is what the task sleeps on: its own, so that it can be woken alone.
    """

    __slots__ = ("bitset", "key", "queue", "woken")

    pi = False
    """It waits for a lock (futex_pi: PiWaiter)."""

    def __init__(self, key: Key, bitset: int) -> None:
        self.key = key
        self.bitset = bitset
        self.queue = WaitQueue()
        self.woken = False


# -- keys and queues -------------------------------------------------------------------------


def get_futex_key(task: Task, uaddr: int, shared: bool, write: bool = False) -> Key:
    """The key of the futex at `uaddr`. Errno(EINVAL for a misaligned one, or EFAULT).

    A private futex's memory is not looked at. A `shared` one's has to be there, and be writable if
    `write`.
    """
    if uaddr & 3:
        raise Errno(EINVAL)
    if not access_ok(uaddr, 4):
        raise Errno(EFAULT)
    mm = task.mm
    if shared:
        copy_from_user(task, uaddr, 4)
        vma = mm.vma_at(uaddr)
        writable = vma is not None and bool(vma.flags & VM_WRITE)
        if vma is None or (write and not writable):
            raise Errno(EFAULT)
        if vma.mapping is not None and (vma.flags & VM_SHARED or not writable):
            return vma.mapping, vma.file_page(uaddr >> 12) << 12 | uaddr & 0xFFF
        if not writable:
            # Anonymous memory that nobody can change can't be waited for.
            raise Errno(EFAULT)
    return mm.id, uaddr


def unqueue(kernel: Kernel, waiter: FutexWaiter) -> bool:
    """Takes a waiter out of its queue; false if it was woken already."""
    if waiter.woken:
        return False
    queues = kernel.futex_queues
    waiters = queues[waiter.key]
    waiters.remove(waiter)
    if not waiters:
        del queues[waiter.key]
    return True


def _wake_key(kernel: Kernel, key: Key, count: int, bitset: int) -> int:
    """Wakes waiters whose bits match, the longest-waiting first: at least one, even for 0."""
    waiters = kernel.futex_queues.get(key)
    if waiters is None:
        return 0
    woken = 0
    for waiter in list(waiters):
        if waiter.pi:
            raise Errno(EINVAL)
        if not waiter.bitset & bitset:
            continue
        unqueue(kernel, waiter)
        waiter.woken = True
        waiter.queue.wake_up()
        woken += 1
        if woken >= count:
            break
    return woken


def exit_futex(task: Task) -> None:
    """A task ends: it waits no more. For ends that don't come back to the call it slept in."""
    waiter = task.call.pop("futex", None)
    if waiter is None:
        return
    if waiter.pi:
        from emukernel.kernel.futex_pi import leave

        leave(task.kernel, waiter)
    else:
        unqueue(task.kernel, waiter)


# -- operations ------------------------------------------------------------------------------


def futex_wait(
    task: Task,
    uaddr: int,
    shared: bool,
    val: int,
    bitset: int,
    expires: int | None = None,
    realtime: bool = False,
) -> int:
    """Sleeps while the word is `val`, until woken or, with `expires`, until that moment of
    CLOCK_MONOTONIC or CLOCK_REALTIME.

    Raises Errno: EAGAIN, the word is something else; ETIMEDOUT; EINVAL, EFAULT; and at a signal
    that which restarts the call, if no handler runs with the same end.
    """
    if not bitset:
        raise Errno(EINVAL)
    kernel = task.kernel
    waiter: FutexWaiter | None = task.call.get("futex")
    if waiter is None:
        key = get_futex_key(task, uaddr, shared)
        if get_user_u32(task, uaddr) != val:
            raise Errno(EAGAIN)
        waiter = FutexWaiter(key, bitset)
        task.call["futex"] = waiter
        kernel.futex_queues.setdefault(key, []).append(waiter)
    elif waiter.woken:
        return 0
    restart = ERESTARTSYS
    queue: WaitQueue | tuple[WaitQueue, WaitQueue] = waiter.queue
    deadline = expires
    if expires is not None:
        restart = ERESTART_RESTARTBLOCK
        task.restart_block = (futex_wait, uaddr, shared, val, bitset, expires, realtime)
        clock = kernel.clock
        if expires == KTIME_MAX:
            deadline = None
        elif realtime:
            deadline = expires - clock.realtime() + clock.monotonic()
            queue = (waiter.queue, clock.was_set)
    try:
        wait_on(task, queue, deadline, restart)
    except Errno:
        unqueue(kernel, waiter)
        raise
    unqueue(kernel, waiter)
    raise Errno(ETIMEDOUT)


def futex_wake(
    task: Task,
    uaddr: int,
    count: int,
    shared: bool = True,
    bitset: int = FUTEX_BITSET_MATCH_ANY,
) -> int:
    """Wakes up to `count` waiters; how many there were. Errno(EINVAL or EFAULT)."""
    if not bitset:
        raise Errno(EINVAL)
    return _wake_key(task.kernel, get_futex_key(task, uaddr, shared), count, bitset)


def futex_requeue(
    task: Task, uaddr: int, uaddr2: int, shared: bool, wake: int, requeue: int, compare: int | None
) -> int:
    """Wakes `wake` waiters of one futex and has `requeue` more wait for another; how many in all.

    Errno: EAGAIN where the first is not `compare`; EINVAL for negative numbers; EFAULT.
    """
    if wake < 0 or requeue < 0:
        raise Errno(EINVAL)
    key = get_futex_key(task, uaddr, shared)
    key2 = get_futex_key(task, uaddr2, shared)
    if compare is not None and get_user_u32(task, uaddr) != compare:
        raise Errno(EAGAIN)
    kernel = task.kernel
    queues = kernel.futex_queues
    done = 0
    for waiter in list(queues.get(key, ())):
        if done >= wake + requeue:
            break
        if waiter.pi:
            raise Errno(EINVAL)
        if done < wake:
            unqueue(kernel, waiter)
            waiter.woken = True
            waiter.queue.wake_up()
        else:
            unqueue(kernel, waiter)
            waiter.key = key2
            queues.setdefault(key2, []).append(waiter)
        done += 1
    return done


def signed12(value: int) -> int:
    """The low 12 bits, as a signed number."""
    return (value & 0xFFF ^ 0x800) - 0x800


_OPERATIONS: tuple[Callable[[int, int], int], ...] = (
    lambda old, arg: arg,
    lambda old, arg: old + arg,
    lambda old, arg: old | arg,
    lambda old, arg: old & ~arg,
    lambda old, arg: old ^ arg,
)
_COMPARISONS: tuple[Callable[[int, int], bool], ...] = (
    lambda old, arg: old == arg,
    lambda old, arg: old != arg,
    lambda old, arg: old < arg,
    lambda old, arg: old <= arg,
    lambda old, arg: old > arg,
    lambda old, arg: old >= arg,
)


def futex_wake_op(
    task: Task, uaddr: int, uaddr2: int, shared: bool, wake: int, wake2: int, encoded: int
) -> int:
    """Changes the second word, wakes waiters of the first and, if the old value of the second
    meets a condition, waiters of that too. Errno(ENOSYS) for operations that there are not."""
    key = get_futex_key(task, uaddr, shared)
    key2 = get_futex_key(task, uaddr2, shared, write=True)
    operation = encoded >> 28 & 7
    comparison = encoded >> 24 & 15
    argument = signed12(encoded >> 12)
    if encoded >> 28 & _FUTEX_OP_OPARG_SHIFT:
        argument = 1 << (argument & 31)
    if operation >= len(_OPERATIONS):
        raise Errno(ENOSYS)
    old = get_user_u32(task, uaddr2)
    put_user_u32(task, uaddr2, _OPERATIONS[operation](old, argument) & _U32)
    if comparison >= len(_COMPARISONS):
        raise Errno(ENOSYS)
    signed = (old ^ 0x8000_0000) - 0x8000_0000
    matches = _COMPARISONS[comparison](signed, signed12(encoded))
    woken = _wake_key(task.kernel, key, wake, FUTEX_BITSET_MATCH_ANY)
    if matches:
        woken += _wake_key(task.kernel, key2, wake2, FUTEX_BITSET_MATCH_ANY)
    return woken


def _signed32(value: int) -> int:
    return (value & _U32 ^ 0x8000_0000) - 0x8000_0000


def _expires(task: Task, timeout: int, relative: bool) -> int | None:
    """When a wait ends, fixed when the call is first entered; None without a timeout."""
    if not timeout:
        return None
    expires: int | None = task.call.get("expires")
    if expires is None:
        expires = get_timespec(task, timeout)
        if relative:
            expires = min(expires + task.kernel.clock.monotonic(), KTIME_MAX)
        task.call["expires"] = expires
    return expires


def sys_futex(task: Task, uaddr: int, op: int, val: int, utime: int, uaddr2: int, val3: int) -> int:
    """futex(2)."""
    command = op & _COMMAND
    shared = not op & FUTEX_PRIVATE_FLAG
    realtime = bool(op & FUTEX_CLOCK_REALTIME)
    # FUTEX_WAIT's timeout is a span of time, that of the others a moment.
    expires = _expires(task, utime, command == FUTEX_WAIT) if command in _TIMED else None
    if realtime and command not in _REALTIME_ALLOWED:
        raise Errno(ENOSYS)
    if command == FUTEX_WAIT:
        return futex_wait(task, uaddr, shared, val, FUTEX_BITSET_MATCH_ANY, expires)
    if command == FUTEX_WAIT_BITSET:
        return futex_wait(task, uaddr, shared, val, val3, expires, realtime)
    if command == FUTEX_WAKE:
        return futex_wake(task, uaddr, _signed32(val), shared)
    if command == FUTEX_WAKE_BITSET:
        return futex_wake(task, uaddr, _signed32(val), shared, val3)
    # Here utime is no pointer but a number.
    val2 = _signed32(utime)
    if command == FUTEX_REQUEUE:
        return futex_requeue(task, uaddr, uaddr2, shared, _signed32(val), val2, None)
    if command == FUTEX_CMP_REQUEUE:
        return futex_requeue(task, uaddr, uaddr2, shared, _signed32(val), val2, val3)
    if command == FUTEX_WAKE_OP:
        return futex_wake_op(task, uaddr, uaddr2, shared, _signed32(val), val2, val3)
    return _pi_operation(task, command, uaddr, uaddr2, shared, (val, val2, val3), expires, op)


def _pi_operation(
    task: Task,
    command: int,
    uaddr: int,
    uaddr2: int,
    shared: bool,
    values: tuple[int, int, int],
    expires: int | None,
    op: int,
) -> int:
    """The operations of futex_pi; Errno(ENOSYS) for those that do not exist."""
    if not FUTEX_LOCK_PI <= command <= FUTEX_LOCK_PI2:
        raise Errno(ENOSYS)
    from emukernel.kernel import futex_pi

    realtime = bool(op & FUTEX_CLOCK_REALTIME)
    val, val2, val3 = values
    if command == FUTEX_LOCK_PI:
        # Its timeout always was a moment of CLOCK_REALTIME.
        return futex_pi.futex_lock_pi(task, uaddr, shared, expires, True, False)
    if command == FUTEX_LOCK_PI2:
        return futex_pi.futex_lock_pi(task, uaddr, shared, expires, realtime, False)
    if command == FUTEX_TRYLOCK_PI:
        return futex_pi.futex_lock_pi(task, uaddr, shared, None, False, True)
    if command == FUTEX_UNLOCK_PI:
        return futex_pi.futex_unlock_pi(task, uaddr, shared)
    if command == FUTEX_WAIT_REQUEUE_PI:
        return futex_pi.futex_wait_requeue_pi(
            task, uaddr, uaddr2, shared, val, expires, realtime
        )
    return futex_pi.futex_cmp_requeue_pi(
        task, uaddr, uaddr2, shared, _signed32(val), val2, val3
    )


# -- robust lists ----------------------------------------------------------------------------


def sys_set_robust_list(task: Task, head: int, length: int) -> int:
    """set_robust_list(2)."""
    if length != _ROBUST_LIST_HEAD_SIZE:
        raise Errno(EINVAL)
    task.robust_list = (head, length)
    return 0


def sys_get_robust_list(task: Task, pid: int, head_ptr: int, len_ptr: int) -> int:
    """get_robust_list(2): another process's takes the right to trace it."""
    target = task.kernel.tasks.get(pid) if pid else task
    if target is None:
        raise Errno(ESRCH)
    if not may_access(task, target):
        raise Errno(EPERM)
    put_user_u64(task, len_ptr, _ROBUST_LIST_HEAD_SIZE)
    put_user_u64(task, head_ptr, target.robust_list[0])
    return 0


def may_access(task: Task, target: Task) -> bool:
    """May `task` read what belongs to `target` (ptrace_may_access with real ids)?"""
    if task.tgid == target.tgid:
        return True
    mine, theirs = task.cred, target.cred
    if mine.capable(CAP_SYS_PTRACE):
        return True
    return (
        {mine.uid} == {theirs.uid, theirs.euid, theirs.suid}
        and {mine.gid} == {theirs.gid, theirs.egid, theirs.sgid}
        and target.dumpable == 1
        and not theirs.cap_permitted & ~mine.cap_permitted
    )


def exit_robust_list(task: Task) -> None:
    """A task ends: the futexes that it holds by its robust list are marked and their waiters woken.

    To be called while its memory is still there. A list that is bad, or longer than 2048, is left.
    """
    head, _length = task.robust_list
    if not head:
        return
    task.robust_list = (0, 0)
    try:
        entry, offset, pending = _ROBUST_LIST_HEAD.unpack(
            copy_from_user(task, head, _ROBUST_LIST_HEAD_SIZE)
        )
        limit = ROBUST_LIST_LIMIT
        # Bit 0 of a pointer marks a priority-inheriting futex.
        while entry & ~1 != head and limit:
            following = None
            with suppress(Errno):
                following = get_user_u64(task, entry & ~1)
            # Where the list breaks off the lock before that is still let go.
            if entry & ~1 != pending & ~1:
                _futex_death(task, (entry & ~1) + offset, entry & 1, pending=False)
            if following is None:
                return
            entry = following
            limit -= 1
        if pending & ~1:
            _futex_death(task, (pending & ~1) + offset, pending & 1, pending=True)
    except Errno:
        return


def _futex_death(task: Task, uaddr: int, pi: int, *, pending: bool) -> None:
    """Marks one futex of a dead owner (handle_futex_death). Errno(EFAULT or EINVAL).

    Who waits for one with `pi` is woken with the lock (exit_pi_state_list).
    """
    uaddr &= (1 << 64) - 1
    if uaddr & 3:
        raise Errno(EINVAL)
    value = get_user_u32(task, uaddr)
    if pending and not pi and not value & FUTEX_TID_MASK:
        # It died between unlocking the word and waking who waited.
        futex_wake(task, uaddr, 1)
        return
    if value & FUTEX_TID_MASK != task.pid:
        return
    put_user_u32(task, uaddr, value & FUTEX_WAITERS | FUTEX_OWNER_DIED)
    if value & FUTEX_WAITERS and not pi:
        futex_wake(task, uaddr, 1)
