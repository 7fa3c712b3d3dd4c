"""Filter sets: which system calls have an entry, and what the entry asks of their arguments.

A `FilterSet` never changes, so tasks share one by reference. A change copies its entries, edits the
copy (`narrowed` makes entries) and makes a new set of it: whatever fails on the way leaves no
trace.
"""

from __future__ import annotations

from emukernel.kernel.errno import E2BIG, EINVAL, ENOSYS, Errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Literal

    from emukernel.ftrace.events import Event
    from emukernel.ftrace.filter import EventFilter
    from emukernel.seccomp.computing import Calls, Match

WILDCARD = b"1"
"""The expression that allows a call without evaluation."""

MAX_FILTER_LENGTH = 255
"""Bytes of an expression: MAX_FILTER_STR_VAL of 2.6.39 counts the NUL as well."""

WHITE_SPACE = b" \t\n\v\f\r\xa0"
"""What isspace() of the kernel takes (lib/ctype.c)."""


class Entry:
    """What a filter set says of one call.

    `filter` is None for the entry `1`. `name` is the call's metadata name (`sys_read`), or what the
    kernel prints for a call that has no metadata; `text` is the expression as it is reported back.
    """

    __slots__ = ("filter", "name", "nr", "text")

    def __init__(self, nr: int, name: str, text: bytes, event_filter: EventFilter | None) -> None:
        self.nr = nr
        self.name = name
        self.text = text
        self.filter = event_filter


class FilterSet:
    """Entries by number, in ascending order, unchangeable. `calls` is the entry path's table."""

    __slots__ = ("_entries", "calls")

    def __init__(self, entries: Mapping[int, Entry]) -> None:
        self._entries = {nr: entries[nr] for nr in sorted(entries)}
        calls: dict[int, Literal[True] | Match] = {}
        for nr, entry in self._entries.items():
            calls[nr] = True if entry.filter is None else _deferred(calls, entry.filter)
        self.calls: Calls = calls

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def get(self, nr: int) -> Entry | None:
        return self._entries.get(nr)

    def entries(self) -> dict[int, Entry]:
        """A copy to edit."""
        return dict(self._entries)


def _deferred(calls: dict[int, Literal[True] | Match], event_filter: EventFilter) -> Match:
    """Stands in the table until the call is made: a filter takes a while to compile, and of a large
    set most calls are never made."""

    def match(nr: int, a0: int, a1: int, a2: int, a3: int, a4: int, a5: int) -> bool:
        compiled = calls[nr] = event_filter.match
        return compiled(nr, a0, a1, a2, a3, a4, a5)

    return match


EMPTY = FilterSet({})


def narrowed(
    old: Entry | None, nr: int, name: str, event: Event | None, text: bytes, *, joint: bytes
) -> Entry:
    """The entry of call `nr` after `text`, stripped and not empty, is added to `old`.

    Without an entry, or over the entry `1`, it has `text`; over any other it has both, written with
    the surface's `joint` (`b"(%b) && (%b)"`). `event` is None for a call that has no metadata.

    Raises Errno: E2BIG, the joined text is too long; EINVAL, a single one is; ENOSYS, an expression
    for a call without metadata. Raises FilterError where the engine refuses the expression. That
    includes `1` beside another expression: it is handed on as written, and is none.
    """
    if old is None or old.filter is None:
        if text == WILDCARD:
            return Entry(nr, name, text, None)
        if len(text) > MAX_FILTER_LENGTH:
            raise Errno(EINVAL)
        joined = text
    else:
        joined = joint % (old.text, text)
        if len(joined) > MAX_FILTER_LENGTH:
            raise Errno(E2BIG)
    if event is None:
        raise Errno(ENOSYS)
    from emukernel.ftrace.filter import create  # not before a filter is made: most boots have none

    created = create(event, text)
    if joined != text:
        # `text` has been through the engine by itself first: `fd == 1) || (fd == 2` is no
        # expression, but between the joint's parentheses it would loosen the entry.
        created = create(event, joined)
    return Entry(nr, name, joined, created)
