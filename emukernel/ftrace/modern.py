"""The filter dialect of today's kernels (measured on Linux 6.18), as an option of the tools.

It differs from 2.6.39's in the operators ``!`` and ``&``, in its words and places of errors, and in
what an operand is: names and numbers end where their characters end, strings must be quoted,
numbers must not.  Its events have today's argument names, ``__syscall_nr``, and a few fields that
every event has (``cpu``, ``comm``).  ``char *`` arguments are strings; behind a pointer that nobody
can read there is no match.
"""

from __future__ import annotations

from errno import EINVAL, ENOENT, EPERM, ESRCH
from typing import TYPE_CHECKING

from emukernel.ftrace.events import (
    COMMON_FIELDS,
    FIRST_SYSCALL_EVENT_ID,
    NUMBER,
    POINTER_STRING,
    Event,
    EventTable,
    Field,
)
from emukernel.ftrace.expression import (
    AND,
    NOT,
    OR,
    Expression,
    FilterError,
    Predicate,
    Span,
)
from emukernel.ftrace.filter import EventFilter
from emukernel.ftrace.parse import kstrtoll, kstrtoull, set_pattern

if TYPE_CHECKING:
    from typing import NoReturn

PAGE_SIZE = 4096
MAX_STRING = 255
MAX_NUMBER = 23

GENERIC_FIELDS = (
    Field("CPU", "int", 0, 4, True),
    Field("cpu", "int", 0, 4, True),
    Field("common_cpu", "int", 0, 4, True),
    Field("COMM", "char *", 0, 8, False, kind=POINTER_STRING),
    Field("comm", "char *", 0, 8, False, kind=POINTER_STRING),
    Field("stacktrace", "char *", 0, 8, False),
    Field("STACKTRACE", "char *", 0, 8, False),
)
"""What every event can be filtered by besides its record: the current CPU, task and stack."""

_OPERATORS = (b"~", b"!=", b"==", b"<=", b"<", b">=", b">", b"&")
_SPACE = frozenset(b" \t\n\v\f\r\xa0")
_SPACES = bytes(_SPACE)
_DIGITS = frozenset(b"0123456789")
# The kernel's isalnum() knows the letters of Latin-1.
_ALNUM = frozenset(b for b in range(256) if chr(b).isalnum() and b < 128) | (
    frozenset(range(0xC0, 0x100)) - {0xD7, 0xF7}
)

_SILENT = "Error: (0)"
_INVALID_OPERATOR = "Invalid operator"
_INVALID_VALUE = "Invalid value (did you forget quotes)?"
_TOO_LONG = "Operand too long"


class ModernEvent(Event):
    """An event of today: its own fields are looked for first, then those of all events."""

    __slots__ = ()

    def field(self, name: str) -> Field | None:
        for field in (*reversed(self.fields), *GENERIC_FIELDS, *self.common):
            if field.name == name:
                return field
        return None


class ModernEventTable(EventTable):
    """The enter events that a kernel of today has, with its argument names."""

    def _name_event(
        self, call: str, today: str | None, existed: bool, then: str | None
    ) -> str | None:
        return today

    def _decode(self, nr: int) -> Event:
        import json

        call = json.loads(self._lines[nr])
        fields = [Field("__syscall_nr", "int", 8, 4, True, register="nr")]
        for i, argument in enumerate(call["args"]):
            string = argument["type"] in ("char *", "const char *")
            fields.append(
                Field(
                    argument["name"],
                    argument["type"],
                    16 + 8 * i,
                    8,
                    False,
                    kind=POINTER_STRING if string else NUMBER,
                    register=f"a{i}",
                )
            )
        return ModernEvent(
            f"sys_enter_{call['event']}",
            "syscalls",
            FIRST_SYSCALL_EVENT_ID + nr,
            fields,
            nr=nr,
            entry=f"sys_{call['event']}",
            common=COMMON_FIELDS[:4],
        )


def create(event: Event, text: bytes | str) -> EventFilter:
    """The filter that today's kernel makes of ``text``; FilterError, with errno, if it makes none.

    The text ``0`` stands for no filter: everything passes.
    """
    raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text)
    return EventFilter(parse(event, raw))


def parse(event: Event, text: bytes) -> Expression:
    """The expression that ``text`` is; FilterError if it is none.  A page is too long."""
    if len(text) >= PAGE_SIZE:
        raise FilterError(
            "", text, 0, len(text), f"fewer than {PAGE_SIZE} bytes", event=event, caret=None
        )
    text = text.partition(b"\0")[0].rstrip(_SPACES)
    if text.lstrip(_SPACES) == b"0":
        return Expression(event, text, ())
    _check_balance(event, text)
    return _Parser(event, text).parse()


def _check_balance(event: Event, text: bytes) -> None:
    """The kernel's first pass: quotes, parentheses, and whether there is anything at all."""
    quote = 0
    quoted_at = 0
    open_at: list[int] = []
    anything = False
    for position, byte in enumerate(text):
        if byte in _SPACE:
            continue
        if quote:
            if byte == quote:
                quote = 0
            continue
        if byte in b"'\"":
            quote = byte
            quoted_at = position
        elif byte in b"|&" and text[position + 1 : position + 2] == bytes((byte,)):
            continue  # the connective's second byte counts as something
        elif byte in b"(":
            open_at.append(position)
            continue
        elif byte in b")":
            if not open_at:
                raise _error(event, text, "Too few '('", position, errno=EPERM)
            open_at.pop()
            continue
        anything = True
    if quote:
        raise _error(event, text, "Missing matching quote", quoted_at, errno=ESRCH)
    if open_at:
        raise _error(event, text, "Too many '('", _bad_open(text), errno=ENOENT)
    if not anything:
        raise _error(event, text, _SILENT, None)


def _bad_open(text: bytes) -> int:
    """The parenthesis that the kernel blames: from the end, the first without a partner."""
    level = 0
    quote = 0
    for position in range(len(text) - 1, 0, -1):
        byte = text[position]
        if quote:
            if byte == quote:
                quote = 0
        elif byte in b"(":
            if level == 0:
                return position
            level -= 1
        elif byte in b")":
            level += 1
        elif byte in b"'\"":
            quote = byte
    return 0


def _error(
    event: Event,
    text: bytes,
    message: str,
    caret: int | None,
    *,
    at: int | None = None,
    expected: str = "",
    errno: int = EINVAL,
) -> FilterError:
    start = min(at if at is not None else caret or 0, len(text))
    return FilterError(
        message,
        text,
        start,
        min(start + 1, len(text)),
        expected,
        event=event,
        errno=errno,
        caret=caret,
    )


def _signed_number(text: bytes) -> int | None:
    """kstrtoll() of today, which reads ``-0``."""
    is_minus_zero = text.startswith(b"-") and kstrtoll(text[1:]) == 0
    return 0 if is_minus_zero else kstrtoll(text)


class _Parser:
    """The kernel's second pass: predicates and connectives, in the order of the text."""

    def __init__(self, event: Event, text: bytes) -> None:
        self.event = event
        self.text = text
        self.position = 0
        self.output: list[Predicate | str] = []
        self.stack: list[str] = []

    def parse(self) -> Expression:
        while (byte := self._next()) is not None:
            here = self.position
            self.position += 1
            if byte == ord("("):
                self.stack.append("(")
            elif byte == ord("!") and self.text[here + 1 : here + 2] not in (b"=", b"~"):
                self.stack.append(NOT)
            else:
                self._add_predicate(here)
                self._connect()
        return self._finish()

    def _next(self) -> int | None:
        """The next byte that is no space; None at the end."""
        text = self.text
        while self.position < len(text) and text[self.position] in _SPACE:
            self.position += 1
        return text[self.position] if self.position < len(text) else None

    def _add_predicate(self, start: int) -> None:
        reader = _PredicateReader(self.event, self.text, start)
        self.output.append(reader.read())
        self.position = reader.position
        self._pop_nots()

    def _pop_nots(self) -> None:
        while self.stack and self.stack[-1] == NOT:
            self.output.append(self.stack.pop())

    def _connect(self) -> None:
        """What follows a predicate: closing parentheses, then a connective or the end."""
        while (byte := self._next()) is not None:
            here = self.position
            self.position += 1
            if byte == ord(")"):
                while self.stack[-1] != "(":
                    self.output.append(self.stack.pop())
                self.stack.pop()
                self._pop_nots()
                continue
            pair = self.text[here : here + 2]
            if pair not in (b"&&", b"||"):
                raise _error(
                    self.event,
                    self.text,
                    "Too many terms in predicate expression",
                    here,
                    expected="'&&' or '||'",
                    errno=EPERM,
                )
            self.position += 1
            while self.stack and self.stack[-1] != "(" and (pair == b"||" or self.stack[-1] == AND):
                self.output.append(self.stack.pop())
            self.stack.append(OR if pair == b"||" else AND)
            return

    def _finish(self) -> Expression:
        # A connective at the end of the text, also one with a '!', joins nothing and is not missed;
        # but an '||' still waiting for the '&&' after it leaves the kernel's program unfinished.
        if not self.output:
            raise _error(self.event, self.text, "No filter found", len(self.text))
        if not self._is_complete():
            while self.stack and self.stack[-1] == NOT:
                self.stack.pop()
            if self.stack.pop() == AND and self.stack:
                raise _error(self.event, self.text, _SILENT, None)
        self.output.extend(reversed(self.stack))
        return Expression(self.event, self.text, tuple(self.output))

    def _is_complete(self) -> bool:
        predicates = sum(isinstance(element, Predicate) for element in self.output)
        joints = sum(element in (AND, OR) for element in (*self.output, *self.stack))
        return joints < predicates


class _PredicateReader:
    """One predicate: FIELD[.ustring|.function] OPERATOR VALUE, read from ``position`` on."""

    def __init__(self, event: Event, text: bytes, position: int) -> None:
        self.event = event
        self.text = text
        self.start = position
        self.position = position

    def _fail(self, message: str, *, at: int | None = None, expected: str = "") -> NoReturn:
        place = self.position if at is None else at
        # The kernel counts from one byte after the predicate's begin, up to the end of the text.
        caret = min(place + 1, len(self.text))
        raise _error(self.event, self.text, message, caret, at=place, expected=expected)

    def _byte(self) -> int:
        return self.text[self.position] if self.position < len(self.text) else 0

    def _skip(self, of: frozenset[int]) -> None:
        while self._byte() in of and self.position < len(self.text):
            self.position += 1

    def read(self) -> Predicate:
        self._skip(_ALNUM | {ord("_")})
        name_span = Span(self.start, self.position)
        if self.position == self.start:
            raise _error(
                self.event,
                self.text,
                _SILENT,
                None,
                at=self.start,
                expected="a field's name",
                errno=EPERM,
            )
        field = self.event.field(self.text[self.start : self.position].decode("latin-1"))
        if field is None:
            caret = min(self.position + 1, len(self.text))
            error = _error(self.event, self.text, "Field not found", caret)
            error.start, error.end = self.start, self.position
            raise error
        of_function = False
        if self.text.startswith(b".ustring", self.position):
            self.position += len(b".ustring")
        elif self.text.startswith(b".function", self.position):
            self.position += len(b".function")
            of_function = True
        self._skip(_SPACE)
        op = next((o for o in _OPERATORS if self.text.startswith(o, self.position)), None)
        if op is None:
            self._fail(_INVALID_OPERATOR, expected="== != < <= > >= & ~")
        op_span = Span(self.position, self.position + len(op))
        self.position = op_span.end
        self._skip(_SPACE)
        begin = self.position
        if of_function:
            self._function(field, op)
        if self.text.startswith(b"CPUS", self.position):
            return self._cpus(field, op, name_span, op_span)
        if self._byte() in b"'\"" and self.position < len(self.text):
            operand = self._string(field, op)
        elif self._byte() in _DIGITS or self._byte() == ord("-"):
            operand = self._number(field, op)
        else:
            self._fail(_INVALID_VALUE, expected="a number or a quoted string")
        value_span = Span(begin, self.position)
        predicate = Predicate(field, op.decode(), operand, name_span, op_span, value_span)
        if field.kind == NUMBER:
            value = _signed_number(operand) if field.signed else kstrtoull(operand)
            if value is None:
                self._fail("Illegal integer value", at=begin)
            predicate.set_number(value)
        else:
            set_pattern(predicate)
        return predicate

    def _function(self, field: Field, op: bytes) -> NoReturn:
        """``.function`` wants the name or address of a kernel function; this kernel has none."""
        if field.size != 8:
            self._fail("Illegal operation for field type")
        if op not in (b"==", b"!="):
            self._fail(_INVALID_OPERATOR)
        begin = self.position
        if self._byte() in _DIGITS:
            self._skip(_ALNUM)
            if self.position - begin > MAX_NUMBER:
                self._fail(_TOO_LONG)
            if kstrtoull(self.text[begin : self.position]) is None:
                self._fail(_INVALID_VALUE)
        else:
            while self.position < len(self.text) and self._byte() not in _SPACE:
                self.position += 1
        self._fail("Function not found")

    def _string(self, field: Field, op: bytes) -> bytes:
        if op not in (b"==", b"!=", b"~"):
            self._fail("Illegal operation for field type")
        if field.kind == NUMBER:
            self._fail("Expecting numeric field")
        begin = self.position + 1
        end = self.text.find(self.text[self.position], begin)
        if end < 0:
            self.position = len(self.text)
            self._fail("Missing matching quote")
        self.position = end
        if end - begin > MAX_STRING:
            self._fail(_TOO_LONG)
        self.position = end + 1
        return self.text[begin:end]

    def _number(self, field: Field, op: bytes) -> bytes:
        if field.kind != NUMBER:
            self._fail("Expecting string field")
        if op == b"~":
            self._fail("Illegal operation for field type")
        begin = self.position
        if self._byte() == ord("-"):
            self.position += 1
        self._skip(_ALNUM)
        if self.position - begin > MAX_NUMBER:
            self._fail(_TOO_LONG)
        return self.text[begin : self.position]

    def _cpus(self, field: Field, op: bytes, name_span: Span, op_span: Span) -> Predicate:
        """``CPUS{list}``: only single CPUs, which compare as their number."""
        begin = self.position
        if field.kind != NUMBER or op not in (b"==", b"!=", b"&"):
            self._fail("Illegal operation for field type")
        self.position += len(b"CPUS")
        if self._byte() != ord("{"):
            self.position += 1
            self._fail("Missing '{'")
        listed = self.position + 1
        end = self.text.find(b"}", listed)
        if end < 0:
            self.position = len(self.text)
            self._fail("Missing '}'")
        self.position = end
        digits = self.text[listed:end]
        if not digits.isdigit() or int(digits[:8]) != 0:
            self._fail("Invalid cpulist", expected="the number of a CPU; there is CPU 0 only")
        self.position = end + 1
        # The kernel compares a list of one CPU as that CPU's number, and takes '&' for "is in".
        shown = "==" if op == b"&" else op.decode()
        span = Span(begin, self.position)
        predicate = Predicate(field, shown, self.text[begin : end + 1], name_span, op_span, span)
        predicate.set_number(int(digits))
        return predicate
