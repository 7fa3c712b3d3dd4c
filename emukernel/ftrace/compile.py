"""Expressions compiled to Python code objects.

A system call's filter becomes one function of the number and the six registers, a single
expression if it can be:

    fd == 1 || fd == 2      ->      lambda nr, a0, a1, a2, a3, a4, a5: a0 == 1 or a0 == 2

Constants are folded with what is known of a field: the common fields are zero in the record of
a call, and a field has a range.  Nesting is bounded, as Python's compiler bounds it: what is
deeper is computed into a variable first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emukernel.ftrace.events import DYNAMIC_STRING, NUMBER, POINTER_STRING, STATIC_STRING
from emukernel.ftrace.expression import AND, END, FRONT, FULL, NOT, Predicate, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from emukernel.ftrace.events import Field
    from emukernel.ftrace.expression import Expression

    Match: TypeAlias = Callable[[int, int, int, int, int, int, int], bool]
    Record: TypeAlias = Mapping[str, int | bytes]
    ReadString: TypeAlias = Callable[[int], bytes | None]

PARAMETERS = ("nr", "a0", "a1", "a2", "a3", "a4", "a5")
MAX_DEPTH = 12
"""Parentheses in one Python expression; CPython's parser gives up at 200."""

_MIN_SET = 3  # that many == of one variable in a row are faster as a set


class _Term:
    """A piece of source: a constant, one comparison, or parts joined by ``and`` / ``or``."""

    __slots__ = ("always", "comparison", "depth", "joint", "parts")

    def __init__(
        self,
        parts: list[_Term],
        joint: str,
        *,
        always: bool | None = None,
        comparison: tuple[str, str, int] | str = "",
    ) -> None:
        self.parts = parts
        self.joint = joint
        self.always = always
        self.comparison = comparison
        self.depth = 0


def _constant(value: bool) -> _Term:
    return _Term([], "", always=value)


def compile_match(expression: Expression) -> Match:
    """The function ``match(nr, a0, a1, a2, a3, a4, a5)`` that says whether a system call passes
    the filter.

    ``nr`` is the system call's number (0 to 2^31 - 1), the others its registers as unsigned
    64-bit numbers: the values are not checked, this is the path of every call.  ValueError if
    the event is no system call's.
    """
    if expression.event.nr is None:
        raise ValueError(f"{expression.event.name} is not the event of a system call")
    return _function(expression, ", ".join(PARAMETERS), _register_term)


def compile_record(expression: Expression) -> Callable[[Record], bool]:
    """The function that says whether a record, given as values by field name, passes the filter.

    Fields that are absent are zero or empty; numbers are cut to their field, strings are bytes
    without NUL.  A ``char *`` field given as a number is a pointer that can't be followed.
    """
    test, fields = _compile_values(expression)

    def match(record: Record) -> bool:
        return test([_from_mapping(field, record) for field in fields])

    return match


def compile_bytes(expression: Expression) -> Callable[[bytes, ReadString | None], bool]:
    """The function that says whether a record, given as its bytes in memory (little endian),
    passes the filter.

    Its second argument reads the NUL-terminated string at an address, for ``char *`` fields, or
    gives None; without it no pointer can be followed.  What lies beyond the record is zero.
    """
    test, fields = _compile_values(expression)

    def match(record: bytes, read_string: ReadString | None = None) -> bool:
        return test([_from_bytes(field, record, read_string) for field in fields])

    return match


def string_test(predicate: Predicate) -> Callable[[bytes | None], bool]:
    """The string predicate as a function of the field's bytes: all of a static array, or a
    string with its NUL; None where a pointer can't be followed, which is never a match.

    As in 2.6.39, a pattern at the end is compared with what stands before the last byte of the
    *array*: on a static field it matches only a text that fills it.  And a pattern anywhere is
    sought behind the first NUL too.
    """
    pattern, inverted = predicate.pattern, predicate.inverted
    length = len(pattern)
    if predicate.matching == FULL:

        def matches(memory: bytes) -> bool:
            string, nul, _ = memory.partition(b"\0")
            return string == (pattern if nul else pattern[: len(memory)])
    elif predicate.matching == FRONT:

        def matches(memory: bytes) -> bool:
            return memory.partition(b"\0")[0].startswith(pattern)
    elif predicate.matching == END:

        def matches(memory: bytes) -> bool:
            return len(memory) > length and memory[:-1].endswith(pattern)
    else:

        def matches(memory: bytes) -> bool:
            return pattern in memory

    return lambda memory: memory is not None and matches(memory) is not inverted


def compare(predicate: Predicate, value: int) -> bool:
    """The numeric predicate for a field that holds ``value`` (cut to the field)."""
    value, constant = cut(value, predicate.field), predicate.constant
    op = predicate.op
    if op == "&":
        return value & constant != 0
    if op in ("==", "!="):
        return (value == constant) is (op == "==")
    if op in ("<", "<="):
        return value < constant or (op == "<=" and value == constant)
    return value > constant or (op == ">=" and value == constant)


def _function(
    expression: Expression,
    parameters: str,
    term: Callable[[Predicate, dict[str, object]], _Term],
) -> Callable[..., bool]:
    names: dict[str, object] = {"__builtins__": {}}
    statements: list[str] = []
    result = _join(expression, term, names, statements)
    body = "".join(f" {statement}\n" for statement in statements)
    source = f"def match({parameters}):\n{body} return {_source(result)}\n"
    exec(compile(source, f"<filter of {expression.event.title}>", "exec"), names)
    match: Callable[..., bool] = names["match"]  # type: ignore[assignment]
    return match


def _join(
    expression: Expression,
    term: Callable[[Predicate, dict[str, object]], _Term],
    names: dict[str, object],
    statements: list[str],
) -> _Term:
    stack: list[_Term] = []
    for element in expression.postfix:
        if isinstance(element, Predicate):
            stack.append(term(element, names))
        elif element == NOT:
            stack.append(_negate(stack.pop()))
        else:
            right = stack.pop()
            stack[-1] = _connect(stack[-1], right, "and" if element == AND else "or", statements)
    return stack.pop() if stack else _constant(True)


def _connect(left: _Term, right: _Term, joint: str, statements: list[str]) -> _Term:
    # A constant decides the connective or drops out of it: predicates have no effects
    # besides their value.
    for one, other in ((left, right), (right, left)):
        if one.always is not None:
            return one if one.always is (joint == "or") else other
    if left.joint == joint:
        joined = left
    else:
        joined = _Term([left], joint)
        joined.depth = left.depth + 1
    if right.joint == joint:
        joined.parts.extend(right.parts)
        joined.depth = max(joined.depth, right.depth)
    else:
        joined.parts.append(right)
        joined.depth = max(joined.depth, right.depth + 1)
    if joined.depth > MAX_DEPTH:
        name = f"t{len(statements)}"
        statements.append(f"{name} = {_source(joined)}")
        return _Term([], "", comparison=name)
    return joined


def _negate(term: _Term) -> _Term:
    if term.always is not None:
        return _constant(not term.always)
    if term.joint == "not":
        return term.parts[0]
    negated = _Term([term], "not")
    negated.depth = term.depth + 1
    return negated


def _source(term: _Term) -> str:
    if term.always is not None:
        return str(term.always)
    if isinstance(term.comparison, tuple):
        variable, op, constant = term.comparison
        return f"{variable} & {constant} != 0" if op == "&" else f"{variable} {op} {constant}"
    if term.comparison:
        return term.comparison
    if term.joint == "not":
        return f"not ({_source(term.parts[0])})"
    pieces: list[str] = []
    run: list[_Term] = []
    run_key = ("", "")
    for part in term.parts:
        key = _set_key(part, term.joint)
        if run and key != run_key:
            _flush(run, run_key, pieces)
        if key is None:
            pieces.append(f"({_source(part)})" if part.joint else _source(part))
        else:
            run.append(part)
            run_key = key
    _flush(run, run_key, pieces)
    return f" {term.joint} ".join(pieces)


def _set_key(part: _Term, joint: str) -> tuple[str, str] | None:
    """The (variable, operator) of a comparison that can be one of a set's: == under ``or``, !=
    under ``and``."""
    if isinstance(part.comparison, tuple) and part.comparison[1] == (
        "==" if joint == "or" else "!="
    ):
        return part.comparison[0], part.comparison[1]
    return None


def _flush(run: list[_Term], key: tuple[str, str], pieces: list[str]) -> None:
    if len(run) >= _MIN_SET:
        constants = ", ".join(str(part.comparison[2]) for part in run)
        pieces.append(f"{key[0]} {'in' if key[1] == '==' else 'not in'} {{{constants}}}")
    else:
        pieces.extend(_source(part) for part in run)
    run.clear()


def _register_term(predicate: Predicate, names: dict[str, object]) -> _Term:
    del names
    field = predicate.field
    if predicate.is_string:
        if field.kind == POINTER_STRING and field.register is not None:
            memory = None
        else:
            memory = bytes(field.size) if field.kind == STATIC_STRING else b"\0"
        return _constant(string_test(predicate)(memory))
    if field.register is None:
        return _constant(compare(predicate, 0))
    return _number_term(predicate, field.register)


def _number_term(predicate: Predicate, variable: str) -> _Term:
    """A comparison, or a constant where the field's range decides it."""
    field, constant, op = predicate.field, predicate.constant, predicate.op
    low = -(1 << (8 * field.size - 1)) if field.signed else 0
    high = low + (1 << (8 * field.size)) - 1
    if (op == ">=" and constant == low) or (op == "<=" and constant == high):
        return _constant(True)
    if (
        (op == "<" and constant == low)
        or (op == ">" and constant == high)
        or (op == "&" and constant == 0)
    ):
        return _constant(False)
    return _Term([], "", comparison=(variable, op, constant))


def _compile_values(
    expression: Expression,
) -> tuple[Callable[[list[int | bytes | None]], bool], list[Field]]:
    fields: dict[Field, str] = {}

    def term(predicate: Predicate, names: dict[str, object]) -> _Term:
        variable = fields.setdefault(predicate.field, f"values[{len(fields)}]")
        if not predicate.is_string:
            return _number_term(predicate, variable)
        name = f"string{len(names)}"
        names[name] = string_test(predicate)
        return _Term([], "", comparison=f"{name}({variable})")

    return _function(expression, "values", term), list(fields)


def _from_mapping(field: Field, record: Record) -> int | bytes | None:
    value = record.get(field.name, b"" if field.kind != NUMBER else 0)
    if field.kind == NUMBER:
        if not isinstance(value, int):
            raise TypeError(f"field {field.name} is a number, not {value!r}")
        return cut(value, field)
    if field.kind == POINTER_STRING and isinstance(value, int):
        return None
    if not isinstance(value, bytes):
        raise TypeError(f"field {field.name} is a string, not {value!r}")
    return (
        value[: field.size].ljust(field.size, b"\0")
        if field.kind == STATIC_STRING
        else value + b"\0"
    )


def _from_bytes(field: Field, record: bytes, read_string: ReadString | None) -> int | bytes | None:
    memory = record[field.offset : field.offset + field.size].ljust(field.size, b"\0")
    if field.kind == NUMBER:
        return int.from_bytes(memory, "little", signed=field.signed)
    if field.kind == STATIC_STRING:
        return memory
    word = int.from_bytes(memory, "little")
    if field.kind == DYNAMIC_STRING:
        offset, length = word & 0xFFFF, word >> 16 & 0xFFFF
        return record[offset : offset + length].ljust(length, b"\0")
    string = read_string(word) if read_string is not None else None
    return None if string is None else string + b"\0"
