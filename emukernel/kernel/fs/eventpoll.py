"""Waiting on many files (Linux: fs/eventpoll.c; epoll(7)).

Each entry of a set watches the wait queues of its file: a wake-up puts it on the ready list, and
only what is on that list is looked at by epoll_wait. A level-triggered entry that was reported
goes back to the list's end. Descriptors of the host have no queues that are woken: entries for
them are asked each time.
"""

from __future__ import annotations

from struct import Struct

from emukernel.kernel.errno import (
    EEXIST,
    EFAULT,
    EINTR,
    EINVAL,
    ELOOP,
    ENOENT,
    ENOSPC,
    EPERM,
    Errno,
)
from emukernel.kernel.fs.anon_inodes import AnonFile, anon_inode_path, charge_user, uncharge_user
from emukernel.kernel.fs.file import (
    O_CLOEXEC,
    O_RDWR,
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDNORM,
    File,
)
from emukernel.kernel.uaccess import access_ok, copy_from_user, copy_to_user
from emukernel.kernel.wait import WaitQueue, Watcher, call_deadline, wait_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.kernel.fs.dcache import Path
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD = 1, 2, 3
EPOLLEXCLUSIVE = 1 << 28
EPOLLWAKEUP = 1 << 29
EPOLLONESHOT = 1 << 30
EPOLLET = 1 << 31
EP_PRIVATE_BITS = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE
_EXCLUSIVE_OK = POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE

EP_MAX_NESTS = 4
EP_MAX_EVENTS = ((1 << 31) - 1) // 12
_PATH_LIMITS = (1000, 500, 100, 50, 10)
"""How many ways of each length may lead from a file to sets that wait for it."""

_CAP_BLOCK_SUSPEND = 36
_EVENT = Struct("<IQ")
_NS = 10**9


class Epitem(Watcher):
    """The entry for one descriptor of one file.

    `ready`: it is on the ready list. `seen` is what a host descriptor was like when it was last
    reported: one that is edge-triggered is reported again when that has changed.
    """

    __slots__ = ("data", "ep", "events", "exclusive", "fd", "file", "queues", "ready", "seen")

    def __init__(self, ep: EventPoll, file: File, fd: int, events: int, data: int) -> None:
        self.ep = ep
        self.file = file
        self.fd = fd
        self.events = events
        self.data = data
        self.exclusive = bool(events & EPOLLEXCLUSIVE)
        self.ready = False
        self.queues: list[WaitQueue] = []
        self.seen: tuple[int, ...] = ()

    def notify(self, events: int) -> bool:
        """The file's queue was woken (ep_poll_callback)."""
        wanted = self.events
        if not wanted & ~EP_PRIVATE_BITS or (events and not events & wanted):
            return False
        ep = self.ep
        if not self.ready:
            self.ready = True
            ep.ready.append(self)
        ep.wake(events)
        return True

    def poll(self, task: Task) -> int:
        """Which of the wanted events are there."""
        return self.file.poll(task) & self.events


class EventPoll(AnonFile):
    """An epoll set. `polled` are the entries with something of the host behind them."""

    __slots__ = ("items", "kernel", "poll_wait", "polled", "queue", "ready", "uid")

    def __init__(self, path: Path, flags: int, kernel: Kernel) -> None:
        super().__init__(path, flags)
        self.kernel = kernel
        self.uid: int = kernel.current.cred.uid
        self.items: dict[tuple[int, int], Epitem] = {}
        self.ready: list[Epitem] = []
        self.polled: list[Epitem] = []
        self.queue = WaitQueue()
        self.poll_wait = WaitQueue()

    def wake(self, events: int) -> None:
        """An entry has become ready."""
        self.queue.wake_up()
        self.poll_wait.wake_up(0, events | POLLIN if events else 0)

    def release(self) -> None:
        for item in list(self.items.values()):
            self.remove(item)

    def poll(self, task: Task) -> int:
        self.poll_host(task)
        while self.ready:
            item = self.ready[0]
            if item.poll(task):
                return POLLIN | POLLRDNORM
            del self.ready[0]
            item.ready = False
        return 0

    def poll_queues(self, events: int) -> list[Any]:
        return [self.poll_wait, *self.host_queues()]

    def host_queues(self) -> list[Any]:
        """What to sleep on besides the set's own queue.

        An edge-triggered entry that was reported and is as it was then has nothing to wait for.
        """
        return [
            queue
            for item in self.polled
            if item.events & ~EP_PRIVATE_BITS
            and not (item.events & EPOLLET and item.seen and item.seen == _host_state(item))
            for queue in item.file.poll_queues(item.events)
            if type(queue) is not WaitQueue
        ]

    def poll_host(self, task: Task) -> None:
        """Asks the entries whose files can't tell by themselves."""
        for item in self.polled:
            if isinstance(item.file, EventPoll):
                item.file.poll_host(task)
                continue
            mask = item.poll(task)
            if not mask or item.ready:
                continue
            if item.events & EPOLLET:
                seen = _host_state(item)
                if seen == item.seen:
                    continue
                item.seen = seen
            item.notify(mask)

    # Changing the set

    def insert(self, task: Task, item: Epitem) -> None:
        """Adds an entry (ep_insert). Errno(ENOSPC), EINVAL for too many ways to one file."""
        limit = max_user_watches(self.kernel)
        charge_user(self.kernel, "epoll-watches", self.uid, limit, ENOSPC)
        file = item.file
        self.items[item.fd, id(file)] = item
        if file.epitems is None:
            file.epitems = []
        file.epitems.append(item)
        if not paths_allowed(item):
            self.remove(item)
            raise Errno(EINVAL)
        for queue in file.poll_queues(-1):
            if type(queue) is WaitQueue:
                item.queues.append(queue)
                queue.watch(item)
            elif item not in self.polled:
                self.polled.append(item)
        if isinstance(file, EventPoll) and item not in self.polled:
            # Entries for host descriptors may be added to it later.
            self.polled.append(item)
        self.look(task, item)

    def look(self, task: Task, item: Epitem) -> None:
        """An entry is new or was changed: if it is ready, say so."""
        if item.poll(task) and not item.ready:
            item.ready = True
            if item.events & EPOLLET and item in self.polled:
                item.seen = _host_state(item)
            self.ready.append(item)
            self.wake(0)

    def remove(self, item: Epitem) -> None:
        """Takes an entry out."""
        for queue in item.queues:
            queue.unwatch(item)
        item.queues = []
        file = item.file
        del self.items[item.fd, id(file)]
        assert file.epitems is not None
        file.epitems.remove(item)
        if not file.epitems:
            file.epitems = None
        if item.ready:
            self.ready.remove(item)
            item.ready = False
        if item in self.polled:
            self.polled.remove(item)
        uncharge_user(self.kernel, "epoll-watches", self.uid)

    # Reporting

    def send_events(self, task: Task, address: int, maxevents: int) -> int:
        """Reports ready entries to user memory; how many. Errno(EFAULT) if not even one."""
        scanned, self.ready = self.ready, []
        count = at = 0
        try:
            while at < len(scanned) and count < maxevents:
                item = scanned[at]
                mask = item.poll(task)
                if mask:
                    try:
                        copy_to_user(task, address + 12 * count, _EVENT.pack(mask, item.data))
                    except Errno:
                        if not count:
                            raise
                        break
                    count += 1
                at += 1
                item.ready = False
                if not mask:
                    continue
                if item.events & EPOLLONESHOT:
                    item.events &= EP_PRIVATE_BITS
                elif not item.events & EPOLLET:
                    item.ready = True
                    self.ready.append(item)
        finally:
            self.ready[:0] = scanned[at:]
            if self.ready:
                self.queue.wake_up()
        return count

    def ioctl(self, task: Task, cmd: int, arg: int) -> int:
        raise Errno(EINVAL)

    def fdinfo(self) -> str:
        return "".join(
            f"tfd: {item.fd:8d} events: {item.events:8x} data: {item.data:16x} "
            f" pos:{item.file.pos if item.file.seekable else 0} "
            f"ino:{item.file.inode.ino:x} sdev:{item.file.inode.sb.dev:x}\n"
            for item in self.items.values()
        )


def _host_state(item: Epitem) -> tuple[int, ...]:
    """What changes when a host descriptor has something new: readiness, what was moved so far
    (the position of a stream counts that), what can be read."""
    from emukernel.kernel.fs.stdio import StreamFile

    file = item.file
    mask = item.poll(item.ep.kernel.current)
    available = 0
    if isinstance(file, StreamFile) and mask & POLLIN:
        try:
            available = file.stream.available()
        except Errno:
            available = 0
    return mask, file.pos, available


def max_user_watches(kernel: Kernel) -> int:
    """fs.epoll.max_user_watches: 4% of the RAM, at 160 bytes each."""
    return kernel.memory.frames // 25 * 4096 // 160


def eventpoll_release(file: File) -> None:
    """The last reference to an open file is gone: it leaves every set."""
    for item in list(file.epitems or ()):
        item.ep.remove(item)


# Sets inside sets


def _depth_below(ep: EventPoll, target: EventPoll, depth: int, known: dict[int, int]) -> int:
    """How many levels of sets `ep` has below it; more than EP_MAX_NESTS if `target` is one."""
    if id(ep) in known:
        return known[id(ep)]
    result = 0
    for item in ep.items.values():
        inner = item.file
        if isinstance(inner, EventPoll):
            if inner is target or depth > EP_MAX_NESTS:
                result = EP_MAX_NESTS + 1
            else:
                result = max(result, _depth_below(inner, target, depth + 1, known) + 1)
            if result > EP_MAX_NESTS:
                break
    known[id(ep)] = result
    return result


def _depth_above(ep: EventPoll, known: dict[int, int]) -> int:
    """How many levels of sets hold `ep`."""
    if id(ep) not in known:
        known[id(ep)] = max(
            (_depth_above(item.ep, known) + 1 for item in ep.epitems or ()), default=0
        )
    return known[id(ep)]


def makes_loop(ep: EventPoll, inner: EventPoll) -> bool:
    """Would a set in `ep` come to lie in itself, or too deep?"""
    below = _depth_below(inner, ep, 0, {})
    return below > EP_MAX_NESTS or below + 1 + _depth_above(ep, {}) > EP_MAX_NESTS


def paths_allowed(item: Epitem) -> bool:
    """Not too many ways lead from a file to sets that nobody holds (reverse_path_check)."""
    if not item.ep.epitems and not isinstance(item.file, EventPoll):
        return True
    files: dict[int, File] = {}
    _leaves(item.file, files, set())
    return all(_count_paths(file, 0, [0] * len(_PATH_LIMITS)) for file in files.values())


def _leaves(file: File, found: dict[int, File], seen: set[int]) -> None:
    """Notes the file, or for a set the files in it and in sets below it, that are no sets."""
    if not isinstance(file, EventPoll):
        found[id(file)] = file
    elif id(file) not in seen:
        seen.add(id(file))
        for item in file.items.values():
            _leaves(item.file, found, seen)


def _count_paths(file: File, depth: int, counts: list[int]) -> bool:
    for item in file.epitems or ():
        if item.ep.epitems:
            if depth >= len(counts) or not _count_paths(item.ep, depth + 1, counts):
                return False
        elif depth:
            counts[depth] += 1
            if counts[depth] > _PATH_LIMITS[depth]:
                return False
    return True


# System calls


def sys_epoll_create1(task: Task, flags: int) -> int:
    """epoll_create1(2)"""
    if flags & ~O_CLOEXEC:
        raise Errno(EINVAL)
    file = EventPoll(anon_inode_path(task.kernel, b"[eventpoll]"), O_RDWR, task.kernel)
    return task.files.add(task, file, bool(flags & O_CLOEXEC))


def sys_epoll_create(task: Task, size: int) -> int:
    """epoll_create(2): the size only has to be positive"""
    if size <= 0:
        raise Errno(EINVAL)
    return sys_epoll_create1(task, 0)


def sys_epoll_ctl(task: Task, epfd: int, op: int, fd: int, event: int) -> int:
    """epoll_ctl(2)"""
    events = data = 0
    if op != EPOLL_CTL_DEL:
        events, data = _EVENT.unpack(copy_from_user(task, event, 12))
        if events & EPOLLWAKEUP and not task.cred.capable(_CAP_BLOCK_SUSPEND):
            events &= ~EPOLLWAKEUP
    ep = task.files.get(epfd)
    file = task.files.get(fd)
    if type(file).poll is File.poll:
        raise Errno(EPERM)
    if ep is file or not isinstance(ep, EventPoll):
        raise Errno(EINVAL)
    if events & EPOLLEXCLUSIVE and op != EPOLL_CTL_DEL:
        if op == EPOLL_CTL_MOD:
            raise Errno(EINVAL)
        if op == EPOLL_CTL_ADD and (isinstance(file, EventPoll) or events & ~_EXCLUSIVE_OK):
            raise Errno(EINVAL)
    if op == EPOLL_CTL_ADD and isinstance(file, EventPoll) and makes_loop(ep, file):
        raise Errno(ELOOP)
    item = ep.items.get((fd, id(file)))
    if op == EPOLL_CTL_ADD:
        if item is not None:
            raise Errno(EEXIST)
        ep.insert(task, Epitem(ep, file, fd, events | POLLERR | POLLHUP, data))
        return 0
    if op not in (EPOLL_CTL_DEL, EPOLL_CTL_MOD):
        raise Errno(EINVAL)
    if item is None:
        raise Errno(ENOENT)
    if op == EPOLL_CTL_DEL:
        ep.remove(item)
        return 0
    if item.events & EPOLLEXCLUSIVE:
        raise Errno(EINVAL)
    item.events = events | POLLERR | POLLHUP
    item.data = data
    ep.look(task, item)
    return 0


def do_epoll_wait(task: Task, epfd: int, events: int, maxevents: int, timeout: int | None) -> int:
    """epoll_wait(2) with a timeout in ns (None: for ever)."""
    ep = task.files.get(epfd)
    if not 0 < maxevents <= EP_MAX_EVENTS:
        raise Errno(EINVAL)
    if not access_ok(events, maxevents * 12):
        raise Errno(EFAULT)
    if not isinstance(ep, EventPoll):
        raise Errno(EINVAL)
    if ep.polled:
        ep.poll_host(task)
    if ep.ready:
        count = ep.send_events(task, events, maxevents)
        if count:
            return count
    if timeout is not None and timeout <= 0:
        return 0
    queues: list[Any] = [ep.queue]
    if ep.polled:
        queues += ep.host_queues()
    wait_on(task, queues, call_deadline(task, timeout), EINTR)
    return 0


def _milliseconds(timeout: int) -> int | None:
    return None if timeout < 0 else timeout * 10**6


def sys_epoll_wait(task: Task, epfd: int, events: int, maxevents: int, timeout: int) -> int:
    """epoll_wait(2)"""
    return do_epoll_wait(task, epfd, events, maxevents, _milliseconds(timeout))


def _pwait(
    task: Task, epfd: int, events: int, maxevents: int, timeout: int | None, mask: int, size: int
) -> int:
    """epoll_wait under another signal mask, which stays for the handler of a signal that came."""
    from emukernel.kernel.signal.mask import restore_saved_sigmask, set_user_sigmask

    if mask and "sigmask" not in task.call:
        set_user_sigmask(task, mask, size)
        task.call["sigmask"] = True
    try:
        count = do_epoll_wait(task, epfd, events, maxevents, timeout)
    except Errno as error:
        if mask and error.errno != EINTR:
            restore_saved_sigmask(task)
        raise
    if mask:
        restore_saved_sigmask(task)
    return count


def sys_epoll_pwait(
    task: Task, epfd: int, events: int, maxevents: int, timeout: int, sigmask: int, sigsetsize: int
) -> int:
    """epoll_pwait(2)"""
    ns = _milliseconds(timeout)
    return _pwait(task, epfd, events, maxevents, ns, sigmask, sigsetsize)


def sys_epoll_pwait2(
    task: Task, epfd: int, events: int, maxevents: int, timeout: int, sigmask: int, sigsetsize: int
) -> int:
    """epoll_pwait2(2): the timeout is a struct timespec"""
    ns: int | None = None
    if timeout:
        from emukernel.kernel.time.timekeeping import get_timespec

        call = task.call
        ns = call["timeout"] if "timeout" in call else get_timespec(task, timeout)
        call["timeout"] = ns
    return _pwait(task, epfd, events, maxevents, ns, sigmask, sigsetsize)
