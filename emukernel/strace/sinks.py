"""Where a trace goes: text, JSON lines, a list.

A sink is told of events in their order: enter and exit of a call (`Pending`), block while it sleeps
in between, abandon where nobody will hear of it any more, signal, stopped by one, fork (there is a
task more), superseded (an execve in thread `by` takes over the process's pid), task_exit, and close
at the end.
"""

from __future__ import annotations

from emukernel.strace.line import aligned, opening, rest, whole
from emukernel.strace.record import (
    call_record,
    exit_record,
    signal_record,
    stop_record,
    superseded_record,
)
from emukernel.strace.scalar import signal as signal_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from emukernel.strace.call import Call

    class Sink(Protocol):
        """What the module says of sinks, as methods."""

        def enter(self, pid: int, pending: Pending) -> None: ...

        def block(self, pid: int, pending: Pending) -> None: ...

        def exit(self, pid: int, pending: Pending) -> None: ...

        def abandon(self, pid: int, pending: Pending) -> None: ...

        def fork(self, pid: int) -> None: ...

        def superseded(self, pid: int, time: int, by: int) -> None: ...

        def signal(self, pid: int, time: int, name: str, info: str) -> None: ...

        def stopped(self, pid: int, time: int, name: str) -> None: ...

        def task_exit(self, pid: int, time: int, status: int) -> None: ...

        def close(self) -> None: ...

    class Writer(Protocol):
        """The part of a text file that is used here."""

        def write(self, text: str, /) -> Any: ...

        def flush(self) -> Any: ...


NOTHING, OPENING, UNFINISHED = range(3)


class Pending:
    """A call that is under way, made at `time` (nanoseconds).

    `late` is the first argument that is known only at its end. `shown` is how much of its line a
    text sink has written: NOTHING, its OPENING (which is `opening`), or an UNFINISHED line;
    `prefix` is what such a sink has in front of the line's start.
    """

    __slots__ = ("call", "late", "opening", "prefix", "shown", "task", "time", "verdict")

    def __init__(self, call: Call, time: int, task: object = None) -> None:
        self.call = call
        self.time = time
        self.task = task
        self.prefix = ""
        self.verdict: str | None = None
        self.shown = NOTHING
        self.opening = ""
        self.late = len(call.texts)
        if None in call.texts:
            self.late = call.texts.index(None)


def ending(status: int) -> tuple[int | None, str | None, bool]:
    """A wait status as exit status, or signal and whether it left a core file."""
    if status & 0x7F:
        return None, signal_name(status & 0x7F), bool(status & 0x80)
    return status >> 8 & 0xFF, None, False


class TextSink:
    """Text as of `strace -f`. A call is written when it is back; when another task's event comes
    in between, it is written as `<unfinished ...>` first and `<... resumed>` later. `[pid N]`
    stands in front as long as there is more than one task."""

    __slots__ = ("_file", "_open", "_tasks")

    def __init__(self, file: Writer) -> None:
        self._file = file
        self._tasks: set[int] = set()
        self._open: tuple[int, Pending] | None = None
        """The call that was entered last, while nothing of it is written but its opening."""

    def enter(self, pid: int, pending: Pending) -> None:
        self._tasks.add(pid)
        self._interrupt()
        self._open = (pid, pending)
        pending.prefix = self._prefix(pid)

    def fork(self, pid: int) -> None:
        self._tasks.add(pid)

    def superseded(self, pid: int, time: int, by: int) -> None:
        self._line(pid, f"+++ superseded by execve in pid {by} +++")
        self._tasks.discard(by)

    def stopped(self, pid: int, time: int, name: str) -> None:
        self._line(pid, f"--- stopped by {name} ---")

    def block(self, pid: int, pending: Pending) -> None:
        if pending.shown == NOTHING:
            if self._open != (pid, pending):
                self._interrupt()
                self._open = (pid, pending)
            pending.opening = pending.prefix + opening(pending.call)
            pending.shown = OPENING
            self._file.write(pending.opening)
            self._file.flush()

    def exit(self, pid: int, pending: Pending) -> None:
        if self._open is not None and self._open[1] is pending:
            self._open = None
        else:
            self._interrupt()
        call = pending.call
        if pending.shown == UNFINISHED:
            head = f"{self._prefix(pid)}<... {call.name} resumed>{rest(call, pending.late)}"
        elif pending.shown == OPENING:
            head = pending.opening + rest(call, pending.late)
        else:
            head = pending.prefix + whole(call)
        line = aligned(head, call)
        if pending.shown == OPENING:
            line = line[len(pending.opening) :]
        said = f" [seccomp: {pending.verdict}]" if pending.verdict else ""
        self._file.write(f"{line}{said}\n")

    def abandon(self, pid: int, pending: Pending) -> None:
        if pending.shown != UNFINISHED:
            self._unfinished(pid, pending)

    def signal(self, pid: int, time: int, name: str, info: str) -> None:
        self._line(pid, f"--- {name} {info} ---")

    def task_exit(self, pid: int, time: int, status: int) -> None:
        code, signal, core = ending(status)
        if signal:
            self._line(pid, f"+++ killed by {signal}{' (core dumped)' if core else ''} +++")
        else:
            self._line(pid, f"+++ exited with {code} +++")
        self._tasks.discard(pid)

    def close(self) -> None:
        self._file.flush()

    def _line(self, pid: int, text: str) -> None:
        self._tasks.add(pid)
        self._interrupt()
        self._file.write(f"{self._prefix(pid)}{text}\n")

    def _interrupt(self) -> None:
        """Something else has to be said before the open call is back."""
        if self._open is not None:
            self._unfinished(*self._open)

    def _unfinished(self, pid: int, pending: Pending) -> None:
        self._open = None
        start = "" if pending.shown == OPENING else pending.prefix + opening(pending.call)
        self._file.write(f"{start} <unfinished ...>\n")
        pending.shown = UNFINISHED

    def _prefix(self, pid: int) -> str:
        return f"[pid {pid:5}] " if len(self._tasks) > 1 else ""


class ListSink(TextSink):
    """The lines of a TextSink, added to a list."""

    __slots__ = ()

    def __init__(self, lines: list[str]) -> None:
        super().__init__(_Lines(lines))


class _Lines:
    __slots__ = ("_begun", "_lines")

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._begun = ""

    def write(self, text: str) -> None:
        *complete, self._begun = (self._begun + text).split("\n")
        self._lines += complete

    def flush(self) -> None:
        pass


class JsonSink:
    """A record a line, as record.py has them; a call's when it is back or given up."""

    __slots__ = ("_file",)

    def __init__(self, file: Writer) -> None:
        self._file = file

    def enter(self, pid: int, pending: Pending) -> None:
        pass

    def block(self, pid: int, pending: Pending) -> None:
        pass

    def exit(self, pid: int, pending: Pending) -> None:
        self._write(call_record(pid, pending.time, pending.call, pending.verdict))

    abandon = exit

    def fork(self, pid: int) -> None:
        pass

    def superseded(self, pid: int, time: int, by: int) -> None:
        self._write(superseded_record(pid, time, by))

    def stopped(self, pid: int, time: int, name: str) -> None:
        self._write(stop_record(pid, time, name))

    def signal(self, pid: int, time: int, name: str, info: str) -> None:
        self._write(signal_record(pid, time, name, info))

    def task_exit(self, pid: int, time: int, status: int) -> None:
        self._write(exit_record(pid, time, *ending(status)))

    def close(self) -> None:
        self._file.flush()

    def _write(self, record: dict[str, Any]) -> None:
        from json import dumps

        self._file.write(dumps(record) + "\n")
