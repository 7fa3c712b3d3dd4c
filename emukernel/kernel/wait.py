"""Sleeping, once for all calls.

A handler that can't go on calls `wait_on`. That raises Blocked: dispatch parks the task on the
queues, other tasks run, and when it is woken the handler is called again from its start with the
same arguments. So a blocking call reads straight: look; done, then return; else wait_on. What it
has to remember between entries (a deadline, bytes already moved) is in `task.call`.

A sleep is therefore plain data, not a suspended Python frame, and can be saved and restored.
"""

from __future__ import annotations

from itertools import islice

from emukernel.kernel.errno import ERESTARTSYS, Errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from emukernel.kernel.task import Task

    Queue = "WaitQueue | HostReadable | HostWritable"


class Blocked(BaseException):
    """The current call sleeps; `task.waiting` and `task.deadline` say on what and until when.

    Not an Exception: no handler may swallow it.
    """


class Watcher:
    """Something other than a sleeping task that is told of each wake-up of a queue (epoll)."""

    __slots__ = ()

    exclusive = False
    """Of the exclusive ones only the first that has use for a wake-up is told (EPOLLEXCLUSIVE)."""

    def notify(self, events: int) -> bool:
        """A wake-up: `events` are POLL* bits, 0 for all. Had the watcher use for it?"""
        raise NotImplementedError


class WaitQueue:
    """Tasks that wait for one kind of event, in the order they came, and watchers of it."""

    __slots__ = ("tasks", "watchers")

    def __init__(self) -> None:
        self.tasks: dict[Task, None] = {}
        self.watchers: list[Watcher] | None = None

    def wake_up(self, count: int = 0, events: int = 0) -> None:
        """Makes the sleepers runnable: all of them, or the first `count`.

        `events` are the POLL* bits that may be ready now; 0 says that it could be any.
        """
        if self.watchers is not None:
            self._notify(events)
        tasks = self.tasks
        if not tasks:
            return
        for task in list(islice(tasks, count) if count else tasks):
            task.kernel.sched.wake(task)

    def _notify(self, events: int) -> None:
        served = False
        assert self.watchers is not None
        for watcher in list(self.watchers):
            if not watcher.exclusive:
                watcher.notify(events)
            elif not served:
                served = watcher.notify(events)

    def watch(self, watcher: Watcher) -> None:
        """Adds a watcher: exclusive ones in the order they came, the others newest first."""
        if self.watchers is None:
            self.watchers = []
        if watcher.exclusive:
            self.watchers.append(watcher)
        else:
            self.watchers.insert(0, watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Takes a watcher back that is there."""
        assert self.watchers is not None
        self.watchers.remove(watcher)
        if not self.watchers:
            self.watchers = None


class HostReadable:
    """Readiness of a host descriptor for reading, as a queue to wait on."""

    __slots__ = ("fd",)
    writing = False

    def __init__(self, fd: int) -> None:
        self.fd = fd


class HostWritable(HostReadable):
    """Readiness of a host descriptor for writing."""

    __slots__ = ()
    writing = True


def wait_on(
    task: Task,
    queue: Any,
    deadline: int | None = None,
    interrupted: int = ERESTARTSYS,
    killable_only: bool = False,
) -> bool:
    """Sleeps on a queue (or several, in a list or tuple) until woken or `deadline`.

    `deadline` is absolute, in ns of the monotonic clock. False: it has passed. An unblocked
    pending signal raises Errno(interrupted) (wait_event_interruptible), with `killable_only` a
    fatal one alone (wait_event_killable). Otherwise raises Blocked.
    """
    if task.sigpending and (not killable_only or task.signal.group_exit):
        raise Errno(interrupted)
    if deadline is not None and task.kernel.clock.monotonic() >= deadline:
        return False
    queues: Iterable[Any] = queue if isinstance(queue, list | tuple) else (queue,)
    task.waiting = tuple(q for q in queues if q is not None)
    task.deadline = deadline
    # A new one each time: one that is raised again keeps the frames of every time before.
    raise Blocked


def call_deadline(task: Task, relative: int | None) -> int | None:
    """The absolute deadline of this call, fixed at its first entry; None: for ever."""
    if relative is None:
        return None
    call = task.call
    deadline: int | None = call.get("deadline")
    if deadline is None:
        deadline = task.kernel.clock.monotonic() + relative
        call["deadline"] = deadline
    return deadline
