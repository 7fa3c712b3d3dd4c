"""Findings about calls that the policy refused: what, by which predicate, from where."""

from __future__ import annotations

from emukernel.fuzz.finding import Finding, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from emukernel.ftrace.events import Event, Field
    from emukernel.fuzz.executor import Outcome
    from emukernel.fuzz.target import Target
    from emukernel.policy.policy import Policy
    from emukernel.seccomp.violation import Violation

#: Functions of the stack that tell two findings apart.
KEY_FRAMES = 3


def functions(frames: Sequence[str]) -> list[str]:
    """The functions of a stack without the offsets in them, repetitions out."""
    names = [frame.partition("+")[0] for frame in frames]
    names = [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]
    # What calls main is the C library's affair.
    return names[: names.index("main") + 1] if "main" in names else names


def denied(target: Target, outcome: Outcome, data: bytes) -> Finding:
    """The finding for the first refused call of a run with `explain`."""
    violation = outcome.violations[0]
    name = violation.name or f"system call {violation.nr}"
    predicates = [str(each.predicate) for each in violation.predicates]
    where = functions(outcome.frames)
    key = "|".join([name, violation.kind, *predicates, *where[:KEY_FRAMES]])
    entry = allowing_entry(target, violation)
    top = outcome.frames[0] if outcome.frames else f"{violation.ip - 2:#x}"
    line = next((text for text in outcome.lines if text), "")
    text = [
        f"With this input the program makes a call that the policy refuses: {outcome.refused}",
        f"Reason: {violation.reason}.",
        f"From: {' < '.join(outcome.frames[:6]) or top}" + (f" ({line})" if line else ""),
    ]
    if entry:
        text.append(f"An entry that allows just this call: {entry}")
    return Finding(
        kind="denied",
        rule=f"denied-{violation.kind}",
        key=key,
        title=f"{violation.reason}, called from {where[-1] if len(where) == 1 else _caller(where)}",
        text="\n".join(text),
        place=policy_place(target.policy, violation),
        evidence={
            "call": outcome.refused,
            "nr": violation.nr,
            "name": violation.name,
            "args": list(violation.args),
            "compat": violation.compat,
            "predicates": [
                {
                    "text": str(each.predicate),
                    "field": each.predicate.field.name,
                    "value": each.value if isinstance(each.value, int) else repr(each.value),
                }
                for each in violation.predicates
            ],
            "stack": stack_json(outcome),
            "entry": entry,
        },
        input=data,
    )


def _caller(where: Sequence[str]) -> str:
    """The first function that is not a C library's thin cover of the call, if one can be told."""
    return where[1] if where[0].startswith(("_", "syscall")) else where[0]


def stack_json(outcome: Outcome) -> list[dict[str, object]]:
    """A stack as plain JSON, innermost first."""
    lines = outcome.lines or [""] * len(outcome.stack)
    frames = outcome.frames or [""] * len(outcome.stack)
    return [
        {"address": address, "function": frame, "source": line}
        for address, frame, line in zip(outcome.stack, frames, lines, strict=True)
    ]


def policy_place(policy: Policy | None, violation: Violation) -> Place | None:
    """Where the policy speaks of the call; None where it doesn't."""
    if policy is None:
        return None
    for entry in policy.entries:
        if entry.nr == violation.nr and not violation.compat:
            length = max(1, len(entry.expression))
            return Place(policy.file, entry.line, entry.expression_column, length)
    return None


def allowing_entry(target: Target, violation: Violation) -> str:
    """The line that would allow the very call, and no other arguments; "" where none can."""
    if violation.compat or violation.name is None:
        return ""
    from emukernel.ftrace.events import table

    event = table(ptregs_events=target.ptregs_events).by_nr(violation.nr)
    if event is None:
        return ""
    tests = _tests(event, violation.args)
    just = " && ".join(tests) or "1"
    old = None if target.policy is None else target.policy.filters.get(violation.nr)
    if old is None or old.filter is None:
        return f"{violation.name}: {just}"
    if not tests:
        return f"{violation.name}: 1"
    return f"{violation.name}: ({old.text.decode('latin-1')}) || ({just})"


def _tests(event: Event, args: Sequence[int]) -> list[str]:
    """A comparison for each argument that is a value: pointers and lengths are chance."""
    return [
        f"{field.name} == {number(value)}"
        for field, value in zip(event.arguments, args, strict=False)
        if _is_value(field)
    ]


def _is_value(field: Field) -> bool:
    return "*" not in field.type and field.type != "size_t"


def number(value: int) -> str:
    """A number as a policy has it: small ones in decimal."""
    return str(value) if value < 4096 else f"{value:#x}"
