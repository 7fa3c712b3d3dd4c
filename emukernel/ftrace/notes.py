"""What is doubtful about a filter that the kernel takes.

A filter compares whole 64-bit registers, but a call whose parameter is an ``int`` looks at the
low half only. ``fd != 3`` lets 0x100000003 pass, which the call then takes for 3.  The kernel
has that hole; a person should know.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emukernel.ftrace.events import Field
    from emukernel.ftrace.expression import Predicate, Span
    from emukernel.ftrace.filter import EventFilter

_WIDTHS = {
    16: ("umode_t", "short", "unsigned short", "u16", "__u16", "s16", "__s16"),
    8: ("char", "unsigned char", "u8", "__u8", "s8", "__s8"),
    32: (
        "int",
        "unsigned int",
        "unsigned",
        "key_t",
        "pid_t",
        "mode_t",
        "uid_t",
        "gid_t",
        "qid_t",
        "u32",
        "__u32",
        "s32",
        "__s32",
        "clockid_t",
        "timer_t",
        "mqd_t",
        "key_serial_t",
        "rwf_t",
    ),
}
_BITS = {name: bits for bits, names in _WIDTHS.items() for name in names}
_SIGNED_INTS = frozenset(
    (
        "int",
        "key_t",
        "pid_t",
        "clockid_t",
        "timer_t",
        "mqd_t",
        "key_serial_t",
        "rwf_t",
        "s32",
        "__s32",
    )
)

MAX_TRIALS = 20_000
"""Calls that the search for a hole tries before it gives up and says that there may be one."""


class Note:
    """A remark: one line of ``message`` on the ``span`` of the filter's text."""

    __slots__ = ("message", "span")

    def __init__(self, message: str, span: Span) -> None:
        self.message = message
        self.span = span

    def __repr__(self) -> str:
        return f"<Note {self.span}: {self.message}>"


def type_bits(type: str) -> int:
    """How many bits of its register a parameter of this C type takes; 64 for what is not known
    to be narrower."""
    plain = type.removeprefix("const ")
    return 32 if plain.startswith("enum ") else _BITS.get(plain, 64)


def notes(filter: EventFilter) -> list[Note]:
    """The remarks on a filter of a system call, in the order of its text; [] for other events."""
    if filter.event.nr is None:
        return []
    found = [
        Note("the kernel ignores this: no operator takes it", span)
        for span in filter.expression.ignored
    ]
    reported: set[str] = set()
    for predicate in filter.predicates:
        bits = (
            type_bits(predicate.field.type) if predicate.field.register not in (None, "nr") else 64
        )
        if bits == 64 or predicate.is_string:
            if predicate.field.register is None:
                found.append(
                    Note(
                        f"{predicate.field.name} is always 0 when a system call is checked",
                        predicate.span,
                    )
                )
            continue
        note = _never_seen(predicate, bits) or _sign_forms(filter, predicate)
        if note is None and predicate.field.name not in reported:
            hole = _hole(filter, predicate, bits)
            if hole is not None:
                reported.add(predicate.field.name)
                note = hole
        if note is not None:
            found.append(Note(note, predicate.span))
    return sorted(found, key=lambda note: note.span.start)


def _never_seen(predicate: Predicate, bits: int) -> str | None:
    constant = predicate.constant
    if constant >> bits and predicate.op in ("==", "!=") and not _is_negative(predicate):
        name, type = predicate.field.name, predicate.field.type
        seen = constant & ((1 << bits) - 1)
        return (
            f"{constant:#x} does not fit {name} ({type}, {bits} bits): "
            f"the call takes it as {seen:#x}"
        )
    return None


def _is_negative(predicate: Predicate) -> bool:
    """Whether the constant is a negative number of the parameter's type, extended or not."""
    signed = predicate.field.type.removeprefix("const ") in _SIGNED_INTS
    return signed and predicate.constant >> 31 in (1, 0x1FFFFFFFF)


def _sign_forms(filter: EventFilter, predicate: Predicate) -> str | None:
    if predicate.op != "==" or not _is_negative(predicate):
        return None
    low = predicate.constant & 0xFFFFFFFF
    other = low if predicate.constant >> 32 else low | 0xFFFFFFFF00000000
    if any(p.field is predicate.field and p.constant == other for p in filter.predicates):
        return None
    return (
        f"{predicate.field.name} is {predicate.field.type}: {low - (1 << 32)} can also "
        f"come as {other:#x}, which this does not match"
    )


def _hole(filter: EventFilter, predicate: Predicate, bits: int) -> str | None:
    """A call that passes although the call that the kernel then makes of it would not; None if
    there is none.

    Which predicates hold depends on where each register lies among the constants it is compared
    with, so that trying the constants and their neighbours, with bits above the parameter's and
    without, tries everything.
    """
    field = predicate.field
    mask = (1 << bits) - 1
    arguments = filter.event.arguments
    candidates = [
        [0] if other is field else _candidates(filter.predicates, other) for other in arguments
    ]
    position = arguments.index(field)
    tries = 0
    nr = filter.event.nr or 0
    padding = [0] * (6 - len(arguments))
    lows = _candidates(filter.predicates, field)
    highs = sorted({low & ~mask for low in lows} | {mask + 1, (1 << 64) - 1 - mask})
    for low in sorted({low & mask for low in lows}):
        candidates[position] = [low]
        for call in product(*candidates):
            tries += 1
            if tries > MAX_TRIALS:
                return (
                    f"{field.name} is compared as 64 bits, but the call takes the low {bits} "
                    f"({field.type}): values with higher bits may pass"
                )
            registers = [*call, *padding]
            if filter.match(nr, *registers):
                continue
            for high in highs:
                registers[position] = low | high
                if high and filter.match(nr, *registers):
                    return (
                        f"{field.name} is compared as 64 bits, but the call takes the low {bits} "
                        f"({field.type}): {low | high:#x} passes and the call sees {_number(low)}"
                    )
    return None


def _candidates(predicates: Iterable[Predicate], field: Field) -> list[int]:
    values = {0}
    for predicate in predicates:
        if predicate.field is field:
            values.update((predicate.constant - 1, predicate.constant, predicate.constant + 1))
    return sorted(value for value in values if 0 <= value < 1 << 64)


def _number(value: int) -> str:
    return str(value) if value < 10 else f"{value:#x}"
