"""Registers of which the call looks at a part.

A filter compares 64 bits. A parameter that is an `int` takes the low 32 of them, a `umode_t` 16. So
`cmd != 0x5412` refuses 0x5412, and lets 0x100005412 pass, which is the same to the call. The solver
finds such registers in every entry; that the kernel takes them for what was refused is seen by
making the call.
"""

from __future__ import annotations

from emukernel.ftrace.notes import hole, passing
from emukernel.ftrace.region import REGISTERS, anything, exactly
from emukernel.fuzz.audit.reached import Reached
from emukernel.fuzz.audit.report import closing, replay, written
from emukernel.fuzz.audit.ways import NUMBERS, signature, width
from emukernel.fuzz.finding import Finding
from emukernel.fuzz.program import Call, Program
from emukernel.kernel.syscalls.dispatch import ROWS, find_handler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.ftrace.region import Want
    from emukernel.fuzz.audit.search import Search

RULE = "truncation"
_NAMES = {nr: name for name, nr in NUMBERS.items()}


def search_truncations(search: Search) -> None:
    """Tries every entry."""
    rules = search.rules
    for entry in rules.policy.filters:
        if entry.filter is None or entry.nr not in ROWS:
            continue
        fields = {predicate.field.name for predicate in entry.filter.predicates}
        for position, field in enumerate(rules.event(entry.nr).arguments):
            if field.name in fields and (entry.nr, field.name) not in search.truncated:
                _try(search, entry.nr, position, field.name)


def _try(search: Search, nr: int, position: int, field: str) -> None:
    rules = search.rules
    if position >= len(signature(nr).parameters):
        return
    bits = abs(signature(nr).parameters[position].width)
    region = rules.region(nr)
    if bits == 64:
        return
    refused = hole(rules.regions, region, position, bits)
    if refused is not None:
        passed = [*refused]
        passed[position] = passing(rules.regions, region, refused, position, bits)
    else:
        forms = _other_sign(search, nr, position, bits)
        if forms is None:
            return
        refused, passed = forms
    one, two = Call(nr, refused), Call(nr, passed)
    name = _NAMES[nr]
    if find_handler(ROWS[nr]) is None:
        search.findings.append(_not_here(search, one, two, field))
        return
    shown = search.show(
        rule=RULE,
        what=f"{written(rules, one)} is carried out",
        watch=lambda: Reached(nr),
        world={},
        refused_label=name,
        refused_nr=nr,
        refused_elf=Program([one]).elf(),
        label=f"{name} with other high bits",
        elf=Program([two]).elf(),
    )
    if shown is None:
        return
    better = closing(rules, two)
    text = _text(search, one, two, field, width(nr, position))
    if better:
        text += f" Instead: {rules.event(nr).title}: {better}"
    evidence = {
        "what": f"{written(rules, one)} is carried out",
        "effect": shown["effect"],
        "refused": {key: shown["refused"][key] for key in ("form", "reason", "trace")},
        "passed": {key: shown["passed"][key] for key in ("form", "trace")},
    }
    if better:
        evidence["suggestion"] = {"name": rules.event(nr).title, "expression": better}
    search.findings.append(
        Finding(
            kind="bypass",
            rule=RULE,
            key=f"{nr}\0{field}",
            title=f"{rules.event(nr).title}: {written(rules, one)} is refused, "
            f"{written(rules, two)} is not",
            text=text,
            place=rules.place(nr, field),
            evidence=evidence,
            replay=replay(rules, shown),
        )
    )


def _other_sign(
    search: Search, nr: int, position: int, bits: int
) -> tuple[list[int], list[int]] | None:
    """Where `!=` refuses a negative number in one of its two forms: a call with that, and the same
    with the other form, which passes."""
    rules = search.rules
    entry = rules.entry(nr)
    assert entry is not None
    assert entry.filter is not None
    size = 1 << bits
    top = (1 << 64) - size
    for predicate in entry.filter.predicates:
        register = predicate.field.register
        constant = predicate.constant
        if predicate.op != "!=" or register != f"a{position}" or not constant >> (bits - 1) & 1:
            continue
        if constant >> bits not in (0, (1 << (64 - bits)) - 1):
            continue
        other = constant & (size - 1) if constant >> bits else constant | top
        wants: list[Want] = [anything] * REGISTERS
        wants[position] = exactly(other)
        passed = rules.regions.pick(rules.region(nr), wants)
        if passed is None:
            continue
        refused = [*passed]
        refused[position] = constant
        if not rules.allows(nr, refused):
            return refused, passed
    return None


def _text(search: Search, one: Call, two: Call, field: str, bits: int) -> str:
    rules = search.rules
    return (
        f"{written(rules, one)} is refused, but {written(rules, two)} passes and is the same: a "
        f"filter compares all 64 bits of {field}, and the call looks at the low {bits}. Say what "
        "may be (==), or bound the register."
    )


def _not_here(search: Search, one: Call, two: Call, field: str) -> Finding:
    """The emulated kernel lacks the call: nothing can be shown."""
    rules = search.rules
    nr = one.nr
    bits = next(
        width(nr, position)
        for position, argument in enumerate(rules.event(nr).arguments)
        if argument.name == field
    )
    return Finding(
        kind="loose",
        rule=RULE,
        key=f"{nr}\0{field}",
        title=f"{rules.event(nr).title}: {field} is compared beyond the bits that count",
        text=f"On a kernel that has the call (this one has not, so it is not shown): "
        f"{_text(search, one, two, field, bits)}",
        place=rules.place(nr, field),
    )
