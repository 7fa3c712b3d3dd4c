"""/dev/null, zero, full, random, urandom, kmsg (Linux: drivers/char/mem.c, random.c, printk.c)."""

from __future__ import annotations

from emukernel.kernel.errno import (
    EAGAIN,
    EFAULT,
    EINVAL,
    ENOSPC,
    ENXIO,
    EPIPE,
    Errno,
)
from emukernel.kernel.fs.file import (
    O_NONBLOCK,
    POLLIN,
    POLLRDNORM,
    SEEK_CUR,
    SEEK_END,
    SEEK_SET,
    File,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.task import Task

NULL, ZERO, FULL, RANDOM, URANDOM, KMSG = 3, 5, 7, 8, 9, 11

_ZEROS = bytes(1 << 16)
_RNDGETENTCNT = 0x80045200
_POOL_BITS = 256
_KMSG_LINE_MAX = 1024 - 32


class NullFile(File):
    """/dev/null: reads end at once, writes vanish."""

    __slots__ = ()

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        return 0

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        return it.count

    def llseek(self, task: Task, offset: int, whence: int) -> int:
        # null_lseek: everything leads to 0.
        self.pos = 0
        return 0


class ZeroFile(NullFile):
    """/dev/zero: endless zeros, writes vanish."""

    __slots__ = ()

    zero = True

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        return copy_zeros(it)


class FullFile(ZeroFile):
    """/dev/full: endless zeros, and no room for writes."""

    __slots__ = ()

    zero = False
    splice_writes = False

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        raise Errno(ENOSPC)


class RandomFile(File):
    """/dev/random and /dev/urandom: the kernel's random numbers. Writes stir nothing here."""

    __slots__ = ()

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        random = task.kernel.random
        wanted = it.count
        done = 0
        while done < wanted:
            size = min(wanted - done, 1 << 16)
            copied = it.copy_to_iter(random.bytes(size))
            done += copied
            if copied < size:
                break
        if wanted and not done:
            raise Errno(EFAULT)
        return done

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        wanted = it.count
        done = 0
        while it.count:
            copied = len(it.copy_from_iter(min(it.count, 1 << 16)))
            if not copied:
                break
            done += copied
        if wanted and not done:
            raise Errno(EFAULT)
        return done

    def llseek(self, task: Task, offset: int, whence: int) -> int:
        # noop_llseek
        return self.pos

    def ioctl(self, task: Task, cmd: int, arg: int) -> int:
        if cmd != _RNDGETENTCNT:
            raise Errno(EINVAL)
        from emukernel.kernel.uaccess import put_user_u32

        put_user_u32(task, arg, _POOL_BITS)
        return 0


class KmsgFile(File):
    """/dev/kmsg: a record of the kernel log a read, `PRIORITY,SEQUENCE,MICROSECONDS,-;TEXT`."""

    __slots__ = ("sequence",)

    def __init__(self, path: Path, flags: int) -> None:
        super().__init__(path, flags)
        self.sequence = 0

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        log = task.kernel.log
        if self.sequence < log.first:
            self.sequence = log.first
            raise Errno(EPIPE)
        if self.sequence >= log.next_seq:
            if self.flags & O_NONBLOCK:
                raise Errno(EAGAIN)
            from emukernel.kernel.wait import wait_on

            wait_on(task, log.queue)
        line = log.kmsg_text(self.sequence)
        if len(line) > it.count:
            raise Errno(EINVAL)
        if it.copy_to_iter(line) < len(line):
            raise Errno(EFAULT)
        self.sequence += 1
        # The position of this file says nothing.
        self.pos = -len(line)
        return len(line)

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        count = it.count
        if count > _KMSG_LINE_MAX:
            raise Errno(EINVAL)
        data = it.copy_from_iter(count)
        if len(data) < count:
            raise Errno(EFAULT)
        task.kernel.log.write_kmsg(data)
        self.pos = -count
        return count

    def llseek(self, task: Task, offset: int, whence: int) -> int:
        from emukernel.kernel.errno import ESPIPE

        if offset:
            raise Errno(ESPIPE)
        log = task.kernel.log
        if whence == SEEK_SET:
            self.sequence = log.first
        elif whence == SEEK_END:
            self.sequence = log.next_seq
        elif whence != SEEK_CUR:
            raise Errno(EINVAL)
        return 0

    def poll(self, task: Task) -> int:
        log = task.kernel.log
        if self.sequence < log.next_seq:
            return POLLIN | POLLRDNORM
        return 0

    def poll_queues(self, events: int) -> list[Any]:
        return [self.inode.sb.kernel.log.queue]


def copy_zeros(it: Iter) -> int:
    """Fills all of `it` with zeros; how many bytes. Errno(EFAULT) when none could be written."""
    wanted = it.count
    done = 0
    while done < wanted:
        size = min(wanted - done, len(_ZEROS))
        copied = it.copy_to_iter(_ZEROS if size == len(_ZEROS) else bytes(size))
        done += copied
        if copied < size:
            break
    if wanted and not done:
        raise Errno(EFAULT)
    return done


_FILES = {
    NULL: NullFile,
    ZERO: ZeroFile,
    FULL: FullFile,
    RANDOM: RandomFile,
    URANDOM: RandomFile,
    KMSG: KmsgFile,
}


def open_mem(task: Task, path: Path, flags: int, minor: int) -> File:
    """Opens the memory device `minor` (major 1)."""
    kind = _FILES.get(minor)
    if kind is None:
        raise Errno(ENXIO)
    return kind(path, flags)


