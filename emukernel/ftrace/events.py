"""The metadata of trace events: what fields a record has and where they lie.

A system call's enter event has Linux 2.6.39's layout: five common fields, the number ``nr``
(int, at offset 12), then every argument under its parameter's name as an unsigned 8-byte word,
from offset 16 on.  Names and argument names of the calls up to 306 are 2.6.39's; later calls
follow the same layout with today's names (``data/syscalls_x86_64.json``).

The data are read when the first event is asked for, and only the lines that are asked for are
decoded.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

FIRST_SYSCALL_EVENT_ID = 512
"""``id`` of the event of system call 0; the others follow by number.  Linux hands ids out at
boot, in link order: they are stable here so that a policy that names events by id means the
same on every boot."""

DATA = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", "syscalls_x86_64.json")

NUMBER, STATIC_STRING, DYNAMIC_STRING, POINTER_STRING = "number", "static", "dynamic", "pointer"


class Field:
    """One field of an event's record.

    ``type`` is the C type as the ``format`` file prints it, ``offset`` and ``size`` are bytes.
    ``kind`` says how the filter engine compares it: NUMBER, STATIC_STRING (a char array in the
    record), DYNAMIC_STRING (``__data_loc``: a u32 whose low half is the text's offset in the
    record and whose high half is its length with the NUL) or POINTER_STRING (``char *``,
    followed).  ``register`` is the parameter of a compiled match function that holds the field
    (``nr``, ``a0`` to ``a5``), or None where the record of a system call has zeros.
    """

    __slots__ = ("kind", "name", "offset", "register", "signed", "size", "type")

    def __init__(
        self,
        name: str,
        type: str,
        offset: int,
        size: int,
        signed: bool,
        *,
        kind: str = NUMBER,
        register: str | None = None,
    ) -> None:
        self.name = name
        self.type = type
        self.offset = offset
        self.size = size
        self.signed = signed
        self.kind = kind
        self.register = register

    def __repr__(self) -> str:
        return f"Field({self.name!r}, {self.type!r}, {self.offset}, {self.size}, {self.signed})"

    def describe(self) -> str:
        """The field's line in the event's ``format`` file, without the tab before it."""
        declaration = f"{self.type} {self.name}"
        if "[" in self.type and "__data_loc" not in self.type:
            base, bracket, dimension = self.type.partition("[")
            declaration = f"{base} {self.name}{bracket}{dimension}"
        return (
            f"field:{declaration};\toffset:{self.offset};\tsize:{self.size};"
            f"\tsigned:{int(self.signed)};"
        )


COMMON_FIELDS = (
    Field("common_type", "unsigned short", 0, 2, False),
    Field("common_flags", "unsigned char", 2, 1, False),
    Field("common_preempt_count", "unsigned char", 3, 1, False),
    Field("common_pid", "int", 4, 4, True),
    Field("common_padding", "int", 8, 4, True),
)
"""What every record begins with in 2.6.39 (``struct trace_entry``; ``common_lock_depth`` is
gone there)."""


class Event:
    """A trace event: ``name`` in its ``system``, its ``id`` and its fields.

    ``nr`` is the system call's number and ``entry`` its name in the kernel's tables
    (``sys_read``); both are None for events that are no system call's.
    """

    __slots__ = ("_by_name", "common", "entry", "fields", "id", "name", "nr", "system")

    def __init__(
        self,
        name: str,
        system: str,
        id: int,
        fields: Sequence[Field],
        *,
        nr: int | None = None,
        entry: str | None = None,
        common: Sequence[Field] = COMMON_FIELDS,
    ) -> None:
        self.name = name
        self.system = system
        self.id = id
        self.fields = tuple(fields)
        self.common = tuple(common)
        self.nr = nr
        self.entry = entry
        # The kernel looks among the common fields first, then in a list to whose head each field
        # was added: of two fields with one name the later wins.  io_submit's argument `nr` so hides
        # the system call's number.
        self._by_name = {field.name: field for field in self.fields}
        self._by_name.update((field.name, field) for field in self.common)

    def __repr__(self) -> str:
        return f"<Event {self.system}:{self.name} id {self.id}>"

    @property
    def title(self) -> str:
        """What messages call the event: ``sys_read``, or the event's own name."""
        return self.entry or self.name

    @property
    def arguments(self) -> tuple[Field, ...]:
        """The system call's arguments in order; () for other events."""
        return tuple(f for f in self.fields if f.register is not None and f.register != "nr")

    def field(self, name: str) -> Field | None:
        """The field that a filter means by ``name``, or None."""
        return self._by_name.get(name)

    def field_names(self) -> list[str]:
        """Every name a filter can use: the event's own first, then the common ones."""
        return list(dict.fromkeys(field.name for field in (*self.fields, *self.common)))

    def format(self) -> str:
        """The text of the event's ``format`` file in tracefs, as 2.6.39 prints it."""
        lines = [f"name: {self.name}", f"ID: {self.id}", "format:"]
        lines += [f"\t{field.describe()}" for field in self.common]
        lines.append("")
        lines += [f"\t{field.describe()}" for field in self.fields]
        lines += ["", f"print fmt: {self._print_format()}", ""]
        return "\n".join(lines)

    def _print_format(self) -> str:
        names = [field.name for field in self.arguments]
        shapes = ", ".join(f"{name}: 0x%08lx" for name in names)
        values = "".join(f", ((unsigned long)(REC->{name}))" for name in names)
        return f'"{shapes}"{values}'


def syscall_event(nr: int, name: str, arguments: Sequence[tuple[str, str]]) -> Event:
    """The enter event of system call ``nr``, whose event is called ``name`` and takes (name,
    type) ``arguments``."""
    fields = [Field("nr", "int", 12, 4, True, register="nr")]
    fields += [
        Field(argument, type, 16 + 8 * i, 8, False, register=f"a{i}")
        for i, (argument, type) in enumerate(arguments)
    ]
    return Event(
        f"sys_enter_{name}",
        "syscalls",
        FIRST_SYSCALL_EVENT_ID + nr,
        fields,
        nr=nr,
        entry=f"sys_{name}",
    )


class EventTable:
    """The enter events of all system calls.

    ``ptregs_events`` says whether the calls without an event in 2.6.39 (handlers that take
    pt_regs, or are not written with SYSCALL_DEFINE, or are missing) have one nevertheless,
    under the call's name.
    """

    def __init__(self, *, ptregs_events: bool = True) -> None:
        self.ptregs_events = ptregs_events
        self._events: dict[int, Event] = {}
        self._lines: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._call_numbers: dict[str, int] = {}

    def _load(self) -> None:
        import re

        shape = re.compile(
            r'{"nr": (\d+), "name": "(\w+)", "event": (?:null|"(\w+)").*'
            r'"linux_2_6_39": (null|{"entry": "\w+", "event": (?:null|"(\w+)")).*}'
        )
        with open(DATA, encoding="ascii") as file:
            for line in shape.finditer(file.read()):
                number, call, today, then, event_then = line.groups()
                nr = int(number)
                event = self._name_event(call, today, then != "null", event_then)
                if event is not None:
                    self._lines[nr] = line.group()
                    self._numbers[event] = nr
                    self._call_numbers[call] = nr

    def _name_event(
        self, call: str, today: str | None, existed: bool, then: str | None
    ) -> str | None:
        """The event of ``call``, whose events are called ``today`` and, if it ``existed``, ``then``
        in 2.6.39; None if it has no event."""
        if not existed:
            return today or call
        if then is None and self.ptregs_events:
            return call
        return then

    def _ready(self) -> None:
        if not self._lines:
            self._load()

    def by_nr(self, nr: int) -> Event | None:
        """The event of system call ``nr``; None if there is no such call or it has no event."""
        self._ready()
        event = self._events.get(nr)
        if event is None and nr in self._lines:
            event = self._events[nr] = self._decode(nr)
        return event

    def by_id(self, id: int) -> Event | None:
        """The event whose ``id`` file says ``id``."""
        return self.by_nr(id - FIRST_SYSCALL_EVENT_ID)

    def by_entry(self, entry: str) -> Event | None:
        """The event of the call whose metadata name is ``entry``: ``sys_read``, ``sys_newstat``."""
        return self._by_event(entry[4:]) if entry.startswith("sys_") else None

    def by_name(self, name: str) -> Event | None:
        """The event called ``name``, with or without its ``sys_enter_``."""
        return self._by_event(name.removeprefix("sys_enter_"))

    def find(self, word: str) -> Event | None:
        """The event that a person means by ``word``: a number (C syntax), ``sys_enter_stat``,
        ``sys_newstat``, ``newstat``, or the system call's name where that is another one
        (``stat``)."""
        name = (
            word.removeprefix("sys_enter_")
            if word.startswith("sys_enter_")
            else word.removeprefix("sys_")
        )
        event = self._by_event(name)
        if event is None and name in self._call_numbers:
            event = self.by_nr(self._call_numbers[name])
        if event is None and word[:1].isdigit() and word.isascii() and len(word) < 20:
            try:
                event = self.by_nr(int(word, 8 if word[0] == "0" and word.isdigit() else 0))
            except ValueError:
                return None
        return event

    def names(self) -> list[str]:
        """The names of all events, without ``sys_enter_``, by number."""
        self._ready()
        return sorted(self._numbers, key=self._numbers.__getitem__)

    def __iter__(self) -> Iterator[Event]:
        self._ready()
        for nr in sorted(self._lines):
            event = self.by_nr(nr)
            assert event is not None
            yield event

    def _by_event(self, name: str) -> Event | None:
        self._ready()
        nr = self._numbers.get(name)
        return None if nr is None else self.by_nr(nr)

    def _decode(self, nr: int) -> Event:
        import json

        call: dict[str, Any] = json.loads(self._lines[nr])
        then = call["linux_2_6_39"]
        name: str = call["event"] or call["name"]
        arguments = call["args"]
        if then is not None:
            name = then["event"] or call["name"]
            if then["args"] is not None:
                arguments = then["args"]
        return syscall_event(
            nr, name, [(argument["name"], argument["type"]) for argument in arguments]
        )


_tables: dict[bool, EventTable] = {}


def table(*, ptregs_events: bool = True) -> EventTable:
    """The shared table of a kernel with this setting of the option ``ptregs_events``."""
    found = _tables.get(ptregs_events)
    if found is None:
        found = _tables[ptregs_events] = EventTable(ptregs_events=ptregs_events)
    return found
