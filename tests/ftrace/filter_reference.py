"""A filter evaluated the slow and obvious way, and Hypothesis strategies that make filters.

A generated filter is a tree; its text goes to the engine, the tree to `evaluate`, so that neither
the engine's parser nor its compiler has a part in the expected answer.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

from hypothesis import strategies as st

OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
BINDING = {"||": 1, "&&": 2}


@dataclass(frozen=True)
class Leaf:
    field: str
    op: str
    value: int
    shape: str  # how the number is written: a format, applied to its magnitude
    blanks: tuple[str, str, str, str]

    def text(self) -> str:
        before, middle, after, end = self.blanks
        sign = "-" if self.value < 0 else ""
        number = sign + self.shape.format(abs(self.value))
        return f"{before}{self.field}{middle}{self.op}{after}{number}{end}"


@dataclass(frozen=True)
class Node:
    op: str
    left: Leaf | Node
    right: Leaf | Node
    parens: bool

    def text(self) -> str:
        left = self._side(self.left, BINDING[self.op])
        right = self._side(self.right, BINDING[self.op] + 1)
        text = f"{left}{self.op}{right}"
        return f"({text})" if self.parens else text

    @staticmethod
    def _side(side: Leaf | Node, least: int) -> str:
        """A side that binds more loosely than its place needs parentheses."""
        if isinstance(side, Node) and not side.parens and BINDING[side.op] < least:
            return f"({side.text()})"
        return side.text()


def as_c(value: int, bits: int, signed: bool) -> int:
    """`value` stored in a C integer of that size and sign."""
    value %= 1 << bits
    return value - (1 << bits) if signed and value >= 1 << (bits - 1) else value


def evaluate(tree: Leaf | Node, record: dict[str, tuple[int, int, bool]]) -> bool:
    """`record` has (value, bits, signed) by field."""
    if isinstance(tree, Leaf):
        value, bits, signed = record[tree.field]
        return OPERATORS[tree.op](as_c(value, bits, signed), as_c(tree.value, bits, signed))
    left, right = evaluate(tree.left, record), evaluate(tree.right, record)
    return (left and right) if tree.op == "&&" else (left or right)


def leaves(tree: Leaf | Node) -> list[Leaf]:
    if isinstance(tree, Leaf):
        return [tree]
    return leaves(tree.left) + leaves(tree.right)


BLANKS = st.sampled_from(["", "", " ", "  ", "\t", "\n"])
EDGES = [
    0,
    1,
    2,
    3,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**32,
    2**32 + 3,
    2**63 - 1,
]
UNSIGNED = (
    st.sampled_from([*EDGES, 2**63, 2**64 - 1]) | st.integers(0, 5) | st.integers(0, 2**64 - 1)
)
SIGNED = (
    st.sampled_from([*EDGES, *(-edge for edge in EDGES[1:]), -(2**63)])
    | st.integers(1, 5)
    | st.integers(-(2**63), 2**63 - 1)
)


def trees(fields: dict[str, bool], max_leaves: int = 8) -> st.SearchStrategy[Leaf | Node]:
    """Filters over fields, given with whether they are signed."""

    def leaf(name: str) -> st.SearchStrategy[Leaf]:
        return st.builds(
            Leaf,
            st.just(name),
            st.sampled_from(list(OPERATORS)),
            SIGNED if fields[name] else UNSIGNED,
            st.sampled_from(["{:d}", "{:#x}", "0{:o}", "0X{:X}"]),
            st.tuples(BLANKS, BLANKS, BLANKS, BLANKS),
        )

    return st.recursive(
        st.sampled_from(list(fields)).flatmap(leaf),
        lambda inner: st.builds(Node, st.sampled_from(["&&", "||"]), inner, inner, st.booleans()),
        max_leaves=max_leaves,
    )
