"""Inputs by a grammar: sentences are made from its first rule, and changed a subtree at a time.

    # a comment
    document = header record*
    header   = "PK" "\\x01" | "PK" byte
    record   = "[" name "]" value?
    byte     = %00-ff
    name     = %61-7a+

A rule is alternatives of sequences of rule names, "literals" and %ranges of bytes in hexadecimal,
each with ?, * or + behind it if need be. A rule may go on in lines that begin with white space.
"""

from __future__ import annotations

import re
from random import Random

from emukernel.fuzz.dictionary import unescape

_TOKEN = re.compile(
    r'\s*(?:"((?:[^"\\]|\\.)*)"|%([0-9a-fA-F]{2})(?:-([0-9a-fA-F]{2}))?|([A-Za-z_]\w*)|(\|))([?*+]?)'
)
_RULE = re.compile(r"([A-Za-z_]\w*)\s*=(.*)", re.S)

#: Below this depth the shortest alternatives are taken.
_MAX_DEPTH = 24
_MAX_REPEAT = 8
_MAX_TREES = 4096

Symbol = tuple[str, object, str]
"""("text", bytes, repetition), ("range", (low, high), repetition) or ("rule", name, repetition)."""


class Node:
    """A rule's part of a sentence: pieces that are bytes or nodes."""

    __slots__ = ("pieces", "rule")

    def __init__(self, rule: str, pieces: list[bytes | Node]) -> None:
        self.rule = rule
        self.pieces = pieces

    def text(self, parts: list[bytes]) -> None:
        """Adds the part's bytes to `parts`."""
        for piece in self.pieces:
            if isinstance(piece, Node):
                piece.text(parts)
            else:
                parts.append(piece)

    def copy(self) -> Node:
        """The same tree again."""
        return Node(self.rule, [p.copy() if isinstance(p, Node) else p for p in self.pieces])

    def nodes(self) -> list[Node]:
        """This node and all below it."""
        found = [self]
        for piece in self.pieces:
            if isinstance(piece, Node):
                found += piece.nodes()
        return found


class GrammarMutator:
    """A CustomMutator that makes and changes sentences of a grammar."""

    def __init__(self, rules: dict[str, list[list[Symbol]]], start: str) -> None:
        self._rules = rules
        self._start = start
        self._trees: dict[bytes, Node] = {}
        self._costs = _costs(rules)

    @classmethod
    def from_file(cls, path: str) -> GrammarMutator:
        """Reads a grammar. ValueError with file and line, OSError."""
        with open(path, encoding="utf-8") as file:
            return cls.from_text(file.read(), path)

    @classmethod
    def from_text(cls, text: str, file: str = "<grammar>") -> GrammarMutator:
        """The same from a text."""
        rules: dict[str, list[list[Symbol]]] = {}
        lines: dict[str, int] = {}
        for number, line in _logical_lines(text):
            match = _RULE.match(line)
            if match is None:
                raise ValueError(f"{file}:{number}: not NAME = alternatives: {line[:60]!r}")
            if match[1] in rules:
                raise ValueError(f"{file}:{number}: {match[1]} has a rule already")
            rules[match[1]] = _alternatives(match[2], file, number)
            lines[match[1]] = number
        if not rules:
            raise ValueError(f"{file}: no rule")
        for name, alternatives in rules.items():
            for kind, value, _repeat in (symbol for each in alternatives for symbol in each):
                if kind == "rule" and value not in rules:
                    raise ValueError(f"{file}:{lines[name]}: no rule {value}")
        for name, cost in _costs(rules).items():
            if cost >= _ENDLESS:
                raise ValueError(f"{file}:{lines[name]}: {name} never comes to an end")
        return cls(rules, next(iter(rules)))

    def mutate(self, data: bytes, random: Random, max_len: int) -> bytes:
        """A sentence with one part of `data`'s made anew, or another one."""
        tree = self._trees.get(data)
        if tree is None or random.random() < 0.1:
            tree = self._make(self._start, random, 0)
        else:
            tree = tree.copy()
            node = random.choice(tree.nodes())
            node.pieces = self._make(node.rule, random, 4).pieces
        parts: list[bytes] = []
        tree.text(parts)
        made = b"".join(parts)
        if len(made) > max_len:
            return made[:max_len]
        if len(self._trees) >= _MAX_TREES:
            self._trees.clear()
        self._trees[made] = tree
        return made

    def _make(self, rule: str, random: Random, depth: int) -> Node:
        alternatives = self._rules[rule]
        if depth >= _MAX_DEPTH:
            costs = self._costs
            sequence = min(alternatives, key=lambda symbols: _cost(symbols, costs))
        else:
            sequence = random.choice(alternatives)
        pieces: list[bytes | Node] = []
        for kind, value, repeat in sequence:
            for _ in range(_times(repeat, random, depth)):
                if kind == "rule":
                    pieces.append(self._make(str(value), random, depth + 1))
                elif kind == "text":
                    assert isinstance(value, bytes)
                    pieces.append(value)
                else:
                    assert isinstance(value, tuple)
                    pieces.append(bytes([random.randint(*value)]))
        return Node(rule, pieces)


_ENDLESS = 1 << 30


def _times(repeat: str, random: Random, depth: int) -> int:
    least = 0 if repeat in ("?", "*") else 1
    if repeat in ("", "?") or depth >= _MAX_DEPTH:
        return least + (random.random() < 0.5 if repeat == "?" and depth < _MAX_DEPTH else 0)
    times = least
    while times < _MAX_REPEAT and random.random() < 0.6:
        times += 1
    return times


def _cost(symbols: list[Symbol], costs: dict[str, int]) -> int:
    total = 1
    for kind, value, repeat in symbols:
        if kind == "rule" and repeat not in ("?", "*"):
            total += costs[str(value)]
    return min(total, _ENDLESS)


def _costs(rules: dict[str, list[list[Symbol]]]) -> dict[str, int]:
    """How many rules the smallest sentence of each takes; _ENDLESS where there is none."""
    costs = dict.fromkeys(rules, _ENDLESS)
    for _ in range(len(rules) + 1):
        for name, alternatives in rules.items():
            costs[name] = min(_cost(symbols, costs) for symbols in alternatives)
    return costs


def _logical_lines(text: str) -> list[tuple[int, str]]:
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and lines:
            lines[-1] = (lines[-1][0], f"{lines[-1][1]} {line}")
        else:
            lines.append((number, line))
    return lines


def _alternatives(text: str, file: str, number: int) -> list[list[Symbol]]:
    alternatives: list[list[Symbol]] = [[]]
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"{file}:{number}: what is {text[at:].strip()[:30]!r}?")
        literal, low, high, name, bar, repeat = match.groups()
        if bar:
            alternatives.append([])
        elif name:
            alternatives[-1].append(("rule", name, repeat))
        elif low:
            first, last = int(low, 16), int(high or low, 16)
            if first > last:
                raise ValueError(f"{file}:{number}: the range %{low}-{high} is empty")
            alternatives[-1].append(("range", (first, last), repeat))
        else:
            alternatives[-1].append(("text", unescape(literal, file, number), repeat))
        at = match.end()
    return alternatives
