"""What a policy's text alone shows: entries that say less, or more, than they seem to.

The remarks of `emukernel policy check` (ftrace/notes.py) and, beyond those, pointers compared,
words of flags compared by size, lines without effect, and calls let through through which
everything goes. None of this needs a program to be seen, and none is shown by one: all are `loose`.
"""

from __future__ import annotations

from emukernel.ftrace import notes as remarks
from emukernel.ftrace.filter import FilterError, create
from emukernel.ftrace.notes import notes
from emukernel.ftrace.tree import superfluous, tree
from emukernel.fuzz.audit.catalogue import WIDE
from emukernel.fuzz.audit.effects.inherited import MAKERS, OPENERS
from emukernel.fuzz.audit.rules import POSITIVE
from emukernel.fuzz.audit.ways import NUMBERS, signature
from emukernel.fuzz.finding import Finding
from emukernel.kernel.syscalls.dispatch import ROWS, find_handler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from emukernel.ftrace.expression import Predicate, Span
    from emukernel.ftrace.region import Region
    from emukernel.fuzz.audit.rules import Line, Rules

_SAY = {
    remarks.IGNORED: "The kernel's parser takes an operand that no operator uses and never looks "
    "at it. Whoever reads the line may think that it means something.",
    remarks.CONSTANT: "In the record that a filter is evaluated against this field has one value "
    "only, so that the comparison decides nothing about a call.",
    remarks.CONTRADICTION: "The entry refuses every call, as if it were not there. If that is "
    "meant, 0 says so.",
    remarks.TAUTOLOGY: "The entry allows every call, as 1 does, and looks as if it did not.",
    remarks.SUPERFLUOUS: "No call fares differently without this part. Either it can go, or it "
    "does not say what was meant.",
    remarks.CUT: "The filter compares 64 bits, and the call looks at fewer.",
    remarks.SIGN: "A C program may pass a negative int with zeros above its 32 bits or with ones: "
    "compilers do both, and the filter compares all 64.",
}
_ORDERED = ("<", "<=", ">", ">=")


def static_findings(rules: Rules) -> Iterator[Finding]:
    """All of them, line by line."""
    for line in rules.lines:
        if line.filter is not None:
            yield from _notes(rules, line)
            for predicate in line.filter.predicates:
                yield from _pointer(rules, line, predicate)
                yield from _flags(rules, line, predicate)
    yield from _repeated(rules)
    yield from _inherited(rules)
    yield from _wide(rules)


def _loose(
    rules: Rules,
    rule: str,
    line: Line,
    title: str,
    text: str,
    span: Span | None = None,
    suggestion: str | None = None,
) -> Finding:
    name = line.entry.name
    evidence: dict[str, Any] = {"entry": name, "expression": line.entry.expression}
    if suggestion is not None:
        evidence["suggestion"] = {"name": name, "expression": suggestion}
        text += f" Instead: {name}: {suggestion}"
    start = span.start if span is not None else 0
    return Finding(
        kind="loose",
        rule=rule,
        key=f"{name}\0{line.entry.expression}\0{start}\0{title}",
        title=f"{name}: {title}",
        text=text,
        place=rules.at(line, span),
        evidence=evidence,
    )


def _notes(rules: Rules, line: Line) -> Iterator[Finding]:
    made = line.filter
    assert made is not None
    for note in notes(made):
        say = _SAY.get(note.rule)
        if say is None:
            continue  # shown, or not, by running it: audit/truncation.py
        suggestion = None
        if note.rule == remarks.CONTRADICTION:
            suggestion = "0"
        elif note.rule == remarks.TAUTOLOGY:
            suggestion = "1"
        elif note.rule == remarks.SUPERFLUOUS:
            suggestion = _shorter(rules, line)
        yield _loose(rules, note.rule, line, note.message, say, note.span, suggestion)


def _shorter(rules: Rules, line: Line) -> str | None:
    """The line without what it does not need, if that is the same to the engine."""
    made = line.filter
    assert made is not None
    root = tree(made.expression)
    text = root.text(superfluous(root, rules.regions, line.nr))
    try:
        shorter = create(made.event, text)
    except FilterError:
        return None
    same = rules.regions.of(shorter.expression) is rules.regions.of(made.expression)
    return text if same else None


def _pointer(rules: Rules, line: Line, predicate: Predicate) -> Iterator[Finding]:
    """Addresses compared with anything but NULL."""
    field = predicate.field
    if "*" not in field.type or field.register is None:
        return
    if predicate.constant == 0 and predicate.op in ("==", "!=", ">", "<="):
        return
    yield _loose(
        rules,
        "pointer",
        line,
        f"{field.name} is a pointer ({field.type}): only the address is compared",
        f"`{predicate}` says where {field.name} points to, not what is there. The address depends "
        "on how the program is laid out in memory, and what lies there can be changed before the "
        "call, or by another thread between the check and the kernel's look.",
        predicate.span,
    )


def _flags(rules: Rules, line: Line, predicate: Predicate) -> Iterator[Finding]:
    """Words of flags compared by size."""
    if predicate.op not in _ORDERED or predicate.field.register in (None, "nr"):
        return
    if line.nr not in ROWS:
        return
    position = int(str(predicate.field.register)[1:])
    parameters = signature(line.nr).parameters
    if position >= len(parameters):
        return
    kind = parameters[position].kind
    if not (kind.startswith("flags ") or kind in _FLAG_KINDS):
        return
    if predicate.op in ("<=", "<") and predicate.constant <= 1:
        return
    name = predicate.field.name
    limit = predicate.constant - (predicate.op == "<")
    effect = (
        f"lets every combination of the bits up to {limit:#x} pass and refuses all higher ones"
        if predicate.op in ("<", "<=")
        else "depends on the highest bits only"
    )
    yield _loose(
        rules,
        "flags-by-size",
        line,
        f"{name} is a word of flags, and compared by size",
        f"`{predicate}` {effect}: as a number {name} has no order that means anything. The filter "
        "language has no mask; list the words that may be (==).",
        predicate.span,
    )


_FLAG_KINDS = frozenset(
    ("open.flags", "open.mode", "clone.flags", "mmap.flags", "socket.type", "poll.eventfd", "mode")
)


def _repeated(rules: Rules) -> Iterator[Finding]:
    """Lines that name a call which an earlier line names: the kernel joins them with &&."""
    seen: dict[int, list[Line]] = {}
    for line in rules.lines:
        earlier = seen.setdefault(line.nr, [])
        if earlier:
            yield from _shadowed(rules, earlier, line)
        earlier.append(line)


def _shadowed(rules: Rules, earlier: list[Line], line: Line) -> Iterator[Finding]:
    name = line.entry.name
    numbers = ", ".join(str(other.entry.line) for other in earlier)
    lines = f"line {numbers}" if len(earlier) == 1 else f"lines {numbers}"
    joined = "The kernel joins the lines on one call with &&."
    if any(other.entry.expression == "0" for other in earlier):
        if line.entry.expression != "0":
            title = f"without effect: {lines} refuses {name}"
            yield _loose(rules, "shadowed", line, title, f"{joined} What 0 refuses stays refused.")
        return
    if line.entry.expression == "0":
        title = f"takes back what {lines} allowed"
        yield _loose(rules, "shadowed", line, title, f"{joined} 0 leaves nothing of the others.")
        return
    regions = rules.regions
    before: Region = True
    for other in earlier:
        if other.filter is not None:
            before = regions.both(before, regions.of(other.filter.expression))
    now: Region = True if line.filter is None else regions.of(line.filter.expression)
    if before is False:
        return
    if regions.both(before, now) is False:
        title = f"together with {lines} it allows nothing"
        text = f"{joined} No call passes all of them; if each was to allow a case, || joins cases."
        either = _either(rules, earlier[0], line) if len(earlier) == 1 else None
        yield _loose(rules, "shadowed", line, title, text, None, either)
    elif regions.implies(before, now):
        title = f"without effect: {lines} already says as much"
        yield _loose(rules, "shadowed", line, title, f"{joined} This line refuses nothing more.")
    elif regions.implies(now, before):
        title = f"makes {lines} superfluous"
        text = f"{joined} Whatever passes this line passes the earlier ones."
        yield _loose(rules, "shadowed", line, title, text)


def _either(rules: Rules, earlier: Line, line: Line) -> str | None:
    parts = [earlier.entry.expression, line.entry.expression]
    text = " || ".join(part if "&&" not in part else f"({part})" for part in parts)
    try:
        create(rules.event(line.nr), text)
    except FilterError:
        return None
    return text if len(text) <= 255 else None


_STREAMS = {"read": "fd == 0", "write": "fd == 1 || fd == 2"}


def _inherited(rules: Rules) -> Iterator[Finding]:
    """read and write on any descriptor, where the program has none but those that it was given."""
    if any(rules.region(NUMBERS[name]) is not False for name in (*OPENERS, *MAKERS)):
        return
    for name, streams in _STREAMS.items():
        nr = NUMBERS[name]
        beyond = rules.regions.between(0, 3, 1023)
        if rules.regions.both(rules.region(nr), beyond) is False:
            continue
        entry = rules.entry(nr)
        predicates = entry.filter.predicates if entry is not None and entry.filter else ()
        if any(p.field.name == "fd" and p.op in POSITIVE for p in predicates):
            continue
        yield _loose(
            rules,
            "inherited-descriptor",
            rules.lines_on(nr)[-1],
            "takes descriptors that only a launcher can have left open",
            "Nothing in the policy gives the program a descriptor. Beyond its standard streams it "
            "has what its launcher forgot to close, and this entry lets it have that.",
            None,
            streams,
        )


def _wide(rules: Rules) -> Iterator[Finding]:
    """Calls through which everything goes, allowed without a word on what makes them so."""
    for entry in rules.policy.filters:
        wide = WIDE.get(entry.name.removeprefix("sys_"))
        if wide is None:
            continue
        predicates = entry.filter.predicates if entry.filter is not None else ()
        named = {predicate.field.name for predicate in predicates}
        if wide.field and wide.field in named:
            continue
        if not wide.field and entry.filter is not None:
            continue
        line = rules.lines_on(entry.nr)[-1]
        text = wide.text
        if entry.nr in ROWS and find_handler(ROWS[entry.nr]) is None:
            text += " The emulated kernel does not have the call: that would be so on one that has."
        bound = f" with any {wide.field}" if wide.field else ""
        yield _loose(rules, "wide-open", line, f"is allowed{bound}: {wide.title}", text)
