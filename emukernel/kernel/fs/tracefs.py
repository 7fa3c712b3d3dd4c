"""tracefs: the events of system calls, to read (Linux: fs/tracefs, kernel/trace/trace_events.c).

Only what describes the events is here: tracing itself is not switched on, so `enable` is 0 and
`filter` is none.
"""

from __future__ import annotations

from emukernel.kernel.errno import EINVAL, Errno
from emukernel.kernel.fs.kernfs import ConstantFile, KernDirectory, KernFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.ftrace.events import Event, EventTable
    from emukernel.kernel.fs.dcache import Dentry
    from emukernel.kernel.fs.inode import SuperBlock
    from emukernel.kernel.task import Task


class AvailableEvents(KernFile):
    """`available_events`: SYSTEM:EVENT, one a line."""

    __slots__ = ()

    def show(self, task: Task) -> bytes:
        events = _events(task.kernel.options.ptregs_events)
        return "".join(f"syscalls:sys_enter_{name}\n" for name in events.names()).encode()


class SyscallEvents(KernDirectory):
    """events/syscalls: a directory for each event."""

    __slots__ = ()

    def populate(self, dentry: Dentry) -> None:
        self.add(dentry, b"enable", Disabled(self.sb, b"0\n", 0o640))
        self.add(dentry, b"filter", Disabled(self.sb, NO_SUBSYSTEM_FILTER, 0o640))
        for name in _events(self.sb.kernel.options.ptregs_events).names():
            entry = f"sys_enter_{name}"
            self.add(dentry, entry.encode(), EventDirectory(self.sb, name))


class EventDirectory(KernDirectory):
    """events/syscalls/EVENT."""

    __slots__ = ("event",)

    def __init__(self, sb: SuperBlock, event: str) -> None:
        super().__init__(sb, 0o755)
        self.event = event

    def populate(self, dentry: Dentry) -> None:
        event = _events(self.sb.kernel.options.ptregs_events).by_name(self.event)
        assert event is not None
        self.add(dentry, b"enable", Disabled(self.sb, b"0\n", 0o640))
        self.add(dentry, b"filter", Disabled(self.sb, b"none\n", 0o640))
        self.add(dentry, b"format", FormatFile(self.sb, event))
        self.add(dentry, b"id", ConstantFile(self.sb, b"%d\n" % event.id, 0o440))


class Disabled(ConstantFile):
    """A switch that stays as it is: only that same setting can be written."""

    __slots__ = ()

    def store(self, task: Task, data: bytes) -> int:
        if data.strip(b" \n\0") == b"0":
            return len(data)
        raise Errno(EINVAL)


class FormatFile(KernFile):
    """events/syscalls/EVENT/format."""

    __slots__ = ("event",)

    def __init__(self, sb: SuperBlock, event: Event) -> None:
        super().__init__(sb, 0o440)
        self.event = event

    def show(self, task: Task) -> bytes:
        return self.event.format().encode()


NO_SUBSYSTEM_FILTER = (
    b"### global filter ###\n"
    b"# Use this to set filters for multiple events.\n"
    b"# Only events with the given fields will be affected.\n"
    b"# If no events are modified, an error message will be displayed here\n"
)


def _events(ptregs_events: bool) -> EventTable:
    from emukernel.ftrace.events import table

    return table(ptregs_events=ptregs_events)


def populate_root(root: KernDirectory, dentry: Dentry) -> None:
    """The files of the root of tracefs."""
    sb = root.sb
    root.add(dentry, b"available_events", AvailableEvents(sb, 0o440))
    events = KernDirectory(sb, 0o755)
    events.populated = True
    place = root.add(dentry, b"events", events)
    events.add(place, b"enable", Disabled(sb, b"0\n", 0o640))
    events.add(place, b"syscalls", SyscallEvents(sb, 0o755))
