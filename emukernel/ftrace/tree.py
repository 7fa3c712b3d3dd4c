"""An expression as a tree, to ask of each part whether the whole needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emukernel.ftrace.expression import AND, NOT, OR, Predicate, Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from emukernel.ftrace.expression import Expression
    from emukernel.ftrace.region import Region, Regions


class Part:
    """A predicate, or several parts joined by `op` (AND, OR).

    Parts that the text joins by the same connective are one Part: `a && b && c` has three.
    """

    __slots__ = ("op", "parts", "predicate", "span")

    def __init__(
        self, predicate: Predicate | None, op: str = "", parts: tuple[Part, ...] = ()
    ) -> None:
        self.predicate = predicate
        self.op = op
        self.parts = parts
        if predicate is not None:
            self.span = predicate.span
        else:
            self.span = Span(parts[0].span.start, parts[-1].span.end)

    def below(self) -> Iterator[tuple[Part, Part]]:
        """(parent, part) for every part below this one, outermost first, from the end of the text
        to its start."""
        for part in reversed(self.parts):
            yield self, part
            yield from part.below()

    def region(self, regions: Regions, nr: int, without: Collection[Part] = ()) -> Region:
        """The calls that pass, if the parts of `without` were not in the text."""
        if self.predicate is not None:
            return regions.predicate(self.predicate, nr)
        join = regions.both if self.op == AND else regions.either
        result: Region = self.op == AND
        for part in self.parts:
            if part not in without:
                result = join(result, part.region(regions, nr, without))
        return result

    def text(self, without: Collection[Part] = ()) -> str:
        """The expression, written out; without the parts of `without`. "" if nothing is left."""
        if self.predicate is not None:
            return str(self.predicate)
        kept = [part for part in self.parts if part not in without]
        texts = [(part.text(without), part.op == OR and self.op == AND) for part in kept]
        texts = [(text, nested) for text, nested in texts if text]
        if len(texts) == 1:
            return texts[0][0]
        return f" {self.op} ".join(f"({text})" if nested else text for text, nested in texts)


def tree(expression: Expression) -> Part:
    """The tree of an expression of 2.6.39's engine. ValueError where there is a `!`."""
    stack: list[Part] = []
    for element in expression.postfix:
        if isinstance(element, Predicate):
            stack.append(Part(element))
        elif element == NOT:
            raise ValueError("an expression with ! has no such tree")
        else:
            right = stack.pop()
            left = stack.pop()
            parts: list[Part] = []
            for side in (left, right):
                parts += side.parts if side.op == element else (side,)
            stack.append(Part(None, element, tuple(parts)))
    return stack.pop()


def superfluous(root: Part, regions: Regions, nr: int) -> list[Part]:
    """Parts that can be cut out together without any call faring differently, by their place.

    Of two that say the same the later one is named. The outermost parts are named, not what is in
    them; the text as a whole never is.
    """
    whole = root.region(regions, nr)
    cut: list[Part] = []
    for parent, part in root.below():
        inside = any(part is below for gone in cut for _, below in gone.below())
        if inside or all(other in cut or other is part for other in parent.parts):
            continue
        if root.region(regions, nr, [*cut, part]) is whole:
            cut.append(part)
    return sorted(cut, key=lambda part: part.span.start)
