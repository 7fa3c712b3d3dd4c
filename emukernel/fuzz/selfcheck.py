"""Does the filter engine agree with itself, with a second opinion, and with what is traced?

Every expression is evaluated four ways for many calls: by the compiled function that the entry
path uses, by `explain`, by the tree of its own parser walked plainly, and by `reference`, which
shares no code with it. Of calls that a program makes there is a fifth word: the trace's.
"""

from __future__ import annotations

from contextlib import suppress
from random import Random

from emukernel.fuzz.expression import tree_of
from emukernel.fuzz.finding import Finding
from emukernel.fuzz.reference import Unsupported, evaluate, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from emukernel.ftrace.events import Event
    from emukernel.ftrace.filter import EventFilter
    from emukernel.fuzz.machine import Call
    from emukernel.fuzz.target import Target
    from emukernel.policy.policy import Policy

_OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
EDGES = (
    0, 1, 2, 3, 10, 127, 128, 255, 256, 4095, 4096, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1,
    2**32, 2**32 + 3, 2**63 - 1, 2**63, 2**64 - 100, 2**64 - 1,
)  # fmt: skip
#: Calls for which one expression is evaluated.
CALLS_EACH = 24


class Check:
    """A count of evaluations, and the disagreements among them."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.expressions = 0
        self.evaluations = 0
        self.findings: list[Finding] = []

    # -- expressions -------------------------------------------------------------------------

    def expression(self, event: Event, text: str, calls: Iterable[Sequence[int]]) -> None:
        """Evaluates one expression all ways for argument registers."""
        from emukernel.ftrace.filter import create

        made = create(event, text)
        self.expressions += 1
        for args in calls:
            self.filter(made, (event.nr or 0, *args))  # type: ignore[arg-type]

    def filter(self, made: EventFilter, call: Call, traced: bool | None = None) -> None:
        """Evaluates one filter all ways for a call; `traced` is what the trace says."""
        self.evaluations += 1
        nr, args = call[0], call[1:]
        verdicts = {
            "compiled": bool(made.match(nr, *args)),
            "explained": made.explain(nr, args).match,
            "walked": tree_of(made.expression).holds(call),
        }
        if traced is not None:
            verdicts["traced"] = traced
        text = made.text.decode("latin-1")
        values = {
            field.name: value for field, value in zip(made.event.arguments, args, strict=False)
        }
        with suppress(Unsupported):
            # An argument that is called nr hides the number of the call.
            verdicts["reference"] = evaluate(parse(text), {"nr": nr} | values)
        if len(set(verdicts.values())) > 1:
            self._disagree(made, call, verdicts)

    def _disagree(self, made: EventFilter, call: Call, verdicts: dict[str, bool]) -> None:
        text = made.text.decode("latin-1")
        told = ", ".join(f"{way}: {verdict}" for way, verdict in verdicts.items())
        self.findings.append(
            Finding(
                kind="engine",
                rule="engine-verdicts",
                key=f"{made.event.name}|{text}|{call}",
                title=f"two evaluations of `{text}` don't agree",
                text=f"{made.event.name}: {text}\nfor {[hex(value) for value in call]}: {told}",
                evidence={"expression": text, "call": list(call), "verdicts": verdicts},
            )
        )

    # -- what is made up ---------------------------------------------------------------------

    def made_up(self, count: int) -> None:
        """Checks `count` random expressions over the events of all calls."""
        from emukernel.ftrace.events import table

        events = table()
        named = [events.by_entry(f"sys_{name}") for name in events.names()]
        usable = [e for e in named if e is not None and e.nr is not None and e.arguments]
        for _ in range(count):
            event = self.random.choice(usable)
            constants: list[int] = []
            text = self._expression(event, 0, constants)
            self.expression(event, text, self._calls(constants))

    def _expression(self, event: Event, depth: int, constants: list[int]) -> str:
        random = self.random
        if depth > 4 or random.random() < 0.4:
            field = random.choice(event.arguments)
            constant = random.choice(EDGES) if random.random() < 0.7 else random.getrandbits(64)
            constants.append(constant)
            shape = random.choice(("{:d}", "{:#x}", "0{:o}"))
            return f"{field.name} {random.choice(_OPERATORS)} {shape.format(constant)}"
        left = self._expression(event, depth + 1, constants)
        right = self._expression(event, depth + 1, constants)
        text = f"{left} {random.choice(('&&', '||'))} {right}"
        return f"({text})" if random.random() < 0.5 else text

    def _calls(self, constants: Sequence[int]) -> Iterator[list[int]]:
        """Argument registers near the constants, in either half, and far from them."""
        random = self.random
        for _ in range(CALLS_EACH):
            yield [_near(random, constants) for _ in range(6)]

    def policy(self, policy: Policy) -> None:
        """Checks the entries of a policy for calls near its constants."""
        for entry in policy.filters:
            if entry.filter is not None:
                self.expressions += 1
                constants = [p.constant for p in entry.filter.predicates] or [0]
                for _ in range(8):
                    for args in self._calls(constants):
                        self.filter(entry.filter, (entry.nr, *args))  # type: ignore[arg-type]

    # -- what a program does -----------------------------------------------------------------

    def program(self, target: Target, inputs: Iterable[bytes]) -> None:
        """Runs a target and holds every call's traced verdict against the evaluations."""
        from emukernel.fuzz.executor import Executor

        assert target.policy is not None
        executor = Executor(target)
        try:
            for data in inputs:
                outcome = executor.run(data)
                for call in outcome.calls:
                    self._traced(target.policy, call, True)
                for violation in outcome.violations:
                    self._traced(target.policy, (violation.nr, *violation.args), False)
        finally:
            executor.close()

    def _traced(self, policy: Policy, call: Call, allowed: bool) -> None:
        if call[0] >> 32:
            return
        entry = policy.filters.get(call[0])
        if entry is not None and entry.filter is not None:
            self.filter(entry.filter, call, allowed)


def _near(random: Random, constants: Sequence[int]) -> int:
    """A value that a comparison with one of the constants may be wrong about."""
    kind = random.random()
    if kind < 0.15:
        return random.choice(EDGES)
    if kind < 0.3:
        return random.getrandbits(64)
    value = random.choice(constants) + random.choice((-1, 0, 0, 1))
    if kind > 0.8:
        value ^= random.choice((1 << 32, 0xFFFF_FFFF << 32, 1 << 63))
    return value & (1 << 64) - 1


def self_check(
    count: int, seed: int, target: Target | None = None, policy: Policy | None = None
) -> Check:
    """`count` expressions made up, those of a policy, and the runs of a target under it."""
    check = Check(Random(seed))
    check.made_up(count)
    if policy is not None:
        check.policy(policy)
    if target is not None and target.policy is not None:
        from emukernel.fuzz.mutate import Mutator

        mutator = Mutator(check.random, target.max_len)
        check.program(target, [mutator.havoc(b"") for _ in range(200)])
    return check
