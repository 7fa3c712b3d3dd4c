"""futex_waitv(2): waiting for any of several futexes (kernel/futex/syscalls.c, waitwake.c)."""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.errno import EAGAIN, EINVAL, ERESTARTSYS, ETIMEDOUT, Errno
from emukernel.kernel.futex import (
    FUTEX_BITSET_MATCH_ANY,
    FutexWaiter,
    get_futex_key,
    unqueue,
)
from emukernel.kernel.time.clock import CLOCK_MONOTONIC, CLOCK_REALTIME
from emukernel.kernel.time.timekeeping import KTIME_MAX, get_timespec
from emukernel.kernel.uaccess import copy_from_user, get_user_u32
from emukernel.kernel.wait import WaitQueue, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

FUTEX_WAITV_MAX = 128
FUTEX2_SIZE_U32, FUTEX2_SIZE_MASK, FUTEX2_PRIVATE = 2, 3, 128
_WAITV = Struct("<QQII")  # val uaddr flags __reserved


class Waiters:
    """The waiters of one call, which share the queue that it sleeps on."""

    __slots__ = ("queue", "task", "waiters")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.queue = WaitQueue()
        self.waiters: list[FutexWaiter] = []

    def unlink(self) -> int | None:
        """They wait no more; the last that was woken."""
        woken = None
        for index, waiter in enumerate(self.waiters):
            if not unqueue(self.task.kernel, waiter):
                woken = index
        return woken


def _parse(task: Task, address: int, count: int) -> list[tuple[int, int, int]]:
    """The futexes as (value, address, flags). Errno(EFAULT, EINVAL)."""
    futexes = []
    for value, uaddr, flags, reserved in _WAITV.iter_unpack(
        copy_from_user(task, address, count * _WAITV.size)
    ):
        if flags & ~(FUTEX2_SIZE_MASK | FUTEX2_PRIVATE) or reserved:
            raise Errno(EINVAL)
        if flags & FUTEX2_SIZE_MASK != FUTEX2_SIZE_U32 or value >> 32:
            raise Errno(EINVAL)
        futexes.append((value, uaddr, flags))
    return futexes


def _queue(task: Task, futexes: list[tuple[int, int, int]]) -> Waiters:
    """Has the task wait for all of them, if each has the value that it should have."""
    keys = [get_futex_key(task, uaddr, not flags & FUTEX2_PRIVATE) for _v, uaddr, flags in futexes]
    for value, uaddr, _flags in futexes:
        if get_user_u32(task, uaddr) != value:
            raise Errno(EAGAIN)
    found = Waiters(task)
    for key in keys:
        waiter = FutexWaiter(key, FUTEX_BITSET_MATCH_ANY)
        waiter.queue = found.queue
        found.waiters.append(waiter)
        task.kernel.futex_queues.setdefault(key, []).append(waiter)
    return found


def sys_futex_waitv(
    task: Task, waiters: int, nr_futexes: int, flags: int, timeout: int, clockid: int
) -> int:
    """futex_waitv(2): which futex was woken. The timeout is a moment."""
    if flags or not 0 < nr_futexes <= FUTEX_WAITV_MAX or not waiters:
        raise Errno(EINVAL)
    expires = None
    if timeout:
        if clockid not in (CLOCK_REALTIME, CLOCK_MONOTONIC):
            raise Errno(EINVAL)
        expires = get_timespec(task, timeout)
    found: Waiters | None = task.call.get("ipc")
    if found is None:
        found = task.call["ipc"] = _queue(task, _parse(task, waiters, nr_futexes))
    elif any(waiter.woken for waiter in found.waiters):
        return found.unlink() or 0
    clock = task.kernel.clock
    deadline = expires
    if expires == KTIME_MAX:
        deadline = None
    elif expires is not None and clockid == CLOCK_REALTIME:
        deadline = expires - clock.realtime() + clock.monotonic()
    try:
        wait_on(task, (found.queue, clock.was_set), deadline, ERESTARTSYS)
    except Errno:
        found.unlink()
        raise
    found.unlink()
    raise Errno(ETIMEDOUT)
