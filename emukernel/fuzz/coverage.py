"""What runs reached that none before them did: code, calls, and parts of the policy.

Code: UC_HOOK_EDGE_GENERATED calls back when an edge is first translated, and translations live
through a snapshot's restore. Only the run that comes first is told so; what an input covers by
itself can't be asked. Calls: each number with its classes of arguments, and how often it was made.
Policy: entries, and the comparisons in them with the outcomes that they had.
"""

from __future__ import annotations

from ctypes import POINTER, c_uint64, cast

from emukernel.machine import libunicorn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from typing import Any

    from emukernel.fuzz.executor import Executor, Outcome
    from emukernel.fuzz.machine import Call
    from emukernel.policy.policy import Policy

_POINTER = POINTER(c_uint64)
_COMPAT = 1 << 32

#: Distinct calls that are remembered; then they are looked at anew.
_MAX_CALLS = 200_000


def argument_class(value: int) -> Hashable:
    """What is told apart of an argument: small numbers, single bits, errors, the size of others.

    The halves count for themselves, as calls that take an int see the low one only.
    """
    if value < 64:
        return value
    high, low = value >> 32, value & 0xFFFF_FFFF
    if high:
        if value >> 63:
            return ("-", low) if high == 0xFFFF_FFFF and low > 0xFFFF_FF00 else ("-", high >> 28)
        if high < 0x10 or low < 64:
            return (high.bit_length(), argument_class(low))
        return "pointer"
    return ("bits", low.bit_length(), low & (low - 1) == 0)


class Coverage:
    """All that was ever reached by the runs of one executor.

    `edges` are pairs of block addresses, `features` the rest. `news(outcome)` after each run says
    how much of what it reached is new.
    """

    def __init__(self, executor: Executor, policy: Policy | None) -> None:
        self.edges: set[tuple[int, int]] = set()
        self.features: set[Hashable] = set()
        #: Whether classes of arguments count as features.
        self.by_argument = True
        self._policy = policy
        #: Calls on the way to the fork point, which every run has behind it.
        self._before = {call[0] for call in executor.boot_calls}
        #: Allowed calls of the last run that none before it made with these very arguments.
        self.fresh: list[Call] = []
        self._new_edges = 0
        self._calls: set[Call] = set()
        self._signatures: set[Hashable] = set()
        cpu = executor.machine.cpu
        cpu.add_hook(libunicorn.UC_HOOK_EDGE_GENERATED, libunicorn.EDGE_HOOK(self._edge))

    def _edge(self, _uc: int, current: int | None, previous: int | None) -> None:
        to = cast(current, _POINTER)[0] if current else 0
        edge = (cast(previous, _POINTER)[0] if previous else 0, to)
        if edge not in self.edges:
            self.edges.add(edge)
            self._new_edges += 1

    def news(self, outcome: Outcome) -> int:
        """How many edges and features the run that ended with `outcome` was the first to reach."""
        found, self._new_edges = self._new_edges, 0
        calls = outcome.calls
        if self.fresh:
            self.fresh = []
        if not self._calls.issuperset(calls) or outcome.violations:
            found += self._look_at(outcome)
        shape = tuple([call[0] for call in calls])
        signature = (shape, outcome.verdict, outcome.status, outcome.signal)
        if signature not in self._signatures:
            if len(self._signatures) > _MAX_CALLS:
                self._signatures.clear()
            self._signatures.add(signature)
            found += self._look_at_shape(outcome, shape)
        return found

    def add(self, features: Iterable[Hashable]) -> int:
        """Adds what someone else has seen; how much of it is new."""
        before = len(self.features)
        self.features.update(features)
        return len(self.features) - before

    def _look_at(self, outcome: Outcome) -> int:
        before = len(self.features)
        if len(self._calls) > _MAX_CALLS:
            self._calls.clear()
        for call in outcome.calls:
            if call not in self._calls:
                self._calls.add(call)
                self.fresh.append(call)
                self._add_call(call, True)
        for violation in outcome.violations:
            nr = violation.nr | (_COMPAT if violation.compat else 0)
            self._add_call((nr, *violation.args), False)
        return len(self.features) - before

    def _add_call(self, call: Call, allowed: bool) -> None:
        nr = call[0]
        self.features.add((nr, allowed))
        if self.by_argument:
            for at, value in enumerate(call[1 : _arity(nr) + 1]):
                self.features.add((nr, allowed, at, argument_class(value)))
        policy = self._policy
        entry = None if policy is None or nr >> 32 else policy.filters.get(nr)
        if entry is not None and entry.filter is not None:
            outcomes = entry.filter.explain(nr, call[1:]).outcomes
            self.features.update(
                ("predicate", nr, at, outcome.result) for at, outcome in enumerate(outcomes)
            )

    def _look_at_shape(self, outcome: Outcome, shape: tuple[int, ...]) -> int:
        before = len(self.features)
        for nr in set(shape):
            self.features.add(("times", nr, shape.count(nr).bit_length()))
        self.features.add(("end", outcome.verdict, outcome.status, outcome.signal))
        return len(self.features) - before

    def policy_hits(self) -> dict[int, dict[str, Any]]:
        """By call that has an entry: was it allowed, refused, and its comparisons' outcomes."""
        if self._policy is None:
            return {}
        hits: dict[int, dict[str, Any]] = {}
        for entry in self._policy.filters:
            predicates = [] if entry.filter is None else list(entry.filter.predicates)
            hits[entry.nr] = {
                "name": entry.name,
                "allowed": (entry.nr, True) in self.features or entry.nr in self._before,
                "refused": (entry.nr, False) in self.features,
                "predicates": [
                    {
                        "text": str(predicate),
                        "true": ("predicate", entry.nr, at, True) in self.features,
                        "false": ("predicate", entry.nr, at, False) in self.features,
                    }
                    for at, predicate in enumerate(predicates)
                ],
            }
        return hits


_arities: dict[int, int] = {}


def _arity(nr: int) -> int:
    """How many arguments a call has; the registers behind them are chance."""
    found = _arities.get(nr)
    if found is None:
        from emukernel.kernel.syscalls.dispatch import ROWS
        from emukernel.kernel.syscalls.signature import parse

        row = ROWS.get(nr)
        found = _arities[nr] = 6 if row is None else len(parse(row[3]).parameters)
    return found
