"""Priority-inheriting futexes: locks whose word holds the id of the owning thread
(kernel/futex/pi.c, requeue.c).

A free lock is taken and given back in user space. Who finds it taken sets FUTEX_WAITERS and waits
here; the lock is then handed to the first who waits, by its owner's unlock or its owner's death.
Priorities are not inherited: the scheduler is fair, and whoever owns a lock gets to run.
"""

from __future__ import annotations

from contextlib import suppress

from emukernel.kernel.errno import (
    EAGAIN,
    EDEADLK,
    EINVAL,
    EPERM,
    ERESTARTNOINTR,
    ESRCH,
    ETIMEDOUT,
    Errno,
)
from emukernel.kernel.futex import (
    FUTEX_BITSET_MATCH_ANY,
    FUTEX_OWNER_DIED,
    FUTEX_TID_MASK,
    FUTEX_WAITERS,
    FutexWaiter,
    get_futex_key,
    unqueue,
)
from emukernel.kernel.task import DEAD, ZOMBIE
from emukernel.kernel.time.timekeeping import KTIME_MAX
from emukernel.kernel.uaccess import get_user_u32, put_user_u32
from emukernel.kernel.wait import wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.futex import Key
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task


class PiState:
    """A lock for which somebody waits, and its owner (struct futex_pi_state)."""

    __slots__ = ("key", "owner")

    def __init__(self, key: Key, owner: Task) -> None:
        self.key = key
        self.owner = owner


class PiWaiter(FutexWaiter):
    """A task that waits for a lock, at `uaddr` in its memory, and gets it with its wake-up.

    Without a `state` it waits on a condition still, to be requeued to `requeue_key`.
    """

    __slots__ = ("requeue_key", "state", "task", "uaddr")

    pi = True

    def __init__(self, task: Task, key: Key, uaddr: int) -> None:
        super().__init__(key, FUTEX_BITSET_MATCH_ANY)
        self.task = task
        self.uaddr = uaddr
        self.state: PiState | None = None
        self.requeue_key: Key | None = None


def _waiters(kernel: Kernel, key: Key) -> list[FutexWaiter]:
    found: list[FutexWaiter] = kernel.futex_queues.get(key, [])
    return found


def _enqueue(kernel: Kernel, waiter: PiWaiter, state: PiState | None) -> None:
    """Has a waiter wait for its key, and for the lock of `state`."""
    kernel.futex_queues.setdefault(waiter.key, []).append(waiter)
    waiter.state = state
    if state is not None:
        states = kernel.futex_pi.setdefault(state.owner, [])
        if state not in states:
            states.append(state)


def _forget(kernel: Kernel, state: PiState) -> None:
    """The state is its owner's no more, or nobody waits any more."""
    states = kernel.futex_pi.get(state.owner, [])
    if state in states:
        states.remove(state)
        if not states:
            del kernel.futex_pi[state.owner]


def leave(kernel: Kernel, waiter: FutexWaiter) -> None:
    """A waiter gives up, or its task ends."""
    unqueue(kernel, waiter)
    state = waiter.state if isinstance(waiter, PiWaiter) else None
    if state is not None and not _waiters(kernel, state.key):
        _forget(kernel, state)


def _acquired(kernel: Kernel, waiter: PiWaiter) -> None:
    """The waiter has the lock."""
    unqueue(kernel, waiter)
    waiter.woken = True
    waiter.queue.wake_up()


def _hand_over(kernel: Kernel, state: PiState, waiter: PiWaiter, value: int) -> None:
    """Makes a waiter the owner; `value` is what the word has beside its id."""
    with suppress(Errno):
        put_user_u32(waiter.task, waiter.uaddr, value | waiter.task.pid)
    _forget(kernel, state)
    state.owner = waiter.task
    _acquired(kernel, waiter)
    if _waiters(kernel, state.key):
        kernel.futex_pi.setdefault(state.owner, []).append(state)


def _lock_atomic(
    task: Task, uaddr: int, key: Key, who: Task, set_waiters: bool = False
) -> PiState | None:
    """Takes the lock for `who`, or gives the state to wait with (futex_lock_pi_atomic).

    Errno: EDEADLK, it has it already; EINVAL, the word does not fit what is known of the lock;
    ESRCH, the owner is no more.
    """
    value = get_user_u32(task, uaddr)
    tid = value & FUTEX_TID_MASK
    if tid == who.pid:
        raise Errno(EDEADLK)
    waiters = _waiters(task.kernel, key)
    if waiters:
        top = waiters[0]
        if not isinstance(top, PiWaiter) or top.state is None or top.state.owner.pid != tid:
            raise Errno(EINVAL)
        return top.state
    if not tid:
        extra = FUTEX_WAITERS if set_waiters else 0
        put_user_u32(task, uaddr, value & FUTEX_OWNER_DIED | extra | who.pid)
        return None
    put_user_u32(task, uaddr, value | FUTEX_WAITERS)
    owner = task.kernel.tasks.get(tid)
    if owner is None or owner.state in (ZOMBIE, DEAD):
        raise Errno(ESRCH)
    return PiState(key, owner)


def _check_deadlock(task: Task, state: PiState) -> None:
    """Errno(EDEADLK) where the owner waits, over other locks maybe, for one of the task's."""
    owner = state.owner
    seen = {owner}
    while owner is not task:
        waiter = owner.call.get("futex")
        if not isinstance(waiter, PiWaiter) or waiter.woken or waiter.state is None:
            return
        owner = waiter.state.owner
        if owner in seen:
            return
        seen.add(owner)
    raise Errno(EDEADLK)


def _sleep(
    task: Task, waiter: PiWaiter, expires: int | None, realtime: bool, interrupted: int
) -> int:
    """Waits for the lock; 0 when the task has it. Errno(ETIMEDOUT, or `interrupted`)."""
    if waiter.woken:
        return 0
    kernel = task.kernel
    clock = kernel.clock
    deadline = expires
    if expires == KTIME_MAX:
        deadline = None
    elif expires is not None and realtime:
        deadline = expires - clock.realtime() + clock.monotonic()
    try:
        wait_on(task, (waiter.queue, clock.was_set), deadline, interrupted)
    except Errno:
        leave(kernel, waiter)
        raise
    leave(kernel, waiter)
    raise Errno(ETIMEDOUT)


def futex_lock_pi(
    task: Task, uaddr: int, shared: bool, expires: int | None, realtime: bool, trylock: bool
) -> int:
    """FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_TRYLOCK_PI."""
    waiter: PiWaiter | None = task.call.get("futex")
    if waiter is None:
        key = get_futex_key(task, uaddr, shared, write=True)
        state = _lock_atomic(task, uaddr, key, task)
        if state is None:
            return 0
        if trylock:
            raise Errno(EAGAIN)
        _check_deadlock(task, state)
        waiter = task.call["futex"] = PiWaiter(task, key, uaddr)
        _enqueue(task.kernel, waiter, state)
    return _sleep(task, waiter, expires, realtime, ERESTARTNOINTR)


def futex_unlock_pi(task: Task, uaddr: int, shared: bool) -> int:
    """FUTEX_UNLOCK_PI: the first who waits has the lock then."""
    if get_user_u32(task, uaddr) & FUTEX_TID_MASK != task.pid:
        raise Errno(EPERM)
    key = get_futex_key(task, uaddr, shared, write=True)
    waiters = _waiters(task.kernel, key)
    if not waiters:
        put_user_u32(task, uaddr, 0)
        return 0
    top = waiters[0]
    if not isinstance(top, PiWaiter) or top.state is None or top.state.owner is not task:
        raise Errno(EINVAL)
    _hand_over(task.kernel, top.state, top, FUTEX_WAITERS)
    return 0


def exit_pi_state_list(task: Task) -> None:
    """A task ends: whoever waits for a lock of it has that now, and is told by the word."""
    kernel = task.kernel
    for state in list(kernel.futex_pi.get(task, ())):
        waiters = _waiters(kernel, state.key)
        top = waiters[0] if waiters else None
        if isinstance(top, PiWaiter) and top.state is state:
            _hand_over(kernel, state, top, FUTEX_WAITERS | FUTEX_OWNER_DIED)
        else:
            _forget(kernel, state)


# -- from a condition to a lock ------------------------------------------------------------------


def futex_wait_requeue_pi(
    task: Task,
    uaddr: int,
    uaddr2: int,
    shared: bool,
    val: int,
    expires: int | None,
    realtime: bool,
) -> int:
    """FUTEX_WAIT_REQUEUE_PI: waits for a condition; back, it has the lock `uaddr2`."""
    waiter: PiWaiter | None = task.call.get("futex")
    if waiter is None:
        if uaddr == uaddr2:
            raise Errno(EINVAL)
        requeue_key = get_futex_key(task, uaddr2, shared, write=True)
        key = get_futex_key(task, uaddr, shared)
        if get_user_u32(task, uaddr) != val:
            raise Errno(EAGAIN)
        if key == requeue_key:
            raise Errno(EINVAL)
        waiter = task.call["futex"] = PiWaiter(task, key, uaddr2)
        waiter.requeue_key = requeue_key
        _enqueue(task.kernel, waiter, None)
    # Once it waits for the lock the condition's value may be another: it can't start again.
    interrupted = ERESTARTNOINTR if waiter.state is None else EAGAIN
    return _sleep(task, waiter, expires, realtime, interrupted)


def _to_requeue(waiter: FutexWaiter, key: Key) -> PiWaiter:
    """The waiter, if it is one that waits to be requeued to `key`. Errno(EINVAL)."""
    if not isinstance(waiter, PiWaiter) or waiter.state is not None or waiter.requeue_key != key:
        raise Errno(EINVAL)
    return waiter


def futex_cmp_requeue_pi(
    task: Task, uaddr: int, uaddr2: int, shared: bool, wake: int, requeue: int, compare: int
) -> int:
    """FUTEX_CMP_REQUEUE_PI: gives the lock to who waits for the condition if it is free, and has
    `requeue` more wait for it; how many in all."""
    if wake < 0 or requeue < 0 or uaddr == uaddr2 or wake != 1:
        raise Errno(EINVAL)
    key = get_futex_key(task, uaddr, shared)
    key2 = get_futex_key(task, uaddr2, shared, write=True)
    if key == key2:
        raise Errno(EINVAL)
    if get_user_u32(task, uaddr) != compare:
        raise Errno(EAGAIN)
    kernel = task.kernel
    waiters = list(_waiters(kernel, key))
    if not waiters:
        return 0
    done = 0
    top = _to_requeue(waiters[0], key2)
    state = _lock_atomic(task, uaddr2, key2, top.task, requeue > 0)
    if state is None:
        state = PiState(key2, top.task)
        _acquired(kernel, top)
        done = 1
    for waiting in waiters[done:]:
        if done - wake >= requeue:
            break
        waiter = _to_requeue(waiting, key2)
        unqueue(kernel, waiter)
        waiter.key = key2
        _enqueue(kernel, waiter, state)
        done += 1
    return done
