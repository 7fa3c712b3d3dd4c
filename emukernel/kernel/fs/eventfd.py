"""A counter to wait on (Linux: fs/eventfd.c; eventfd(2))."""

from __future__ import annotations

from emukernel.kernel.errno import EAGAIN, EFAULT, EINVAL, Errno
from emukernel.kernel.fs.anon_inodes import AnonFile, anon_inode_path
from emukernel.kernel.fs.file import (
    O_CLOEXEC,
    O_NONBLOCK,
    O_RDWR,
    POLLERR,
    POLLIN,
    POLLOUT,
)
from emukernel.kernel.uaccess import IovIter
from emukernel.kernel.wait import WaitQueue, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.task import Task

EFD_SEMAPHORE = 1
_COUNT_MAX = (1 << 64) - 1


class EventFile(AnonFile):
    """An eventfd. With `semaphore` a read takes 1, otherwise all."""

    __slots__ = ("counter", "queue", "semaphore")

    def __init__(self, path: Path, flags: int, counter: int, semaphore: bool) -> None:
        super().__init__(path, flags)
        self.counter = counter
        self.semaphore = semaphore
        self.queue = WaitQueue()

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        if it.count < 8:
            raise Errno(EINVAL)
        if not self.counter:
            if self.flags & O_NONBLOCK:
                raise Errno(EAGAIN)
            wait_on(task, self.queue)
        value = 1 if self.semaphore else self.counter
        self.counter -= value
        self.queue.wake_up(0, POLLOUT)
        if it.copy_to_iter(value.to_bytes(8, "little")) < 8:
            raise Errno(EFAULT)
        return 8

    def write_iter(self, task: Task, it: Iter, pos: int) -> int:
        if isinstance(it, IovIter) and len(it.segments) > 1:
            return self._write_each(task, it.segments)
        if it.count != 8:
            raise Errno(EINVAL)
        data = it.copy_from_iter(8)
        if len(data) < 8:
            raise Errno(EFAULT)
        value = int.from_bytes(data, "little")
        if value == _COUNT_MAX:
            raise Errno(EINVAL)
        if self.counter + value >= _COUNT_MAX:
            if self.flags & O_NONBLOCK:
                raise Errno(EAGAIN)
            wait_on(task, self.queue)
        self.counter += value
        self.queue.wake_up(0, POLLIN)
        return 8

    def _write_each(self, task: Task, segments: list[tuple[int, int]]) -> int:
        """writev(2): each segment is a write of its own."""
        call = task.call
        done: int = call.get("written", 0)
        for segment in segments[done // 8 :]:
            try:
                done += self.write_iter(task, IovIter(task, [segment]), 0)
            except Errno:
                if not done:
                    raise
                break
            call["written"] = done
        return done

    def poll(self, task: Task) -> int:
        mask = 0
        if self.counter:
            mask = POLLIN
        if self.counter == _COUNT_MAX:
            mask |= POLLERR
        if self.counter < _COUNT_MAX - 1:
            mask |= POLLOUT
        return mask

    def poll_queues(self, events: int) -> list[Any]:
        return [self.queue]

    def fdinfo(self) -> str:
        return (
            f"eventfd-count: {self.counter:16x}\neventfd-id: 0\n"
            f"eventfd-semaphore: {self.semaphore:d}\n"
        )


def sys_eventfd2(task: Task, count: int, flags: int) -> int:
    """eventfd(2)"""
    if flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK):
        raise Errno(EINVAL)
    path = anon_inode_path(task.kernel, b"[eventfd]")
    semaphore = bool(flags & EFD_SEMAPHORE)
    file = EventFile(path, O_RDWR | flags & O_NONBLOCK, count, semaphore)
    return task.files.add(task, file, bool(flags & O_CLOEXEC))


def sys_eventfd(task: Task, count: int) -> int:
    """eventfd(2) of old, without flags"""
    return sys_eventfd2(task, count, 0)
