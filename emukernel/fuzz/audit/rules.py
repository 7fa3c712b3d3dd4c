"""A policy as the search asks it: what it says of a call, why, and where it says so."""

from __future__ import annotations

from emukernel.ftrace.filter import create
from emukernel.ftrace.region import Regions
from emukernel.fuzz.finding import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from emukernel.ftrace.events import Event
    from emukernel.ftrace.expression import Predicate, Span
    from emukernel.ftrace.filter import EventFilter
    from emukernel.ftrace.region import Region
    from emukernel.policy.parse import PolicyEntry
    from emukernel.policy.policy import Policy
    from emukernel.seccomp.filter_set import Entry

POSITIVE = ("==", "<", "<=", ">", ">=")
"""Operators by which a predicate says what may be; != says what may not."""


class Line:
    """One entry as it was written: `filter` is the line's own expression, None for 0 and 1."""

    __slots__ = ("entry", "filter", "nr")

    def __init__(self, entry: PolicyEntry, nr: int, own: EventFilter | None) -> None:
        self.entry = entry
        self.nr = nr
        self.filter = own


class Rules:
    """A policy, by number of the call."""

    __slots__ = ("_at", "_regions_of", "events", "file", "lines", "policy", "regions", "text")

    def __init__(self, policy: Policy) -> None:
        from emukernel.ftrace.events import table

        self.policy = policy
        self.file = policy.file
        self.text = policy.to_text()
        self.events = table(ptregs_events=policy.ptregs_events)
        self.regions = Regions()
        self.lines: list[Line] = []
        self._at: dict[int, list[Line]] = {}
        self._regions_of: dict[int, Region] = {}
        for entry in policy.entries:
            if entry.nr is None:
                continue
            own = None
            if entry.expression not in ("0", "1"):
                own = create(self.event(entry.nr), entry.expression)
            line = Line(entry, entry.nr, own)
            self.lines.append(line)
            self._at.setdefault(entry.nr, []).append(line)

    def event(self, nr: int) -> Event:
        """The event of a call that has one."""
        event = self.events.by_nr(nr)
        assert event is not None
        return event

    def entry(self, nr: int) -> Entry | None:
        """What the kernel makes of all lines on a call."""
        return self.policy.filters.get(nr)

    def lines_on(self, nr: int) -> list[Line]:
        """The lines that name a call."""
        return self._at.get(nr, [])

    def is_refused_by_name(self, nr: int) -> bool:
        """Whether a line says `0`."""
        return any(line.entry.expression == "0" for line in self.lines_on(nr))

    def region(self, nr: int) -> Region:
        """The calls of that number that pass."""
        found = self._regions_of.get(nr)
        if found is None:
            entry = self.entry(nr)
            if entry is None:
                found = False
            elif entry.filter is None:
                found = True
            else:
                found = self.regions.of(entry.filter.expression)
            self._regions_of[nr] = found
        return found

    def allows(self, nr: int, args: Sequence[int]) -> bool:
        """The kernel's verdict."""
        entry = self.entry(nr)
        return entry is not None and (entry.filter is None or entry.filter.match(nr, *args))

    def decisive(self, nr: int, args: Sequence[int]) -> list[Predicate]:
        """The predicates that decide about a call, whichever way."""
        entry = self.entry(nr)
        if entry is None or entry.filter is None:
            return []
        return [outcome.predicate for outcome in entry.filter.explain(nr, args).because]

    def names(self, nr: int, fields: Sequence[str]) -> set[str]:
        """Names of parameters as the call's event has them: some were others in 2.6.39."""
        from emukernel.fuzz.audit.ways import signature

        arguments = self.event(nr).arguments
        parameters = signature(nr).parameters
        return {
            argument.name
            for argument, parameter in zip(arguments, parameters, strict=False)
            if parameter.name in fields
        }

    def says_no(self, nr: int, args: Sequence[int], fields: Sequence[str]) -> bool:
        """Whether the policy refuses a call in so many words: by a line `0`, or by predicates among
        which is one on a field of `fields`."""
        if self.allows(nr, args):
            return False
        if self.is_refused_by_name(nr):
            return True
        names = self.names(nr, fields)
        return any(predicate.field.name in names for predicate in self.decisive(nr, args))

    def means_yes(self, nr: int, args: Sequence[int], fields: Sequence[str]) -> bool:
        """Whether the policy lets a call pass because of a predicate that says what one of the
        fields may be. Of a pointer none says that."""
        names = self.names(nr, fields)
        return self.allows(nr, args) and any(
            predicate.op in POSITIVE
            and predicate.field.name in names
            and "*" not in predicate.field.type
            for predicate in self.decisive(nr, args)
        )

    def singled_out(self, calls: Sequence[int], field: str) -> list[int]:
        """The values that entries of these calls refuse by name (`!=`) in an argument."""
        values = {
            predicate.constant & 0xFFFFFFFF
            for nr in calls
            for line in self.lines_on(nr)
            for predicate in (line.filter.predicates if line.filter is not None else ())
            if predicate.op == "!=" and predicate.field.name == field
        }
        return sorted(values)

    # -- places ------------------------------------------------------------------------------

    def place(self, nr: int, field: str | None = None) -> Place | None:
        """Where the policy speaks of a call: its last line, and there a predicate on `field` if one
        is given and the line has one."""
        lines = self.lines_on(nr)
        if not lines:
            return None
        for line in reversed(lines) if field is not None else ():
            for predicate in line.filter.predicates if line.filter is not None else ():
                if predicate.field.name == field:
                    return self.at(line, predicate.span)
        return self.at(lines[-1])

    def at(self, line: Line, span: Span | None = None) -> Place:
        """The place of a span of a line's expression; of all of it without one."""
        entry = line.entry
        start = span.start if span is not None else 0
        end = span.end if span is not None else len(entry.expression)
        return Place(self.file, entry.line, entry.expression_column + start, max(1, end - start))
