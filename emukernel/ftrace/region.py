"""Which system calls a filter lets pass, as an exact set.

A set of calls is a decision diagram over the registers: a node splits the values of one register
into intervals, and below each hangs the set of what the later registers may be. Nodes are shared,
so that two expressions which let the same calls pass are one and the same object. All questions
have exact answers: can anything pass, does everything, does one expression imply another, and which
values pass.

    >>> from emukernel.ftrace.events import table
    >>> from emukernel.ftrace.filter import create
    >>> regions = Regions()
    >>> regions.of(create(table().by_nr(1), "fd != 1 || fd != 2").expression)
    True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emukernel.ftrace.compile import compare
from emukernel.ftrace.expression import AND, NOT, OR, Predicate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from emukernel.ftrace.expression import Expression

    Region: TypeAlias = "Node | bool"
    Want: TypeAlias = Callable[[int, int], int | None]

TOP = (1 << 64) - 1
"""The largest value of a register."""

REGISTERS = 6


class Node:
    """Calls told apart by register `level` (0 is rdi): `edges` are (largest value, set of the
    rest), by ascending value; the last one's is TOP, and two neighbours differ."""

    __slots__ = ("edges", "level")

    def __init__(self, level: int, edges: tuple[tuple[int, Region], ...]) -> None:
        self.level = level
        self.edges = edges

    def intervals(self) -> list[tuple[int, int, Region]]:
        """(smallest value, largest value, set of the rest) of every edge."""
        found = []
        low = 0
        for high, rest in self.edges:
            found.append((low, high, rest))
            low = high + 1
        return found


class Regions:
    """Makes regions and shares their nodes. Those of different makers can't be combined."""

    __slots__ = ("_made", "_memory")

    def __init__(self) -> None:
        self._made: dict[tuple[int, tuple[tuple[int, Region], ...]], Node] = {}
        self._memory: dict[tuple[str, int, int], tuple[Region, Region, Region]] = {}

    # -- making ------------------------------------------------------------------------------

    def node(self, level: int, edges: Sequence[tuple[int, Region]]) -> Region:
        """The node with these edges, of which neighbours may be equal."""
        joined: list[tuple[int, Region]] = []
        for high, rest in edges:
            if joined and joined[-1][1] is rest:
                joined[-1] = (high, rest)
            else:
                joined.append((high, rest))
        if len(joined) == 1:
            return joined[0][1]
        key = (level, tuple(joined))
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = Node(*key)
        return found

    def between(self, level: int, low: int, high: int) -> Region:
        """The calls whose register `level` is from `low` to `high`."""
        if low > high:
            return False
        edges: list[tuple[int, Region]] = [(low - 1, False)] if low else []
        edges.append((high, True))
        if high < TOP:
            edges.append((TOP, False))
        return self.node(level, edges)

    def predicate(self, predicate: Predicate, nr: int) -> Region:
        """The calls of number `nr` for which a predicate holds."""
        register = predicate.field.register
        if register is None or register == "nr":
            return compare(predicate, nr if register else 0)
        level, constant, op = int(register[1:]), predicate.constant, predicate.op
        if op == "==":
            return self.between(level, constant, constant)
        if op == "!=":
            return self.invert(self.between(level, constant, constant))
        if op in ("<", "<="):
            return self.between(level, 0, constant - (op == "<"))
        if op in (">", ">="):
            return self.between(level, constant + (op == ">"), TOP)
        raise ValueError(f"no set for the operator {op}")

    def of(self, expression: Expression) -> Region:
        """The calls that an expression lets pass. ValueError for an event of no system call, and
        for an expression that 2.6.39's engine does not have (`&`)."""
        nr = expression.event.nr
        if nr is None:
            raise ValueError(f"{expression.event.name} is not the event of a system call")
        stack: list[Region] = []
        for element in expression.postfix:
            if isinstance(element, Predicate):
                stack.append(self.predicate(element, nr))
            elif element == NOT:
                stack.append(self.invert(stack.pop()))
            else:
                right = stack.pop()
                stack.append(self._apply(element, stack.pop(), right))
        return stack.pop() if stack else True

    # -- combining ---------------------------------------------------------------------------

    def both(self, a: Region, b: Region) -> Region:
        """The calls in both."""
        return self._apply(AND, a, b)

    def either(self, a: Region, b: Region) -> Region:
        """The calls in one of them."""
        return self._apply(OR, a, b)

    def invert(self, a: Region) -> Region:
        """All other calls."""
        if isinstance(a, bool):
            return not a
        return self.node(a.level, [(high, self.invert(rest)) for high, rest in a.edges])

    def implies(self, a: Region, b: Region) -> bool:
        """Whether every call in `a` is in `b`."""
        return self.both(a, self.invert(b)) is False

    def _apply(self, op: str, a: Region, b: Region) -> Region:
        if a is b:
            return a
        decisive = op == OR
        for one, other in ((a, b), (b, a)):
            if isinstance(one, bool):
                return one if one is decisive else other
        assert isinstance(a, Node)
        assert isinstance(b, Node)
        key = (op, id(a), id(b))
        known = self._memory.get(key)
        if known is not None:
            return known[2]
        if a.level != b.level:
            upper, lower = (a, b) if a.level < b.level else (b, a)
            edges = [(high, self._apply(op, rest, lower)) for high, rest in upper.edges]
            result = self.node(upper.level, edges)
        else:
            edges = []
            i = j = 0
            while i < len(a.edges):
                high = min(a.edges[i][0], b.edges[j][0])
                edges.append((high, self._apply(op, a.edges[i][1], b.edges[j][1])))
                i += a.edges[i][0] == high
                j += b.edges[j][0] == high
            result = self.node(a.level, edges)
        # The operands are kept with the result: their ids must not be used again.
        self._memory[key] = (a, b, result)
        return result

    # -- what a call makes of its registers ----------------------------------------------------

    def fold(self, region: Region, level: int, bits: int) -> Region:
        """What gets through to a call that looks at the low `bits` of register `level` only.

        The values that some register of the region has there, with the bits above them zero.
        """
        mask = (1 << bits) - 1
        narrow = self.between(level, 0, mask)
        if isinstance(region, bool) or region.level > level:
            return self.both(narrow, region)
        if region.level < level:
            return self.node(
                region.level, [(high, self.fold(rest, level, bits)) for high, rest in region.edges]
            )
        folded: Region = False
        for low, high, rest in region.intervals():
            if rest is False:
                continue
            first, last = low & mask, high & mask
            seen: Region
            if high - low >= mask:
                seen = narrow
            elif first <= last:
                seen = self.between(level, first, last)
            else:
                seen = self.either(self.between(level, first, mask), self.between(level, 0, last))
            folded = self.either(folded, self.both(seen, rest))
        return folded

    # -- looking -----------------------------------------------------------------------------

    def pick(self, region: Region, wants: Sequence[Want]) -> list[int] | None:
        """The registers of a call in the region; None where there is none.

        `wants[i](low, high)` gives the value that register i should have if it can be from `low` to
        `high`, or None. It is asked for all values first: a value that it gives then and that the
        region takes is the one.
        """
        failed: set[tuple[int, int]] = set()

        def descend(region: Region, level: int) -> list[int] | None:
            if region is False or (level, id(region)) in failed:
                return None
            if level == len(wants):
                # Registers beyond those that are asked for are zero.
                while isinstance(region, Node):
                    region = region.edges[0][1]
                return [] if region else None
            choices: list[tuple[int, Region]] = []
            favourite = wants[level](0, TOP)
            if isinstance(region, bool) or region.level > level:
                if favourite is not None:
                    choices.append((favourite, region))
            else:
                for low, high, rest in region.intervals():
                    if rest is False:
                        continue
                    if favourite is not None and low <= favourite <= high:
                        choices.insert(0, (favourite, rest))
                        continue
                    value = wants[level](low, high)
                    if value is not None:
                        choices.append((value, rest))
            for value, rest in choices:
                found = descend(rest, level + 1)
                if found is not None:
                    return [value, *found]
            failed.add((level, id(region)))
            return None

        return descend(region, 0)


def contains(region: Region, args: Sequence[int]) -> bool:
    """Whether the call with these six registers is in the region."""
    while isinstance(region, Node):
        value = args[region.level]
        for high, rest in region.edges:
            if value <= high:
                region = rest
                break
    return region


def anything(low: int, high: int) -> int:
    """A Want for a register that does not matter."""
    return low


def exactly(value: int) -> Want:
    """A Want for one value of the whole register."""
    return lambda low, high: value if low <= value <= high else None


def low_bits(value: int, bits: int) -> Want:
    """A Want for a register whose low `bits` are those of `value`.

    The bits above are zero if they can be; else, for a number that is negative in that width, as a
    sign extension has them; else whatever passes.
    """
    size = 1 << bits
    plain = value & (size - 1)
    extended = plain | (TOP ^ (size - 1)) if plain >> (bits - 1) else plain

    def want(low: int, high: int) -> int | None:
        for usual in (plain, extended):
            if low <= usual <= high:
                return usual
        found = low + (plain - low) % size
        return found if found <= high else None

    return want
