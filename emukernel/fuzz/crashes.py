"""Findings about programs that end badly or not at all: crash, abort, hang, oom."""

from __future__ import annotations

from emukernel.fuzz.denied import functions, stack_json
from emukernel.fuzz.executor import ABORT, CRASH, HANG, OOM
from emukernel.fuzz.finding import Finding
from emukernel.kernel.signal.numbers import signal_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.fuzz.executor import Outcome
    from emukernel.fuzz.target import Target

#: Functions of the stack that tell two crashes apart.
KEY_FRAMES = 4

#: Functions of C libraries on the way from what is wrong to the signal.
_LIBC_ENDS = frozenset(("abort", "raise", "pthread_kill", "gsignal", "read", "write"))


def crash(target: Target, outcome: Outcome, data: bytes) -> Finding:
    """The finding for a run that ended in CRASH, ABORT, HANG or OOM, made with `explain`."""
    where = functions(outcome.frames)
    own = [n for n in where if n not in _LIBC_ENDS and not n.startswith("_")] or where
    line = next((text for text in outcome.lines if text), "")
    place = f"in {own[0]}" if own and own[0] != "?" else "at an unknown place"
    if where[:1] == ["?"]:
        place = "after a jump to no code"
    if line:
        place += f" ({line})"
    verdict = outcome.verdict
    if verdict in (CRASH, ABORT):
        name = signal_name(outcome.signal)
        rule = f"signal-{name.lower()}"
        title = f"{name} {place}"
        said = f"The program ends by {name} {outcome.fault}".rstrip() + "."
        # Behind a wild jump only the nearest frame is worth something.
        key = "|".join([name, *own[: 2 if own[:1] == ["?"] else KEY_FRAMES]])
    elif verdict == HANG and outcome.limit == "deadlock":
        rule = "deadlock"
        title = "every task sleeps and nothing can wake one"
        said = "With this input every task sleeps, and nothing can wake one."
        key = "|".join(["deadlock", *own[:KEY_FRAMES]])
    elif verdict == HANG:
        rule = "hang"
        title = f"no end within {target.max_instructions:,} instructions, {place}"
        said = f"The program does not end within {target.max_instructions:,} instructions."
        key = "|".join(["hang", *own[:1]])
    else:
        assert verdict == OOM
        rule = "oom"
        title = f"the machine ran out of memory, {place}"
        said = f"The program used up the machine's {target.memory >> 20} MiB."
        key = "|".join(["oom", *own[:1]])
    text = said
    if outcome.frames:
        text += "\nStack: " + " < ".join(outcome.frames[:8])
    return Finding(
        kind=verdict,
        rule=rule,
        key=key,
        title=title,
        text=text,
        evidence={
            "signal": outcome.signal,
            "status": outcome.status,
            "fault": outcome.fault,
            "limit": outcome.limit,
            "stack": stack_json(outcome),
        },
        input=data,
    )
