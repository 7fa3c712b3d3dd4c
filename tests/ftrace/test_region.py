"""Sets of calls: their answers against the engine's own, on random expressions."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emukernel.ftrace import events
from emukernel.ftrace.filter import create
from emukernel.ftrace.notes import hole, passing
from emukernel.ftrace.region import TOP, Regions, contains, exactly, low_bits
from emukernel.ftrace.tree import superfluous, tree

OPENAT = events.table().by_nr(257)
FIELDS = ("dfd", "filename", "flags")
CONSTANTS = (0, 1, 2, 3, 0xFFFFFFFF, 1 << 32, (1 << 32) + 2, TOP - 1, TOP)

predicates = st.builds(
    "{} {} {}".format,
    st.sampled_from((*FIELDS, "nr", "common_pid")),
    st.sampled_from(("==", "!=", "<", "<=", ">", ">=")),
    st.sampled_from(CONSTANTS[:5]),
) | st.builds(
    "{} {} {:#x}".format,
    st.sampled_from(FIELDS),
    st.sampled_from(("==", "!=", "<", "<=", ">", ">=")),
    st.sampled_from(CONSTANTS),
)
expressions = st.recursive(
    predicates,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(("&&", "||")), inner),
    max_leaves=6,
)

#: Where the verdict of an expression over CONSTANTS can change, and the places between.
CRITICAL = sorted({v + n for v in CONSTANTS for n in (-1, 0, 1) if 0 <= v + n <= TOP})
CALLS = [(a, b, c, 0, 0, 0) for a, b, c in product(CRITICAL[::2], CRITICAL[::3], CRITICAL)]


def parse(text: str):  # type: ignore[no-untyped-def]
    assert OPENAT is not None
    return create(OPENAT, text)


@given(expressions)
@settings(max_examples=120)
def test_a_region_is_what_the_engine_lets_pass(text: str) -> None:
    made = parse(text)
    region = Regions().of(made.expression)
    passed = [made.match(257, *call) for call in CALLS]
    assert [contains(region, call) for call in CALLS] == passed
    if region is True:
        assert all(passed)
    if region is False:
        assert not any(passed)


@given(expressions, expressions)
@settings(max_examples=150)
def test_regions_of_equal_expressions_are_one(one: str, other: str) -> None:
    regions = Regions()
    a, b = regions.of(parse(one).expression), regions.of(parse(other).expression)
    assert regions.both(a, b) is regions.of(parse(f"({one}) && ({other})").expression)
    assert regions.either(a, b) is regions.of(parse(f"({one}) || ({other})").expression)
    assert regions.invert(regions.invert(a)) is a
    assert regions.both(a, regions.invert(a)) is False
    match_one, match_other = parse(one).match, parse(other).match
    implied = all(match_other(257, *call) for call in CALLS if match_one(257, *call))
    # The calls have every value that a constant singles out, so that a difference shows in them.
    full = [tuple(call) for call in product(CRITICAL, repeat=2)]
    if regions.implies(a, b):
        assert implied
        assert all(
            match_other(257, x, 0, y, 0, 0, 0) for x, y in full if match_one(257, x, 0, y, 0, 0, 0)
        )


@given(expressions)
@settings(max_examples=150)
def test_what_is_picked_passes_and_nothing_is_picked_of_nothing_only(text: str) -> None:
    made = parse(text)
    regions = Regions()
    region = regions.of(made.expression)
    picked = regions.pick(region, [lambda low, high: low] * 6)
    assert (picked is None) is (region is False)
    if picked is not None:
        assert made.match(257, *picked)


@given(expressions, st.sampled_from((0, 1, 2, 3, 0xFFFFFF9C)))
@settings(max_examples=150)
def test_registers_whose_low_half_is_given(text: str, value: int) -> None:
    made = parse(text)
    regions = Regions()
    region = regions.of(made.expression)
    wants = [low_bits(value, 32), exactly(2), exactly(1), exactly(0), exactly(0), exactly(0)]
    picked = regions.pick(region, wants)
    folded = regions.fold(region, 0, 32)
    assert (picked is not None) is contains(folded, (value, 2, 1, 0, 0, 0))
    if picked is not None:
        assert picked[0] & 0xFFFFFFFF == value
        assert made.match(257, *picked)
    else:
        for high in (0, 1, 2, 0xFFFFFFFF):
            assert not made.match(257, value | high << 32, 2, 1, 0, 0, 0)


@given(expressions)
@settings(max_examples=150)
def test_holes_are_holes(text: str) -> None:
    made = parse(text)
    regions = Regions()
    region = regions.of(made.expression)
    found = hole(regions, region, 0, 32)
    if found is None:
        for call in CALLS:
            low = call[0] & 0xFFFFFFFF
            usual = [low] + ([low | 0xFFFFFFFF00000000] if low >> 31 else [])
            if made.match(257, *call):
                assert any(made.match(257, form, *call[1:]) for form in usual)
    else:
        assert found[0] < 1 << 32 and not made.match(257, *found)
        register = passing(regions, region, found, 0, 32)
        assert register & 0xFFFFFFFF == found[0]
        assert made.match(257, register, *found[1:])


@given(expressions)
@settings(max_examples=150)
def test_an_expression_without_its_superfluous_parts_is_the_same(text: str) -> None:
    made = parse(text)
    regions = Regions()
    root = tree(made.expression)
    parts = superfluous(root, regions, 257)
    shorter = root.text(parts)
    assert regions.of(parse(shorter).expression) is regions.of(made.expression)
    if parts and regions.of(made.expression) not in (True, False):
        assert len(shorter) < len(root.text())
    # Nothing of what is left can be cut.
    assert not superfluous(tree(parse(shorter).expression), regions, 257) or isinstance(
        regions.of(made.expression), bool
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("dfd == 1 || dfd == 2", []),
        ("dfd == 1 || dfd == 2 || dfd == 1", ["dfd == 1"]),
        ("dfd == 1 && (dfd == 1 || dfd == 2)", ["dfd == 1 || dfd == 2"]),
        ("dfd > 3 && dfd > 5", ["dfd > 3"]),
        ("dfd == 7 || dfd > 3 && dfd < 2", ["dfd > 3 && dfd < 2"]),
        ("dfd >= 0 && flags == 0", ["dfd >= 0"]),
    ],
)
def test_superfluous_parts_by_their_text(text: str, parts: list[str]) -> None:
    made = parse(text)
    found = superfluous(tree(made.expression), Regions(), 257)
    assert [text[part.span.start : part.span.end] for part in found] == parts


def test_a_region_is_made_of_a_call_of_2_6_39_only() -> None:
    from emukernel.ftrace.events import Event
    from emukernel.ftrace.filter import EventFilter
    from emukernel.ftrace.modern import parse as modern

    assert OPENAT is not None
    negated = EventFilter(modern(OPENAT, b"!(flags == 3)"))
    assert contains(Regions().of(negated.expression), (0, 0, 2, 0, 0, 0))
    with pytest.raises(ValueError, match="no set for the operator &"):
        Regions().of(EventFilter(modern(OPENAT, b"flags & 3")).expression)
    other = create(Event("other", "test", 9000, OPENAT.fields), "flags == 1")
    with pytest.raises(ValueError, match="not the event of a system call"):
        Regions().of(other.expression)
