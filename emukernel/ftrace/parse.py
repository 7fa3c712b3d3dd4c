"""The filter parser of Linux 2.6.39: kernel/trace/trace_events_filter.c, as far as it can be
observed.

A shunting yard over bytes turns the infix text into postfix order; only then predicates are
built and checked against the event's fields.  The order matters: it decides which of several
errors is the one reported.  What looks odd is the kernel's and pinned down by its verdicts:
white space vanishes inside operands too, ``(`` does not end an operand, a quoted number is a
number, an operand that no operator uses is dropped without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emukernel.ftrace.events import NUMBER
from emukernel.ftrace.expression import (
    AND,
    END,
    FRONT,
    FULL,
    MIDDLE,
    OR,
    Expression,
    FilterError,
    Predicate,
    Span,
)

if TYPE_CHECKING:
    from emukernel.ftrace.events import Event, Field

MAX_FILTER_STR_VAL = 256
"""Room for one operand with its NUL, and what consumers that limit the text give it."""

MAX_FILTER_PRED = 16384
"""Predicates and connectives of one filter must be fewer."""

PRECEDENCE = {"(": 0, "||": 1, "&&": 2, "~": 4, "!=": 4, "==": 4, "<": 5, "<=": 5, ">": 5, ">=": 5}
_OPERATORS = {op.encode(): op for op in PRECEDENCE if op != "("}
_OPERATOR_BYTES = frozenset(op[0] for op in _OPERATORS)
_SPACE = frozenset(b" \t\n\v\f\r\xa0")  # the kernel's isspace() is Latin-1's
_QUOTE, _OPEN, _CLOSE = b'"()'

NO_ERROR = "No error"
INVALID_OPERATOR = "Invalid operator"
UNBALANCED_PARENS = "Unbalanced parens"
TOO_MANY_OPERANDS = "Too many operands"
OPERAND_TOO_LONG = "Operand too long"
FIELD_NOT_FOUND = "Field not found"
ILLEGAL_OPERATION = "Illegal operation for field type"
ILLEGAL_INTEGER = "Illegal integer value"
TOO_MANY_TERMS = "Too many terms in predicate expression"
MISSING_FIELD = "Missing field name and/or value"
MEANINGLESS = "Meaningless filter expression"

_INSTEAD_OF = {
    ord("="): "'==' (there is no operator '=')",
    ord("!"): "'!=' (there is no operator '!')",
    ord("&"): "'&&' (there is no operator '&')",
    ord("|"): "'||' (there is no operator '|')",
}


class _Token:
    """An operand (``op`` "") or operator of the postfix list, and where it stood."""

    __slots__ = ("op", "operand", "span")

    def __init__(self, op: str, operand: bytes, start: int, end: int) -> None:
        self.op = op
        self.operand = operand
        self.span = Span(start, end)


def parse(event: Event, text: bytes) -> Expression:
    """The expression that ``text`` is for ``event``; FilterError if it is none.

    Like the kernel's, the text ends at its first NUL byte.  There is no limit to its length
    here; consumers have one.
    """
    text = text.partition(b"\0")[0]
    try:
        return _build(event, text, _to_postfix(text))
    except FilterError as error:
        error.event = event
        raise


def _to_postfix(text: bytes) -> list[_Token]:
    output: list[_Token] = []
    operators: list[_Token] = []
    operand = bytearray()
    start = end = 0
    quoted = False
    position = 0
    length = len(text)

    def finish_operand() -> None:
        if operand:
            output.append(_Token("", bytes(operand), start, end))
            operand.clear()

    while position < length:
        byte = text[position]
        here = position
        position += 1
        if byte == _QUOTE:
            quoted = not quoted
            continue
        if not quoted:
            if byte in _SPACE:
                continue
            if byte in _OPERATOR_BYTES:
                op = _OPERATORS.get(text[here : here + 2])
                if op is not None:
                    position = here + len(op)
                else:
                    op = _OPERATORS.get(text[here : here + 1])
                    if op is None:
                        raise FilterError(INVALID_OPERATOR, text, here, here + 1, _INSTEAD_OF[byte])
                finish_operand()
                while operators and PRECEDENCE[operators[-1].op] >= PRECEDENCE[op]:
                    output.append(operators.pop())
                operators.append(_Token(op, b"", here, position))
                continue
            if byte == _OPEN:
                operators.append(_Token("(", b"", here, position))
                continue
            if byte == _CLOSE:
                finish_operand()
                while operators and operators[-1].op != "(":
                    output.append(operators.pop())
                if not operators:
                    raise FilterError(
                        UNBALANCED_PARENS, text, here, position, "a '(' before this ')'"
                    )
                operators.pop()
                continue
        if len(operand) == MAX_FILTER_STR_VAL - 1:
            raise FilterError(
                OPERAND_TOO_LONG,
                text,
                start,
                end,
                f"a name or value of at most {MAX_FILTER_STR_VAL - 1} bytes",
            )
        if not operand:
            start = here
        operand.append(byte)
        end = position

    finish_operand()
    while operators:
        token = operators.pop()
        if token.op == "(":
            raise FilterError(
                UNBALANCED_PARENS, text, token.span.start, token.span.end, "a ')' for this '('"
            )
        output.append(token)
    return output


def _build(event: Event, text: bytes, tokens: list[_Token]) -> Expression:
    _check_counts(text, tokens)
    postfix: list[Predicate | str] = []
    ignored: list[Span] = []
    operands: list[_Token] = []
    joined: list[
        Predicate
    ] = []  # one predicate of each expression that is not joined to another yet
    for token in tokens:
        if not token.op:
            if len(operands) == 2:
                raise FilterError(
                    TOO_MANY_OPERANDS,
                    text,
                    token.span.start,
                    token.span.end,
                    "an operator before it",
                )
            operands.append(token)
        elif token.op in (AND, OR):
            if len(joined) < 2:
                raise FilterError(
                    NO_ERROR,
                    text,
                    token.span.start,
                    token.span.end,
                    f"a predicate on both sides of '{token.op}'",
                )
            joined.pop(-2)
            postfix.append(token.op)
            ignored += [operand.span for operand in operands]
            operands.clear()
        else:
            predicate = _predicate(event, text, token, operands)
            postfix.append(predicate)
            joined.append(predicate)
            operands.clear()
    if len(joined) != 1:
        second = joined[1].span
        raise FilterError(
            NO_ERROR, text, second.start, second.end, "'&&' or '||' between two predicates"
        )
    ignored += [operand.span for operand in operands]
    return Expression(event, text, tuple(postfix), tuple(ignored))


def _check_counts(text: bytes, tokens: list[_Token]) -> None:
    """The kernel's checks before it looks at any field: enough predicates for the connectives,
    and not too many."""
    connectives = sum(token.op in (AND, OR) for token in tokens)
    comparisons = sum(bool(token.op) for token in tokens) - connectives
    if connectives + comparisons >= MAX_FILTER_PRED:
        raise FilterError(
            TOO_MANY_TERMS,
            text,
            0,
            len(text),
            f"fewer than {MAX_FILTER_PRED} predicates and connectives",
        )
    if comparisons and connectives < comparisons:
        return
    # The message names no culprit: an operand that no operator takes, or else a connective
    # that lacks a predicate.
    operands: list[_Token] = []
    complete = 0
    for token in tokens:
        if not token.op:
            operands.append(token)
        elif token.op in (AND, OR):
            if operands or complete < 2:
                break
            complete -= 1
        else:
            operands.clear()
            complete += 1
    else:
        token = tokens[-1] if tokens else _Token("", b"", 0, len(text))
    if operands:
        stray = operands[-1]
        raise FilterError(
            MEANINGLESS,
            text,
            stray.span.start,
            stray.span.end,
            "a predicate: FIELD OPERATOR VALUE, for instance fd == 1",
        )
    expected = (
        f"a predicate on both sides of '{token.op}'"
        if token.op
        else "a predicate: FIELD OPERATOR VALUE"
    )
    raise FilterError(MEANINGLESS, text, token.span.start, token.span.end, expected)


def _predicate(event: Event, text: bytes, op: _Token, operands: list[_Token]) -> Predicate:
    if len(operands) < 2:
        if operands and operands[0].span.start < op.span.start:
            missing = f"a value after '{op.op}'"
        else:
            missing = f"a field name before '{op.op}'"
        raise FilterError(MISSING_FIELD, text, op.span.start, op.span.end, missing)
    name, value = operands
    field = event.field(name.operand.decode("latin-1"))
    if field is None:
        raise FilterError(
            FIELD_NOT_FOUND,
            text,
            name.span.start,
            name.span.end,
            f"one of: {', '.join(event.field_names())}",
        )
    predicate = Predicate(field, op.op, value.operand, name.span, op.span, value.span)
    if field.kind == NUMBER:
        if op.op == "~":
            raise FilterError(
                ILLEGAL_OPERATION,
                text,
                op.span.start,
                op.span.end,
                f"== != < <= > >= ({field.name} is a number)",
            )
        number = kstrtoll(value.operand) if field.signed else kstrtoull(value.operand)
        if number is None:
            raise FilterError(
                ILLEGAL_INTEGER, text, value.span.start, value.span.end, _integers(field)
            )
        if field.size not in (1, 2, 4, 8):
            raise FilterError(
                INVALID_OPERATOR,
                text,
                op.span.start,
                op.span.end,
                f"a field of 1, 2, 4 or 8 bytes; {field.name} has {field.size}",
            )
        predicate.set_number(number)
    else:
        if op.op not in ("==", "!=", "~"):
            raise FilterError(
                ILLEGAL_OPERATION,
                text,
                op.span.start,
                op.span.end,
                f"== != ~ ({field.name} is a string)",
            )
        set_pattern(predicate)
    return predicate


def set_pattern(predicate: Predicate) -> None:
    """Read a string predicate's operand; for ``~`` as a pattern.

    A pattern has a leading ``*``, a trailing one or both; nothing after the second (or after
    the first that does not lead) counts.  A leading ``!`` inverts it.
    """
    pattern = predicate.operand
    predicate.matching = FULL
    if predicate.op == "~":
        if pattern.startswith(b"!"):
            predicate.inverted = True
            pattern = pattern[1:]
        leading = pattern.startswith(b"*")
        pattern, star, _ = pattern[leading:].partition(b"*")
        if star:
            predicate.matching = MIDDLE if leading else FRONT
        elif leading:
            predicate.matching = END
    elif predicate.op == "!=":
        predicate.inverted = True
    predicate.pattern = pattern


def _integers(field: Field) -> str:
    if field.signed:
        return f"a C number from {-(1 << 63)} to {(1 << 63) - 1}, hexadecimal with 0x, octal with 0"
    return f"a C number from 0 to {(1 << 64) - 1}, hexadecimal with 0x, octal with 0"


_DIGITS = {8: b"01234567", 10: b"0123456789", 16: b"0123456789abcdefABCDEF"}


def kstrtoull(text: bytes) -> int | None:
    """The kernel's number reader, base by prefix: None where it says EINVAL or ERANGE.  One
    newline may follow."""
    return _magnitude(text.removeprefix(b"+"))


def kstrtoll(text: bytes) -> int | None:
    """The same for signed numbers.  ``-0`` is refused: the kernel tells an overflow by the sign
    of the result."""
    if text.startswith(b"-"):
        magnitude = _magnitude(text[1:])
        return -magnitude if magnitude and magnitude <= 1 << 63 else None
    magnitude = kstrtoull(text)
    return magnitude if magnitude is not None and magnitude < 1 << 63 else None


def _magnitude(text: bytes) -> int | None:
    base = 10
    if text.startswith(b"0"):
        base = 8
        if text[1:2].lower() == b"x" and text[2:3] and text[2] in _DIGITS[16]:
            base = 16
            text = text[2:]
    digits = text.removesuffix(b"\n")
    if not digits or digits.translate(None, _DIGITS[base]):
        return None
    value = int(digits, base)
    return value if value < 1 << 64 else None
