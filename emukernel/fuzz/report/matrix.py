"""The syscall matrix: which calls were made, by which function, and what the policy said."""

from __future__ import annotations

from dataclasses import dataclass, field

from emukernel.ftrace.events import table
from emukernel.kernel.syscalls.dispatch import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from emukernel.fuzz.machine import Call
    from emukernel.policy.policy import Policy

ALLOWED, REFUSED = "allowed", "refused"

COMPAT = 1 << 32
"""Set in the number of a call that was made by int 0x80."""


@dataclass(slots=True)
class Cell:
    """How often `function` made a call and the policy's `verdict` on it was this.

    `source` is a source line of it, "" where there is none; `inputs` says in how many runs,
    `arguments` are the registers of the first such call.
    """

    name: str
    verdict: str
    function: str
    source: str = ""
    count: int = 0
    inputs: int = 0
    arguments: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Hit:
    """How often the entry of a call was asked, with each predicate's text and outcomes."""

    name: str
    allowed: int = 0
    refused: int = 0
    predicates: list[list[Any]] = field(default_factory=list)
    """[text, how often true, how often false] of each, in order."""


class Matrix:
    """Counts calls. `inputs` of the `total` inputs of the campaign were run for it."""

    def __init__(self, policy: Policy | None) -> None:
        self.cells: dict[tuple[int, str, str], Cell] = {}
        self.hits: dict[int, Hit] = {}
        self.inputs = 0
        self.total = 0
        self._filters = {} if policy is None else policy.filters.entries()
        for nr, entry in self._filters.items():
            predicates = [] if entry.filter is None else entry.filter.predicates
            self.hits[nr] = Hit(entry.name, predicates=[[str(p), 0, 0] for p in predicates])
        self._this_input: set[int] = set()

    def begin_input(self) -> None:
        """What follows is another input's run."""
        self.inputs += 1
        self._this_input.clear()

    def add(self, call: Call, verdict: str, function: str, source: str) -> None:
        """A call was made."""
        nr = call[0]
        key = (nr, verdict, function)
        cell = self.cells.get(key)
        if cell is None:
            cell = self.cells[key] = Cell(call_name(nr), verdict, function, source)
            cell.arguments = list(call[1 : 1 + arity(nr)])
        cell.count += 1
        if id(cell) not in self._this_input:
            self._this_input.add(id(cell))
            cell.inputs += 1
        hit = self.hits.get(nr)
        if hit is None:
            return
        if verdict == ALLOWED:
            hit.allowed += 1
        else:
            hit.refused += 1
        event_filter = self._filters[nr].filter
        if event_filter is not None:
            outcomes = event_filter.explain(nr, call[1:]).outcomes
            for row, outcome in zip(hit.predicates, outcomes, strict=True):
                row[1 if outcome.result else 2] += 1

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, of which `cells_of` and `hits_of` make cells and hits again."""
        return {
            "inputs": self.inputs,
            "total": self.total,
            "cells": [
                [c.name, c.verdict, c.function, c.source, c.count, c.inputs, c.arguments]
                for _key, c in sorted(self.cells.items())
            ],
            "hits": [[h.name, h.allowed, h.refused, h.predicates] for h in self.hits.values()],
        }


def cells_of(record: dict[str, Any]) -> list[Cell]:
    """The cells of a matrix's JSON. ValueError, KeyError, TypeError."""
    return [
        Cell(str(n), str(v), str(f), str(s), int(c), int(i), [int(a) for a in arguments])
        for n, v, f, s, c, i, arguments in record["cells"]
    ]


def hits_of(record: dict[str, Any]) -> dict[str, Hit]:
    """The hits of a matrix's JSON by call name. ValueError, KeyError, TypeError."""
    return {
        str(name): Hit(
            str(name), int(allowed), int(refused), [[str(t), int(y), int(n)] for t, y, n in rows]
        )
        for name, allowed, refused, rows in record["hits"]
    }


def call_name(nr: int) -> str:
    """`sys_read`; of calls without a name what they are."""
    if nr & COMPAT:
        return f"int 0x80 #{nr & ~COMPAT}"
    event = table(ptregs_events=True).by_nr(nr)
    if event is not None and event.entry:
        return event.entry
    row = ROWS.get(nr)
    return f"system call {nr}" if row is None else f"sys_{row[1]}"


def arity(nr: int) -> int:
    """How many arguments a call has."""
    from emukernel.kernel.syscalls.signature import parse

    row = ROWS.get(nr)
    return 6 if row is None else len(parse(row[3]).parameters)
