"""What is doubtful about a filter that the kernel takes.

A filter compares whole 64-bit registers, but a call whose parameter is an ``int`` looks at the
low half only. ``fd != 3`` lets 0x100000003 pass, which the call then takes for 3.  The kernel
has that hole; a person should know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emukernel.ftrace.expression import OR, Span
from emukernel.ftrace.region import REGISTERS, TOP, Regions, anything, exactly
from emukernel.ftrace.tree import Part, superfluous, tree

if TYPE_CHECKING:
    from emukernel.ftrace.expression import Predicate
    from emukernel.ftrace.filter import EventFilter
    from emukernel.ftrace.region import Region

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
_SIGNED_LONGS = frozenset(("long", "off_t", "loff_t", "ssize_t", "s64", "__s64"))

# What a Note is about.
IGNORED, CONSTANT, CONTRADICTION, TAUTOLOGY, SUPERFLUOUS, CUT, SIGN, TRUNCATION = (
    "ignored-operand",
    "constant-field",
    "contradiction",
    "tautology",
    "superfluous",
    "discarded-bits",
    "sign-extension",
    "truncation",
)


class Note:
    """A remark: one line of ``message`` on the ``span`` of the filter's text; ``rule`` is one of
    the constants above."""

    __slots__ = ("message", "rule", "span")

    def __init__(self, rule: str, message: str, span: Span) -> None:
        self.rule = rule
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
    nr = filter.event.nr
    if nr is None:
        return []
    found = [
        Note(IGNORED, "the kernel ignores this: no operator takes it", span)
        for span in filter.expression.ignored
    ]
    for predicate in filter.predicates:
        if predicate.field.register is None:
            message = f"{predicate.field.name} is always 0 when a system call is checked"
            found.append(Note(CONSTANT, message, predicate.span))
        elif predicate.field.register == "nr":
            message = f"nr is always {nr} here: the entry is asked for {filter.event.title} only"
            found.append(Note(CONSTANT, message, predicate.span))
    regions = Regions()
    try:
        region = regions.of(filter.expression)
        root = tree(filter.expression)
    except ValueError:
        # Of another dialect of the language, which has `!` and `&`.
        return found
    found += _logic(filter, regions, region, root)
    found += _widths(filter, regions, region)
    found += _negatives(filter, regions, region)
    return sorted(found, key=lambda note: note.span.start)


# -- expressions that say less than they seem to ---------------------------------------------


def _logic(filter: EventFilter, regions: Regions, region: Region, root: Part) -> list[Note]:
    if region is False:
        return [Note(CONTRADICTION, f"no call can pass this{_why_none(root)}", root.span)]
    if region is True:
        return [Note(TAUTOLOGY, f"every call passes this{_why_all(root)}", root.span)]
    nr = filter.event.nr or 0
    found = []
    for part in superfluous(root, regions, nr):
        alone = part.region(regions, nr)
        if any(predicate.field.register in (None, "nr") for predicate in _predicates(part)):
            continue
        if alone is True:
            reason = "it is always true"
        elif alone is False:
            reason = f"it is never true{_why_none(part)}"
        else:
            reason = "the rest says so already"
        found.append(Note(SUPERFLUOUS, f"without effect: {reason}", part.span))
    return found


def _predicates(part: Part) -> list[Predicate]:
    if part.predicate is not None:
        return [part.predicate]
    return [predicate for below in part.parts for predicate in _predicates(below)]


def _why_none(part: Part) -> str:
    for predicate in _predicates(part):
        if predicate.op == "<" and predicate.constant == 0:
            return f": arguments are compared unsigned, and none is below 0 ({predicate})"
    return ""


def _why_all(part: Part) -> str:
    """`fd != 1 || fd != 2`: what was meant."""
    differ = [p for p in _predicates(part) if p.op == "!="]
    for p in differ:
        if part.op == OR and any(p.field is q.field and p.constant != q.constant for q in differ):
            return f": any {p.field.name} differs from one of them (&& was meant?)"
    for p in _predicates(part):
        if p.op == ">=" and p.constant == 0:
            return f": arguments are compared unsigned, and none is below 0 ({p})"
    return ""


# -- 64 bits compared, fewer looked at ---------------------------------------------------------


def _widths(filter: EventFilter, regions: Regions, region: Region) -> list[Note]:
    found = []
    reported: set[str] = set()
    for predicate in filter.predicates:
        field = predicate.field
        if field.register in (None, "nr"):
            continue
        bits = type_bits(field.type)
        if bits == 64:
            continue
        message, rule = _never_seen(predicate, bits), CUT
        if message is None:
            message, rule = _sign_forms(filter, predicate), SIGN
        if message is None and field.name not in reported:
            found_hole = hole(regions, region, int(str(field.register)[1:]), bits)
            if found_hole is not None:
                reported.add(field.name)
                low = found_hole[int(str(field.register)[1:])]
                high = passing(regions, region, found_hole, int(str(field.register)[1:]), bits)
                rule = TRUNCATION
                message = (
                    f"{field.name} is compared as 64 bits, but the call takes the low {bits} "
                    f"({field.type}): {high:#x} passes and the call sees {_number(low)}"
                )
        if message is not None:
            found.append(Note(rule, message, predicate.span))
    return found


def _negatives(filter: EventFilter, regions: Regions, region: Region) -> list[Note]:
    """`pid > 0`: numbers below zero are the greatest of all."""
    found = []
    for predicate in filter.predicates:
        field = predicate.field
        type = field.type.removeprefix("const ")
        bits = type_bits(type)
        signed = type in _SIGNED_INTS or type in _SIGNED_LONGS
        if not signed or predicate.op not in (">", ">=") or field.register in (None, "nr"):
            continue
        size = 1 << bits
        if predicate.constant >= size // 2 or region is True:
            continue
        negative = regions.between(int(str(field.register)[1:]), size // 2, size - 1)
        if regions.both(region, negative) is not False:
            message = (
                f"{field.name} is {field.type}, and compared unsigned: -1 is {size - 1:#x} here, "
                f"and passes as greater"
            )
            found.append(Note(SIGN, message, predicate.span))
    return found


def hole(regions: Regions, region: Region, level: int, bits: int) -> list[int] | None:
    """The six registers of a call that does not pass, although it would with other bits above the
    low `bits` of register `level`, at which the call does not look. None if there is none.

    The two usual ways to pass a negative number, with zeros or ones above it, don't count as other
    bits: C programs do both.
    """
    size = 1 << bits
    low = regions.between(level, 0, size - 1)
    negative = regions.both(region, regions.between(level, TOP - size // 2 + 1, TOP))
    usual = regions.either(regions.both(region, low), regions.fold(negative, level, bits))
    refused = regions.both(regions.fold(region, level, bits), regions.invert(usual))
    return regions.pick(refused, [anything] * REGISTERS)


def passing(regions: Regions, region: Region, args: list[int], level: int, bits: int) -> int:
    """The smallest register `level` that lets a call pass of which `hole` says so."""
    size = 1 << bits
    want = [exactly(value) for value in args]

    def congruent(low: int, high: int) -> int | None:
        found = low + (args[level] - low) % size
        return found if found <= high else None

    want[level] = congruent
    picked = regions.pick(region, want)
    assert picked is not None
    return picked[level]


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
    if predicate.op not in ("==", "!=") or not _is_negative(predicate):
        return None
    low = predicate.constant & 0xFFFFFFFF
    other = low if predicate.constant >> 32 else low | 0xFFFFFFFF00000000
    if any(p.field is predicate.field and p.constant == other for p in filter.predicates):
        return None
    effect = "does not match" if predicate.op == "==" else "lets pass"
    return (
        f"{predicate.field.name} is {predicate.field.type}: {low - (1 << 32)} can also "
        f"come as {other:#x}, which this {effect}"
    )


def _number(value: int) -> str:
    return str(value) if value < 10 else f"{value:#x}"
