"""Expressions that allow everything.

`fd != 1 || fd != 2` looks like a ban on two descriptors and is always true: any number differs from
one of them. Policies have been shipped so. That `&&` was meant is what is assumed here: under the
policy with `&&` the call is refused, under the policy as it is the kernel carries it out.
"""

from __future__ import annotations

from emukernel.ftrace.expression import OR
from emukernel.ftrace.filter import FilterError, create
from emukernel.ftrace.region import REGISTERS, anything, exactly
from emukernel.ftrace.tree import Part, tree
from emukernel.fuzz.audit.reached import Reached
from emukernel.fuzz.audit.report import replay, written
from emukernel.fuzz.audit.ways import NUMBERS
from emukernel.fuzz.finding import Finding
from emukernel.fuzz.program import Call, Program
from emukernel.kernel.syscalls.dispatch import ROWS, find_handler
from emukernel.policy import Policy, PolicyError
from emukernel.seccomp.filter_set import MAX_FILTER_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.ftrace.expression import Predicate
    from emukernel.ftrace.region import Want
    from emukernel.fuzz.audit.rules import Line
    from emukernel.fuzz.audit.search import Search

RULE = "boolean-trap"
_NAMES = {nr: name for name, nr in NUMBERS.items()}


def search_traps(search: Search) -> None:
    """Looks at every line."""
    for line in search.rules.lines:
        if line.filter is None or line.nr not in ROWS or find_handler(ROWS[line.nr]) is None:
            continue
        root = tree(line.filter.expression)
        trap = _trap(root)
        if trap is not None:
            _show(search, line, root, *trap)


def _trap(part: Part) -> tuple[Part, Predicate] | None:
    """The parts joined by `||` of which two say that a field is not one thing and not another, and
    the first of them."""
    if part.op == OR:
        differ = [p.predicate for p in part.parts if p.predicate and p.predicate.op == "!="]
        for one in differ:
            if any(one.field is two.field and one.constant != two.constant for two in differ):
                return part, one
    return next((found for below in part.parts if (found := _trap(below))), None)


def _meant(root: Part, trap: Part) -> str:
    if root is trap:
        return " && ".join(f"({part.text()})" if part.op else part.text() for part in trap.parts)
    texts = []
    for part in root.parts:
        inner = _meant(part, trap) if part.op else part.text()
        texts.append(f"({inner})" if part.op else inner)
    return f" {root.op} ".join(texts)


def _show(search: Search, line: Line, root: Part, trap: Part, predicate: Predicate) -> None:
    rules = search.rules
    nr = line.nr
    meant = _meant(root, trap)
    if len(meant) > MAX_FILTER_LENGTH:
        meant = meant.replace(" ", "")  # blanks mean nothing
    try:
        made = create(rules.event(nr), meant)
    except FilterError:
        return
    # A call that passes, and would not if the line said what it seems to say.
    region = rules.regions.both(
        rules.region(nr), rules.regions.invert(rules.regions.of(made.expression))
    )
    wants: list[Want] = [anything] * REGISTERS
    wants[int((predicate.field.register or "a0")[1:])] = exactly(predicate.constant)
    args = rules.regions.pick(region, wants)
    if args is None:
        return
    call = Call(nr, args)
    elf = Program([call]).elf()
    entries = [
        f"{entry.name}: {meant if entry is line.entry else entry.expression}\n"
        for entry in rules.policy.entries
    ]
    text = "".join(entries)
    try:
        intended = Policy.from_text(text, ptregs_events=rules.policy.ptregs_events)
    except PolicyError:
        return  # too long with other lines on the call
    name = rules.event(nr).title
    what = f"{written(rules, call)} is carried out"
    shown = search.show(
        rule=RULE,
        what=what,
        watch=lambda: Reached(nr),
        world={},
        refused_label=f"{_NAMES[nr]} with && for ||",
        refused_nr=nr,
        refused_elf=elf,
        label=_NAMES[nr],
        elf=elf,
        meant=intended.filters,
    )
    if shown is None:
        return
    evidence = {
        "what": what,
        "effect": shown["effect"],
        "refused": {key: shown["refused"][key] for key in ("form", "reason", "trace")},
        "passed": {key: shown["passed"][key] for key in ("form", "trace")},
        "suggestion": {"name": name, "expression": meant},
    }
    search.findings.append(
        Finding(
            kind="bypass",
            rule=RULE,
            key=f"{nr}\0{line.entry.expression}",
            title=f"{name}: `{trap.text()}` is always true",
            text=f"`{trap.text()}` seems to refuse {written(rules, call)}, and refuses nothing: "
            f"every {predicate.field.name} differs from one of the two. If && was meant, the call "
            f"is refused; as it stands, the kernel carries it out. Instead: {name}: {meant}",
            place=rules.at(line, trap.span),
            evidence=evidence,
            replay={**replay(rules, shown), "meant": text},
        )
    )
