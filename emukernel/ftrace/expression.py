"""What a parser makes of a filter's text: predicates, joined in postfix order.

Postfix and not a tree: whatever is nested in a text, nothing that walks an expression recurses.
"""

from __future__ import annotations

from errno import EINVAL, errorcode
from typing import TYPE_CHECKING

from emukernel.ftrace.events import NUMBER

if TYPE_CHECKING:
    from emukernel.ftrace.events import Event, Field

AND, OR, NOT = "&&", "||", "!"

FULL, FRONT, MIDDLE, END = "full", "front", "middle", "end"
"""How a string field is compared: all of it, or a pattern at its front, anywhere, at its end."""


class FilterError(Exception):
    """A text that is no filter.

    ``message`` is the kernel's own ("Field not found"); ``errno`` what the kernel returns
    (EINVAL unless said) and ``errno_name`` its name.  ``start`` and ``end`` are the byte
    columns of what is wrong in ``text``, from 0; ``expected`` says in words what could have
    stood there ("" if the message says it all).  ``event`` is the event the filter was for,
    None where that is what is unknown.
    """

    def __init__(
        self,
        message: str,
        text: bytes,
        start: int,
        end: int,
        expected: str = "",
        *,
        event: Event | None = None,
        errno: int = EINVAL,
        caret: int | None = 0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.start = start
        self.end = end
        self.expected = expected
        self.event = event
        self.errno = errno
        self.caret = caret

    @property
    def column(self) -> int:
        """Byte column of the error, from 0."""
        return self.start

    @property
    def errno_name(self) -> str:
        return errorcode[self.errno]

    @property
    def subject(self) -> str:
        """The part of the text that is wrong."""
        return self.text[self.start : self.end].decode("utf-8", "replace")

    def __str__(self) -> str:
        return f"{self.message} (column {self.start + 1})"


class Span:
    """A stretch of the source text: byte columns ``start`` (from 0) to ``end`` (exclusive)."""

    __slots__ = ("end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Span) and (self.start, self.end) == (other.start, other.end)

    def __hash__(self) -> int:
        return hash((self.start, self.end))

    def __repr__(self) -> str:
        return f"Span({self.start}, {self.end})"


class Predicate:
    """One comparison: ``field`` ``op`` ``operand``.

    For numbers ``value`` is the operand as it was read and ``constant`` the same cut to the
    field's size and sign, which is what the field is compared with.  For strings ``pattern`` is
    what is looked for, ``matching`` how, and ``inverted`` whether a match makes the predicate
    false (``!=``, or a pattern that begins with ``!``). ``span`` covers the whole predicate in
    the source, ``field_span``, ``op_span`` and ``value_span`` its parts; white space that the
    parser dropped lies within them.
    """

    __slots__ = (
        "constant",
        "field",
        "field_span",
        "inverted",
        "matching",
        "op",
        "op_span",
        "operand",
        "pattern",
        "span",
        "value",
        "value_span",
    )

    def __init__(
        self,
        field: Field,
        op: str,
        operand: bytes,
        field_span: Span,
        op_span: Span,
        value_span: Span,
    ) -> None:
        self.field = field
        self.op = op
        self.operand = operand
        self.field_span = field_span
        self.op_span = op_span
        self.value_span = value_span
        self.span = Span(min(field_span.start, op_span.start), max(op_span.end, value_span.end))
        self.value = 0
        self.constant = 0
        self.pattern = b""
        self.matching = FULL
        self.inverted = False

    @property
    def is_string(self) -> bool:
        return self.field.kind != NUMBER

    def set_number(self, value: int) -> None:
        """Compare with ``value``, cut to the field's size as the kernel's casts cut it."""
        self.value = value
        self.constant = cut(value, self.field)

    def __str__(self) -> str:
        return f"{self.field.name} {self.op} {self.operand.decode('utf-8', 'replace')}"

    def __repr__(self) -> str:
        return f"<Predicate {self}>"


class Expression:
    """A parsed filter: ``postfix`` holds predicates and the connectives AND, OR and NOT.

    ``ignored`` are the spans of operands that the kernel's parser takes and never looks at.
    """

    __slots__ = ("event", "ignored", "postfix", "predicates", "text")

    def __init__(
        self,
        event: Event,
        text: bytes,
        postfix: tuple[Predicate | str, ...],
        ignored: tuple[Span, ...] = (),
    ) -> None:
        self.event = event
        self.text = text
        self.postfix = postfix
        self.predicates = tuple(element for element in postfix if isinstance(element, Predicate))
        self.ignored = ignored


def cut(value: int, field: Field) -> int:
    """``value`` as a variable of the field's size and sign holds it."""
    bits = 8 * field.size
    value &= (1 << bits) - 1
    if field.signed and value >> (bits - 1):
        value -= 1 << bits
    return value
