"""Findings in words, with what to write instead."""

from __future__ import annotations

from emukernel.ftrace.filter import FilterError, create
from emukernel.fuzz.audit.ways import width
from emukernel.fuzz.finding import Finding
from emukernel.seccomp.abi.v1 import JOINT
from emukernel.seccomp.filter_set import MAX_FILTER_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.fuzz.audit.search import Effect
    from emukernel.fuzz.audit.ways import Form
    from emukernel.fuzz.program import Call

_PLAIN = 10


def bypass(
    rules: Rules,
    effect: Effect,
    refused: Form,
    label: str,
    other: Form | None,
    shown: dict[str, Any],
) -> Finding:
    """The finding that a way around was shown."""
    entry = rules.event(refused.chief.nr).title
    call = written(rules, refused.chief)
    same = other is not None and other.chief.nr == refused.chief.nr and len(other.calls) == 1
    field = _deciding_field(rules, refused, other if same else None)
    if same and other is not None:
        through = f"{written(rules, other.chief)} passes and does the same"
        title = f"{entry}: {call} is refused, {written(rules, other.chief)} is not"
        place = rules.place(refused.chief.nr, field)
    else:
        through = f"{label} passes and does the same"
        if other is not None:
            through += f": {', '.join(written(rules, call) for call in other.calls)}"
        title = f"{entry} is walked around: {label}"
        place = rules.place(refused.chief.nr, field)
        if other is not None:
            place = rules.place(other.chief.nr) or place
    why = _reason(rules, refused)
    text = f"{call} is refused ({why}), but {through}: {effect.what}. {effect.threat}"
    better = _tighter(rules, refused, other, same)
    if better:
        name, expression = better
        text += f" Instead: {name}: {expression}"
    evidence = {
        "what": effect.what,
        "effect": shown["effect"],
        "refused": {key: shown["refused"][key] for key in ("form", "reason", "trace")},
        "passed": {key: shown["passed"][key] for key in ("form", "trace")},
    }
    if better:
        evidence["suggestion"] = {"name": better[0], "expression": better[1]}
    return Finding(
        kind="bypass",
        rule=effect.rule,
        key=f"{effect.what}\0{entry}\0{label}",
        title=title,
        text=text,
        place=place,
        evidence=evidence,
        replay=replay(rules, shown),
    )


def replay(rules: Rules, shown: dict[str, Any]) -> dict[str, Any]:
    """What `emukernel.fuzz.audit.replay` needs."""
    return {
        "audit": 1,
        "policy": rules.text.decode(),
        "world": shown["world"],
        "refused": shown["refused"]["guest"],
        "passed": shown["passed"]["guest"],
    }


def written(rules: Rules, call: Call) -> str:
    """`write(fd=3, buf=0x500000, count=12)`, by the names that a policy has for the arguments."""
    event = rules.events.by_nr(call.nr)
    if event is None:
        return f"system call {call.nr}"
    shown = [
        f"{field.name}={value if value < _PLAIN else hex(value)}"
        for field, value in zip(event.arguments, call.args, strict=False)
    ]
    return f"{event.title.removeprefix('sys_')}({', '.join(shown)})"


def _reason(rules: Rules, refused: Form) -> str:
    nr = refused.chief.nr
    if rules.is_refused_by_name(nr):
        return f"line {rules.lines_on(nr)[-1].entry.line} says 0"
    entry = rules.entry(nr)
    if entry is None:
        return "it has no entry"
    false = [str(predicate) for predicate in rules.decisive(nr, refused.chief.args)]
    return f"{' and '.join(dict.fromkeys(false))} {'is' if len(false) == 1 else 'are'} false"


def _deciding_field(rules: Rules, refused: Form, other: Form | None) -> str | None:
    if other is not None:
        names = [field.name for field in rules.event(refused.chief.nr).arguments]
        wanted = rules.names(refused.chief.nr, refused.way.chief_step.fields)
        for name, one, two in zip(names, refused.chief.args, other.chief.args, strict=False):
            if one != two and name in wanted:
                return name
    decisive = rules.decisive(refused.chief.nr, refused.chief.args)
    return decisive[0].field.name if decisive else None


# -- what to write instead -------------------------------------------------------------------------


def _tighter(rules: Rules, refused: Form, other: Form | None, same: bool) -> tuple[str, str] | None:
    """(name, expression) of an entry that refuses what got through; None where there is none."""
    if other is None:
        return None
    call = other.chief
    event = rules.event(call.nr)
    name = event.title
    if same:
        closed = closing(rules, call)
        if closed:
            return name, closed
    own = rules.entry(refused.chief.nr)
    mine = rules.entry(call.nr)
    instead = other.way.instead.encode()
    if instead:
        if mine is not None and mine.filter is not None:
            instead = JOINT % (mine.text, instead)
        if _refuses(rules, call, instead):
            return name, instead.decode("latin-1")
    if own is not None and own.filter is not None and not same:
        text = own.text
        if mine is not None and mine.filter is not None:
            text = JOINT % (mine.text, text)
        if _refuses(rules, call, text):
            return name, text.decode("latin-1")
    return (name, "0") if not same else None


def closing(rules: Rules, call: Call) -> str | None:
    """The entry of a call, with bounds on the registers of which the call looks at a part only.

    None if it would let this call pass still, or is too long.
    """
    entry = rules.entry(call.nr)
    if entry is None or entry.filter is None:
        return None
    bounds = []
    for position, field in enumerate(rules.event(call.nr).arguments):
        bits = width(call.nr, position)
        if call.args[position] >> bits:
            bounds.append(f"{field.name} <= {(1 << bits) - 1:#x}")
    if not bounds:
        return None
    old = entry.text.decode("latin-1")
    if len(entry.filter.predicates) > 1 and "||" in old:
        old = f"({old})"
    text = " && ".join([old, *bounds])
    return text if _refuses(rules, call, text.encode("latin-1")) else None


def _refuses(rules: Rules, call: Call, text: bytes) -> bool:
    if len(text) > MAX_FILTER_LENGTH:
        return False
    try:
        made = create(rules.event(call.nr), text)
    except FilterError:
        return False
    return not made.match(call.nr, *call.args) and rules.regions.of(made.expression) is not False
