"""The filter language once more, written from its description and nothing else: a second opinion.

A recursive descent over the text, and a walk over the result at each evaluation. It shares no code
with the engine: not the parser, not the compiler, not the fields' descriptions (a field is told by
its place among the arguments). Only what policies need is here: numbers, comparisons, `&&`, `||`
and parentheses; anything else is Unsupported.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Tree = tuple[str, "Tree", "Tree"] | tuple[str, str, int]
    """("&&" or "||", left, right), or (comparison, field, constant)."""

_TOKEN = re.compile(
    r"\s*(?:(&&|\|\|)|([()])|([A-Za-z_]\w*)\s*(==|!=|<=|>=|<|>)\s*(0[xX][0-9a-fA-F]+|\d+))"
)
_MASK64 = (1 << 64) - 1


class Unsupported(Exception):
    """A text with something in it that this evaluator leaves to the engine."""


def parse(text: str) -> Tree:
    """The tree of an expression."""
    tokens: list[tuple[str, ...]] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Unsupported(text[at : at + 20])
        tokens.append(tuple(group or "" for group in match.groups()))
        at = match.end()
    tree, rest = _disjunction(tokens, 0)
    if rest != len(tokens):
        raise Unsupported("something is left over")
    return tree


def _disjunction(tokens: Sequence[tuple[str, ...]], at: int) -> tuple[Tree, int]:
    left, at = _conjunction(tokens, at)
    while at < len(tokens) and tokens[at][0] == "||":
        right, at = _conjunction(tokens, at + 1)
        left = ("||", left, right)
    return left, at


def _conjunction(tokens: Sequence[tuple[str, ...]], at: int) -> tuple[Tree, int]:
    left, at = _term(tokens, at)
    while at < len(tokens) and tokens[at][0] == "&&":
        right, at = _term(tokens, at + 1)
        left = ("&&", left, right)
    return left, at


def _term(tokens: Sequence[tuple[str, ...]], at: int) -> tuple[Tree, int]:
    if at == len(tokens):
        raise Unsupported("the text ends too early")
    _joint, bracket, field, comparison, number = tokens[at]
    if bracket == "(":
        inner, at = _disjunction(tokens, at + 1)
        if at == len(tokens) or tokens[at][1] != ")":
            raise Unsupported("a parenthesis is open")
        return inner, at + 1
    if not field:
        raise Unsupported("no comparison")
    return (comparison, field, _number(number)), at + 1


def _number(text: str) -> int:
    """A number as C has it: a leading 0 makes it octal."""
    if text[:2] in ("0x", "0X"):
        return int(text, 16)
    if text[0] == "0" and len(text) > 1:
        if not all(digit in "01234567" for digit in text):
            raise Unsupported(text)
        return int(text, 8)
    return int(text)


def evaluate(tree: Tree, values: Mapping[str, int]) -> bool:
    """Whether a call whose fields have these values passes; arguments are unsigned 64-bit."""
    kind, left, right = tree
    if kind == "&&":
        return evaluate(left, values) and evaluate(right, values)  # type: ignore[arg-type]
    if kind == "||":
        return evaluate(left, values) or evaluate(right, values)  # type: ignore[arg-type]
    assert isinstance(left, str)
    assert isinstance(right, int)
    if left not in values:
        raise Unsupported(left)
    value, constant = values[left] & _MASK64, right & _MASK64
    if kind == "==":
        return value == constant
    if kind == "!=":
        return value != constant
    if kind == "<":
        return value < constant
    if kind == "<=":
        return value <= constant
    if kind == ">":
        return value > constant
    return value >= constant
