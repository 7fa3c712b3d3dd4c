"""A filter as a tree, to take parts of it away, to write it down again, and to evaluate it plainly.

The evaluation here is written apart from the engine's compiler, from the words of the language
alone, and serves as the second opinion on it (`selfcheck`).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

from emukernel.ftrace.expression import AND, NOT, OR, Predicate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emukernel.ftrace.expression import Expression
    from emukernel.fuzz.machine import Call

_COMPARE = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
#: Values that take the place of one that is excluded.
MAX_VALUES = 6
_LOWER, _UPPER = (">", ">="), ("<", "<=")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A comparison with a number: the predicate's own, or one with another operator or constant."""

    predicate: Predicate
    op: str
    constant: int

    def holds(self, call: Call) -> bool:
        """Whether it is true of a call."""
        field = self.predicate.field
        if self.predicate.is_string:
            return False
        value = 0
        if field.register == "nr":
            value = call[0] & 0x7FFF_FFFF
        elif field.register is not None:
            value = call[1 + int(field.register[1:])]
        bits = 8 * field.size
        value &= (1 << bits) - 1
        if field.signed and value >> (bits - 1):
            value -= 1 << bits
        if self.op == "&":
            return bool(value & self.constant)
        return bool(_COMPARE[self.op](value, self.constant))

    def text(self) -> str:
        """As a policy has it."""
        if self.constant == self.predicate.constant and self.op == self.predicate.op:
            return str(self.predicate)
        constant = self.constant
        shown = str(constant) if -4096 < constant < 4096 else f"{constant:#x}"
        return f"{self.predicate.field.name} {self.op} {shown}"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of `inner`."""

    inner: Tree

    def holds(self, call: Call) -> bool:
        """Whether it is true of a call."""
        return not self.inner.holds(call)

    def text(self) -> str:
        """As a policy has it."""
        return f"!({self.inner.text()})"


@dataclass(frozen=True, slots=True)
class Node:
    """Two sides joined by `&&` or `||`."""

    op: str
    left: Tree
    right: Tree

    def holds(self, call: Call) -> bool:
        """Whether it is true of a call."""
        if self.op == AND:
            return self.left.holds(call) and self.right.holds(call)
        return self.left.holds(call) or self.right.holds(call)

    def text(self) -> str:
        """As a policy has it. Both connectives need parentheses only where they meet."""
        sides = []
        for at, side in enumerate((self.left, self.right)):
            joined = isinstance(side, Node) and (side.op != self.op or at == 1)
            sides.append(f"({side.text()})" if joined else side.text())
        return f" {self.op} ".join(sides)


Tree = Leaf | Not | Node


def tree_of(expression: Expression) -> Tree:
    """The tree of a parsed filter."""
    stack: list[Tree] = []
    for element in expression.postfix:
        if isinstance(element, Predicate):
            stack.append(Leaf(element, element.op, element.constant))
        elif element == NOT:
            stack.append(Not(stack.pop()))
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(Node(element, left, right))
    (tree,) = stack
    return tree


def cuts(
    tree: Tree, calls: Sequence[Call] | None = None
) -> Iterator[tuple[str, Predicate | None, Tree]]:
    """(what, where, smaller tree) for each alternative cut and each bound moved inwards.

    A bound moves by one; with `calls` as far as the values seen there, and `!=` becomes those
    values if they are few. Nothing under a `!` is touched: to cut there is to widen.
    """
    if isinstance(tree, Node):
        if tree.op == OR:
            for gone, kept in ((tree.right, tree.left), (tree.left, tree.right)):
                yield f"`{gone.text()}` cut", _first(gone), kept
        for what, where, left in cuts(tree.left, calls):
            yield what, where, Node(tree.op, left, tree.right)
        for what, where, right in cuts(tree.right, calls):
            yield what, where, Node(tree.op, tree.left, right)
    elif isinstance(tree, Leaf):
        moved = _moved(tree, calls)
        if moved is not None:
            yield f"`{tree.text()}` made `{moved.text()}`", tree.predicate, moved


def _moved(leaf: Leaf, calls: Sequence[Call] | None) -> Tree | None:
    predicate = leaf.predicate
    if predicate.is_string:
        return None
    if leaf.op == "!=" and calls is not None:
        seen = sorted({_value(predicate, call) for call in calls if leaf.holds(call)})
        if not 0 < len(seen) <= MAX_VALUES:
            return None
        tree: Tree = Leaf(predicate, "==", seen[0])
        for value in seen[1:]:
            tree = Node(OR, tree, Leaf(predicate, "==", value))
        return tree
    if leaf.op not in _LOWER + _UPPER:
        return None
    step = 1 if leaf.op in _LOWER else -1
    constant = leaf.constant + step
    if calls is not None:
        values = [_value(predicate, call) for call in calls if leaf.holds(call)]
        if not values:
            return None
        strict = leaf.op in ("<", ">")
        nearest = min(values) if step > 0 else max(values)
        constant = nearest - step if strict else nearest
        if constant == leaf.constant:
            return None
    if constant < 0:
        return None
    return Leaf(predicate, leaf.op, constant)


def _value(predicate: Predicate, call: Call) -> int:
    register = predicate.field.register
    if register is None:
        return 0
    return call[0] if register == "nr" else call[1 + int(register[1:])]


def _first(tree: Tree) -> Predicate | None:
    while isinstance(tree, Node):
        tree = tree.left
    return tree.predicate if isinstance(tree, Leaf) else None
