"""Event filters: an event and a text become an object that says which records pass.

The shape is that of the patch that opened the engine to consumers other than the tracing core:
a filter is made for a registered event, keeps a copy of its text, and is never changed; a place
that holds one refuses a second (EEXIST); an event that does not exist is EINVAL; a failed
request leaves nothing behind.  The engine knows none of its consumers.
"""

from __future__ import annotations

from errno import EEXIST
from typing import TYPE_CHECKING

from emukernel.ftrace import compile as compiler
from emukernel.ftrace.events import POINTER_STRING, STATIC_STRING, Event, table
from emukernel.ftrace.expression import AND, NOT, Expression, FilterError, Predicate, cut
from emukernel.ftrace.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from emukernel.ftrace.compile import Match, ReadString, Record
    from emukernel.ftrace.events import EventTable

__all__ = ["EventFilter", "Explanation", "FilterError", "FilterSlot", "Outcome", "create"]

UNKNOWN_EVENT = "Unknown event"
FILTER_EXISTS = "Event has a filter already"


class Outcome:
    """What one predicate gave: the ``value`` its field had (cut to the field) and the
    ``result``."""

    __slots__ = ("predicate", "result", "value")

    def __init__(self, predicate: Predicate, value: int | bytes, result: bool) -> None:
        self.predicate = predicate
        self.value = value
        self.result = result

    def __repr__(self) -> str:
        return f"<Outcome {self.predicate}: {self.value!r} -> {self.result}>"


class Explanation:
    """Why a call passed a filter or not.

    ``outcomes`` has one entry per predicate in the order of the text, each evaluated whether it
    mattered or not; ``because`` those of them that alone decide the verdict ``match``.
    """

    __slots__ = ("because", "match", "outcomes")

    def __init__(self, match: bool, outcomes: list[Outcome], because: list[Outcome]) -> None:
        self.match = match
        self.outcomes = outcomes
        self.because = because


class EventFilter:
    """A filter, immutable.  Made by ``create``.

    ``event`` is what it filters, ``text`` the text it was made from, ``expression`` what the
    parser made of it and ``predicates`` its comparisons in order.
    """

    __slots__ = ("_bytes", "_match", "_record", "event", "expression", "predicates", "text")

    def __init__(self, expression: Expression) -> None:
        self.event: Event = expression.event
        self.text: bytes = expression.text
        self.expression = expression
        self.predicates: tuple[Predicate, ...] = expression.predicates
        self._match: Match | None = None
        self._record: Callable[[Record], bool] | None = None
        self._bytes: Callable[[bytes, ReadString | None], bool] | None = None

    def __repr__(self) -> str:
        return f"<EventFilter {self.event.title}: {self.text.decode('utf-8', 'replace')}>"

    @property
    def match(self) -> Match:
        """The compiled ``match(nr, a0, a1, a2, a3, a4, a5)``, compiled on first use: take it
        out and keep it.

        The values are the raw registers, 0 to 2^64 - 1.  ValueError for events of no system call.
        """
        if self._match is None:
            self._match = compiler.compile_match(self.expression)
        return self._match

    def match_record(self, record: Record) -> bool:
        """Whether a record of the event passes, given as field values by name (absent: zero,
        empty)."""
        if self._record is None:
            self._record = compiler.compile_record(self.expression)
        return self._record(record)

    def match_bytes(self, record: bytes, read_string: ReadString | None = None) -> bool:
        """Whether a record of the event passes, given as the bytes it has in memory."""
        if self._bytes is None:
            self._bytes = compiler.compile_bytes(self.expression)
        return self._bytes(record, read_string)

    def explain(self, nr: int, args: Sequence[int], record: Record | None = None) -> Explanation:
        """What every predicate gives for a system call; ``args`` are its registers, absent ones 0.

        ``record`` has values for fields that no register holds (the common ones); they are 0
        otherwise.
        """
        values = {"nr": nr}
        values.update((f"a{i}", value) for i, value in enumerate(args))
        outcomes: list[Outcome] = []
        stack: list[tuple[bool, list[Outcome]]] = []
        for element in self.expression.postfix:
            if isinstance(element, Predicate):
                outcome = _outcome(element, values, record or {})
                outcomes.append(outcome)
                stack.append((outcome.result, [outcome]))
            elif element == NOT:
                result, because = stack.pop()
                stack.append((not result, because))
            else:
                right, left = stack.pop(), stack.pop()
                decisive = element != AND  # the value that one side alone can give the connective
                if left[0] is decisive:
                    stack.append(left)
                elif right[0] is decisive:
                    stack.append(right)
                else:
                    left[1].extend(right[1])
                    stack.append(left)
        match, because = stack.pop() if stack else (True, [])
        return Explanation(match, outcomes, because)


def _outcome(predicate: Predicate, values: dict[str, int], record: Record) -> Outcome:
    field = predicate.field
    if predicate.is_string:
        if field.kind == POINTER_STRING and field.register is not None:
            return Outcome(predicate, values.get(field.register, 0), False)
        text = record.get(field.name, b"")
        assert isinstance(text, bytes)
        memory = (
            text[: field.size].ljust(field.size, b"\0")
            if field.kind == STATIC_STRING
            else text + b"\0"
        )
        return Outcome(predicate, text, compiler.string_test(predicate)(memory))
    value = (
        values.get(field.register, 0) if field.register is not None else record.get(field.name, 0)
    )
    assert isinstance(value, int)
    value = cut(value, field)
    return Outcome(predicate, value, compiler.compare(predicate, value))


def create(
    event: Event | int, text: bytes | str, *, events: EventTable | None = None
) -> EventFilter:
    """The filter that ``text`` is for ``event``, an Event or an event's id among ``events``
    (default: all).

    FilterError with what is wrong and where: EINVAL as the kernel's parser has it, also for an
    unknown id.  The text is not limited here and ends at its first NUL.
    """
    raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text)
    if not isinstance(event, Event):
        found = (events if events is not None else table()).by_id(event)
        if found is None:
            raise FilterError(UNKNOWN_EVENT, raw, 0, 0, f"the id of an event, not {event}")
        event = found
    return EventFilter(parse(event, raw))


class FilterSlot:
    """A consumer's place for one filter (what a perf event has): filled once, until it is
    emptied."""

    __slots__ = ("filter",)

    def __init__(self) -> None:
        self.filter: EventFilter | None = None

    @property
    def text(self) -> bytes | None:
        """The text of the filter, None without one."""
        return None if self.filter is None else self.filter.text

    def set(
        self, event: Event | int, text: bytes | str, *, events: EventTable | None = None
    ) -> EventFilter:
        """Make a filter and keep it.

        FilterError: EEXIST if there is one, EINVAL as in ``create``; the slot is then as it
        was.  As in the kernel an unknown event is found before an existing filter, and that
        before an error in the text.
        """
        if not isinstance(event, Event):
            found = (events if events is not None else table()).by_id(event)
            if found is None:
                return create(event, text, events=events)  # raises
            event = found
        if self.filter is not None:
            raise FilterError(
                FILTER_EXISTS, self.filter.text, 0, len(self.filter.text), event=event, errno=EEXIST
            )
        self.filter = create(event, text)
        return self.filter

    def free(self) -> None:
        """Empty the slot; one that is empty stays so."""
        self.filter = None
