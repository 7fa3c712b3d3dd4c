"""Watching files (Linux: fs/notify/inotify; inotify(7))."""

from __future__ import annotations

from collections import deque
from struct import Struct

from emukernel.kernel.errno import EAGAIN, EEXIST, EFAULT, EINVAL, EMFILE, ENOSPC, Errno
from emukernel.kernel.fs.anon_inodes import (
    AnonFile,
    anon_inode_path,
    charge_user,
    uncharge_user,
)
from emukernel.kernel.fs.file import (
    O_CLOEXEC,
    O_NONBLOCK,
    O_RDONLY,
    POLLIN,
    POLLRDNORM,
)
from emukernel.kernel.fs.lookup import AT_FDCWD, LOOKUP_DIRECTORY, LOOKUP_FOLLOW, user_path_at
from emukernel.kernel.fs.permission import MAY_READ, inode_permission
from emukernel.kernel.uaccess import put_user_u32
from emukernel.kernel.wait import WaitQueue, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.fs.address_space import Iter
    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.fs.inode import Inode
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

    Event = tuple[int, int, int, bytes]
    """(watch, mask, cookie, name)"""

IN_ALL_EVENTS = 0xFFF
IN_UNMOUNT = 0x2000
IN_Q_OVERFLOW = 0x4000
IN_IGNORED = 0x8000
IN_ONLYDIR = 0x0100_0000
IN_DONT_FOLLOW = 0x0200_0000
IN_EXCL_UNLINK = 0x0400_0000
IN_MASK_CREATE = 0x1000_0000
IN_MASK_ADD = 0x2000_0000
IN_ISDIR = 0x4000_0000
IN_ONESHOT = 0x8000_0000
_ALL_BITS = (
    IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ONLYDIR | IN_DONT_FOLLOW
    | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ISDIR | IN_ONESHOT
)  # fmt: skip
_KEPT = IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK

MAX_QUEUED_EVENTS = 16384
MAX_USER_INSTANCES = 128
MAX_USER_WATCHES = 65536

FIONREAD = 0x541B
_EVENT = Struct("<iIII")


class Mark:
    """One watch on an inode (struct inotify_inode_mark)."""

    __slots__ = ("group", "inode", "mask", "wd")

    def __init__(self, group: InotifyFile, inode: Inode, wd: int, mask: int) -> None:
        self.group = group
        self.inode = inode
        self.wd = wd
        self.mask = mask

    def handle(self, mask: int, name: bytes, *, cookie: int = 0, unlinked: bool = False) -> None:
        """Something happened: queues it if it is watched for."""
        if not mask & self.mask & IN_ALL_EVENTS or (unlinked and self.mask & IN_EXCL_UNLINK):
            return
        self.group.queue_event((self.wd, mask, cookie, name))
        if self.mask & IN_ONESHOT:
            self.destroy()

    def destroy(self) -> None:
        """The watch ends."""
        group = self.group
        self.inode.marks.remove(self)
        del group.marks[self.wd]
        group.queue_event((self.wd, IN_IGNORED, 0, b""))
        uncharge_user(group.kernel, "inotify-watches", group.uid)


class InotifyFile(AnonFile):
    """An inotify instance: watches by number and the events not yet read."""

    __slots__ = ("events", "kernel", "last_wd", "marks", "queue", "uid")

    def __init__(self, path: Path, flags: int, kernel: Kernel, uid: int) -> None:
        super().__init__(path, flags)
        self.kernel = kernel
        self.uid = uid
        self.marks: dict[int, Mark] = {}
        self.events: deque[Event] = deque()
        self.last_wd = 0
        self.queue = WaitQueue()

    def queue_event(self, event: Event) -> None:
        """Adds an event; one just like the last is left out, as is any beyond the limit."""
        events = self.events
        if len(events) >= MAX_QUEUED_EVENTS:
            event = (-1, IN_Q_OVERFLOW, 0, b"")
        if events and events[-1] == event:
            return
        events.append(event)
        self.queue.wake_up(0, POLLIN | POLLRDNORM)

    def release(self) -> None:
        for mark in self.marks.values():
            mark.inode.marks.remove(mark)
            uncharge_user(self.kernel, "inotify-watches", self.uid)
        self.marks = {}
        uncharge_user(self.kernel, "inotify-instances", self.uid)

    def read_iter(self, task: Task, it: Iter, pos: int) -> int:
        events = self.events
        if not events:
            if self.flags & O_NONBLOCK:
                raise Errno(EAGAIN)
            wait_on(task, self.queue)
        done = 0
        while events:
            data = event_bytes(events[0])
            if len(data) > it.count:
                if not done:
                    raise Errno(EINVAL)
                break
            events.popleft()
            if it.copy_to_iter(data) < len(data):
                raise Errno(EFAULT)
            done += len(data)
        return done

    def poll(self, task: Task) -> int:
        return POLLIN | POLLRDNORM if self.events else 0

    def poll_queues(self, events: int) -> list[Any]:
        return [self.queue]

    def ioctl(self, task: Task, cmd: int, arg: int) -> int:
        if cmd != FIONREAD:
            return super().ioctl(task, cmd, arg)
        put_user_u32(task, arg, sum(len(event_bytes(event)) for event in self.events))
        return 0

    def fdinfo(self) -> str:
        return "".join(
            f"inotify wd:{mark.wd:x} ino:{mark.inode.ino:x} sdev:{mark.inode.sb.dev:x} "
            f"mask:{mark.mask:x} ignored_mask:0 \n"
            for mark in self.marks.values()
        )


def event_bytes(event: Event) -> bytes:
    """struct inotify_event: the name is padded to a multiple of the head's 16 bytes."""
    wd, mask, cookie, name = event
    size = (len(name) + 16) // 16 * 16 if name else 0
    return _EVENT.pack(wd, mask, cookie, size) + name.ljust(size, b"\0")


def _instance(task: Task, fd: int) -> InotifyFile:
    file = task.files.get(fd)
    if not isinstance(file, InotifyFile):
        raise Errno(EINVAL)
    return file


def sys_inotify_init1(task: Task, flags: int) -> int:
    """inotify_init1(2)"""
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise Errno(EINVAL)
    kernel, uid = task.kernel, task.cred.uid
    charge_user(kernel, "inotify-instances", uid, MAX_USER_INSTANCES, EMFILE)
    path = anon_inode_path(kernel, b"inotify")
    file = InotifyFile(path, O_RDONLY | flags & O_NONBLOCK, kernel, uid)
    return task.files.add(task, file, bool(flags & O_CLOEXEC))


def sys_inotify_init(task: Task) -> int:
    """inotify_init(2)"""
    return sys_inotify_init1(task, 0)


def sys_inotify_add_watch(task: Task, fd: int, pathname: int, mask: int) -> int:
    """inotify_add_watch(2)"""
    if mask & ~_ALL_BITS or not mask:
        raise Errno(EINVAL)
    group = task.files.get(fd)
    if mask & IN_MASK_ADD and mask & IN_MASK_CREATE:
        raise Errno(EINVAL)
    if not isinstance(group, InotifyFile):
        raise Errno(EINVAL)
    flags = 0 if mask & IN_DONT_FOLLOW else LOOKUP_FOLLOW
    if mask & IN_ONLYDIR:
        flags |= LOOKUP_DIRECTORY
    inode = user_path_at(task, AT_FDCWD, pathname, flags).dentry.inode
    inode_permission(task.cred, inode, MAY_READ)
    for mark in inode.marks or ():
        if mark.group is group:
            if mask & IN_MASK_CREATE:
                raise Errno(EEXIST)
            mark.mask = mask & _KEPT | (mark.mask if mask & IN_MASK_ADD else 0)
            wd: int = mark.wd
            return wd
    charge_user(group.kernel, "inotify-watches", group.uid, MAX_USER_WATCHES, ENOSPC)
    group.last_wd += 1
    mark = group.marks[group.last_wd] = Mark(group, inode, group.last_wd, mask & _KEPT)
    if inode.marks is None:
        inode.marks = []
    inode.marks.append(mark)
    # Files that are open already are told apart from those in directories nobody watches.
    for dentry in inode.entries.values():
        if dentry is not None and dentry.inode.marks is None:
            dentry.inode.marks = []
    return group.last_wd


def sys_inotify_rm_watch(task: Task, fd: int, wd: int) -> int:
    """inotify_rm_watch(2)"""
    mark = _instance(task, fd).marks.get(wd)
    if mark is None:
        raise Errno(EINVAL)
    mark.destroy()
    return 0
