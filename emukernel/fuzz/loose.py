"""What a policy allows and no run needed: entries, alternatives and bounds; and how to tighten it.

The evidence is the calls that the corpus's runs made. A mutant of the policy, with an entry
dropped, an alternative cut or a bound moved, is killed by a run with a call that it refuses; the
run need not be repeated for that, as it would go just as far. Mutants that no run kills show what
is loose. Every replacement passes all calls that were seen, and none that the policy refuses.
"""

from __future__ import annotations

from emukernel.fuzz.denied import number
from emukernel.fuzz.expression import MAX_VALUES, cuts, tree_of
from emukernel.fuzz.finding import Finding, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from emukernel.ftrace.expression import Predicate
    from emukernel.fuzz.machine import Call
    from emukernel.policy.parse import PolicyEntry
    from emukernel.policy.policy import Policy
    from emukernel.seccomp.filter_set import Entry

MAX_EXPRESSION = 255

#: What a finding's rule can be.
RULES = ("loose-unused", "loose-entry", "loose-part")

_CLOSE_RANGE = 1 << 16
#: Kinds of parameters (kernel/syscalls/table.py) whose values say what a call may do.
_TELLING = ("fd", "dirfd", "flags", "enum", "signal", "mode")


class Mutant:
    """A policy with one entry changed. `what` says how, `expression` what the entry is then (""
    where it is dropped), `killed` whether a run needed what is gone."""

    __slots__ = ("expression", "killed", "line", "nr", "place", "what")

    def __init__(
        self, nr: int, what: str, expression: str, killed: bool, place: Place | None
    ) -> None:
        self.nr = nr
        self.what = what
        self.expression = expression
        self.killed = killed
        self.place = place


class Analysis:
    """`policy` held against the `runs` (lists of calls, all of them allowed) and `more` calls that
    other runs needed."""

    def __init__(
        self, policy: Policy, runs: Iterable[Sequence[Call]], more: Sequence[Call] = ()
    ) -> None:
        self.policy = policy
        self.calls: dict[int, list[Call]] = {}
        self.runs = 0
        seen: set[Call] = set()
        for run in runs:
            self.runs += 1
            for call in run:
                if call not in seen:
                    seen.add(call)
                    self.calls.setdefault(call[0], []).append(call)
        for call in dict.fromkeys(more):
            if call not in seen:
                self.calls.setdefault(call[0], []).append(call)
        self._trees = {
            entry.nr: tree_of(entry.filter.expression)
            for entry in policy.filters
            if entry.filter is not None
        }
        self.mutants = [mutant for entry in policy.filters for mutant in self._mutants(entry)]

    # -- mutants -----------------------------------------------------------------------------

    @property
    def score(self) -> tuple[int, int]:
        """(killed, all): how tight the policy is around what was seen."""
        return sum(mutant.killed for mutant in self.mutants), len(self.mutants)

    def _mutants(self, entry: Entry) -> list[Mutant]:
        nr = entry.nr
        calls = self.calls.get(nr, [])
        found = [Mutant(nr, "dropped", "", bool(calls), self._place(nr))]
        if entry.filter is None:
            return found
        tree = self._trees[nr]
        for what, predicate, changed in cuts(tree):
            killed = not all(changed.holds(call) for call in calls)
            found.append(Mutant(nr, what, changed.text(), killed, self._place(nr, predicate)))
        return found

    # -- tightening --------------------------------------------------------------------------

    def tightest(self, entry: Entry) -> str | None:
        """The narrowest expression for an entry that passes every call seen; "0" where none was,
        None where it is narrow already."""
        calls = self.calls.get(entry.nr, [])
        if not calls:
            return "0"
        if entry.filter is None:
            return _described(entry.nr, calls, self.policy.ptregs_events)
        tree = self._trees[entry.nr]
        changed = True
        while changed:
            changed = False
            for _what, _predicate, smaller in cuts(tree, calls):
                if all(smaller.holds(call) for call in calls):
                    tree = smaller
                    changed = True
                    break
        text = tree.text()
        same = text == self._trees[entry.nr].text()
        return None if same or len(text) > MAX_EXPRESSION else text

    def minimized(self) -> str:
        """The policy's text with every entry as tight as the runs allow."""
        lines = [f"# Made of {self.policy.file} by what {self.runs} runs needed."]
        for entry in self.policy.filters:
            text = self.tightest(entry)
            if text != "0":
                lines.append(f"{entry.name}: {text or entry.text.decode('latin-1')}")
        if self.policy.on_next_syscall:
            lines.append("on_next_syscall: 1")
        return "\n".join(lines) + "\n"

    # -- findings ----------------------------------------------------------------------------

    def findings(self) -> list[Finding]:
        """What is loose, an entry each."""
        if not self.runs:
            return []
        found = [self._finding(entry) for entry in self.policy.filters]
        return [finding for finding in found if finding is not None]

    def _finding(self, entry: Entry) -> Finding | None:
        tight = self.tightest(entry)
        if tight is None:
            return None
        calls = self.calls.get(entry.nr, [])
        survivors = [m for m in self.mutants if m.nr == entry.nr and not m.killed]
        old = entry.text.decode("latin-1")
        place = self._place(entry.nr)
        if tight == "0":
            rule, title = "loose-unused", f"{entry.name} is allowed, and no run called it"
            text = (
                f"None of {self.runs} runs made this call: the entry `{entry.name}: {old}` may go."
            )
        elif entry.filter is None:
            rule, title = "loose-entry", f"{entry.name}: 1 allows more than any run needed"
            text = (
                f"All {len(calls)} different calls in {self.runs} runs pass "
                f"`{entry.name}: {tight}` too."
            )
        else:
            rule, title = "loose-part", f"parts of {entry.name}: {old} were not needed"
            told = "; ".join(mutant.what for mutant in survivors[:8]) or "its bounds are wide"
            text = (
                f"{told}. All {len(calls)} different calls in {self.runs} runs pass "
                f"`{entry.name}: {tight}` too."
            )
            place = next((m.place for m in survivors if m.what != "dropped"), place)
        return Finding(
            kind="loose",
            rule=rule,
            key=f"{entry.name}|{old}",
            title=title,
            text=text,
            place=place,
            evidence={
                "name": entry.name,
                "nr": entry.nr,
                "entry": old,
                "replacement": tight,
                "runs": self.runs,
                "calls": len(calls),
                "survivors": [mutant.what for mutant in survivors],
            },
        )

    # -- places ------------------------------------------------------------------------------

    def _lines(self, nr: int) -> list[PolicyEntry]:
        return [entry for entry in self.policy.entries if entry.nr == nr]

    def _place(self, nr: int, predicate: Predicate | None = None) -> Place | None:
        lines = self._lines(nr)
        if not lines:
            return None
        line = lines[-1]
        start, length = 0, len(line.expression)
        if predicate is not None and len(lines) == 1:
            # One line's expression is the entry's own text.
            start = predicate.span.start
            length = predicate.span.end - start
        return Place(self.policy.file, line.line, line.expression_column + start, max(1, length))


def _described(nr: int, calls: Sequence[Call], ptregs_events: bool) -> str | None:
    """An expression for the calls seen, by those arguments that say what a call may do."""
    from emukernel.ftrace.events import table
    from emukernel.kernel.syscalls.dispatch import ROWS
    from emukernel.kernel.syscalls.signature import parse

    event = table(ptregs_events=ptregs_events).by_nr(nr)
    row = ROWS.get(nr)
    if event is None or row is None:
        return None
    tests: list[str] = []
    for at, (field, parameter) in enumerate(
        zip(event.arguments, parse(row[3]).parameters, strict=False)
    ):
        kind = parameter.kind.partition(" ")[0]
        if parameter.is_pointer or not (kind in _TELLING or "." in kind) or kind.endswith(".arg"):
            # The last is a pointer as often as not.
            continue
        values = sorted({call[at + 1] for call in calls})
        if len(values) <= MAX_VALUES:
            each = [f"{field.name} == {number(value)}" for value in values]
            test = " || ".join(each)
            tests.append(f"({test})" if len(each) > 1 else test)
        elif values[-1] - values[0] < _CLOSE_RANGE:
            low = f"{field.name} >= {number(values[0])} && " if values[0] else ""
            tests.append(f"{low}{field.name} <= {number(values[-1])}")
    text = " && ".join(tests)
    if len(tests) == 1 and text.startswith("("):
        text = text[1:-1]
    while len(text) > MAX_EXPRESSION and tests:
        tests.pop()
        text = " && ".join(tests)
    # Of more values than MAX_VALUES only the range is told.
    return text or None

