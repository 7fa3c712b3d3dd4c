"""Random numbers: the kernel's source, and getrandom(2) (drivers/char/random.c)."""

from __future__ import annotations

from os import urandom

from emukernel.kernel.errno import EFAULT, EINVAL, Errno
from emukernel.kernel.uaccess import copy_to_user, import_single_range

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.kernel.task import Task

    Bytes = bytes

GRND_NONBLOCK = 0x0001
GRND_RANDOM = 0x0002
GRND_INSECURE = 0x0004

_CHUNK = 1 << 16


class RandomSource:
    """All random numbers of one machine: the host's, or a function of the seed; plain data."""

    __slots__ = ("_drawn", "_seed")

    def __init__(self, seed: int | None = None) -> None:
        self._seed = None if seed is None else b"emukernel %d" % seed
        self._drawn = 0

    def bytes(self, count: int) -> Bytes:
        """`count` random bytes."""
        if self._seed is None:
            return urandom(count)
        from hashlib import shake_128

        self._drawn += 1
        return shake_128(b"%b %d" % (self._seed, self._drawn)).digest(count)


def sys_getrandom(task: Task, ubuf: int, length: int, flags: int) -> int:
    """getrandom(2). The source is ready from boot, so that no flag changes what comes.

    Where the memory faults or a signal comes midway, what was written so far counts.
    """
    if flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE):
        raise Errno(EINVAL)
    if flags & GRND_RANDOM and flags & GRND_INSECURE:
        raise Errno(EINVAL)
    if 0 < length <= 4096 - (ubuf & 4095):
        # In one page it is all or nothing.
        copy_to_user(task, ubuf, task.kernel.random.bytes(length))
        return length
    it = import_single_range(task, ubuf, length)
    if not it.count:
        return 0
    random = task.kernel.random
    done = 0
    while it.count:
        size = min(it.count, _CHUNK)
        copied = it.copy_to_iter(random.bytes(size))
        done += copied
        if copied < size or task.signal_pending():
            break
    if not done:
        raise Errno(EFAULT)
    return done
