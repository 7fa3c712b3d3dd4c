"""The 2.6.39 parser: recorded verdicts and messages, places in the text, any bytes at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from filter_reference import Leaf, Node, leaves, trees
from hypothesis import given
from hypothesis import strategies as st

from emukernel.ftrace import diagnose, events
from emukernel.ftrace import filter as event_filter
from emukernel.ftrace.filter import FilterError
from emukernel.ftrace.notes import notes

VECTORS = Path(__file__).parent.parent / "data" / "filter_parse_vectors.json"
WRITE = events.table().by_name("write")
assert WRITE is not None


def vectors() -> list[dict[str, Any]]:
    return json.loads(VECTORS.read_text(encoding="utf-8"))


def verdict(event: events.Event, text: str | bytes) -> dict[str, Any]:
    try:
        event_filter.create(event, text)
    except FilterError as error:
        assert error.errno_name == "EINVAL"
        assert 0 <= error.start <= error.end <= len(error.text)
        return {"accept": False, "error": error.message}
    return {"accept": True, "error": None}


def error_of(text: str | bytes, event: events.Event = WRITE) -> FilterError:
    with pytest.raises(FilterError) as caught:
        event_filter.create(event, text)
    return caught.value


def test_every_recorded_verdict_and_message_of_2_6_39() -> None:
    table = events.table(ptregs_events=False)
    judged = 0
    for vector in vectors():
        event = table.by_name(vector["event"])
        expected = vector["linux_2_6_39"]
        if expected is None:
            assert event is None, vector
            continue
        assert event is not None, vector
        expected = {"accept": expected["accept"], "error": expected["error"]}
        assert verdict(event, vector["filter"]) == expected, vector
        judged += 1
    assert judged == 1379


def test_renamed_fields_give_the_recorded_verdict() -> None:
    renamed = [vector for vector in vectors() if "filter_2_6_39" in vector]
    assert len(renamed) == 111
    for vector in renamed:
        event = events.table().by_name(vector["event"])
        assert event is not None
        assert verdict(event, vector["filter_2_6_39"])["accept"] == vector["accept"], vector


@given(st.binary(max_size=255) | st.text('fd=1 &|!<>~()"x*\n\xa0', max_size=255))
def test_any_text_is_a_filter_or_a_filter_error(text: bytes | str) -> None:
    try:
        made = event_filter.create(WRITE, text)
    except FilterError as error:
        assert 0 <= error.start <= error.end <= len(error.text)
        lines = diagnose.render(error).split("\n")
        assert len(lines) == 3
        assert all(line.isprintable() for line in lines)
    else:
        for predicate in made.predicates:
            assert 0 <= predicate.span.start < predicate.span.end <= len(made.text)
        assert made.match(1, 0, 0, 0, 0, 0, 0) in (True, False)
        notes(made)


@given(trees({"fd": False, "count": False, "nr": True, "common_pid": True}))
def test_predicates_know_where_they_stand(tree: Leaf | Node) -> None:
    text = tree.text()
    made = event_filter.create(WRITE, text)
    expected = leaves(tree)
    assert len(made.predicates) == len(expected)
    position = 0
    for predicate, leaf in zip(made.predicates, expected, strict=True):
        start = text.index(leaf.text(), position)
        position = start + len(leaf.text())
        source = leaf.text()
        begin = start + len(source) - len(source.lstrip())
        end = start + len(source.rstrip())
        assert (predicate.span.start, predicate.span.end) == (begin, end)
        for span, part in (
            (predicate.field_span, leaf.field),
            (predicate.op_span, leaf.op),
        ):
            assert text[span.start : span.end] == part
        value = text[predicate.value_span.start : predicate.value_span.end]
        assert value == source.strip()[-len(value) :]
        assert (predicate.field.name, predicate.op, predicate.value) == (
            leaf.field,
            leaf.op,
            leaf.value,
        )


@pytest.mark.parametrize(
    ("text", "column", "subject"),
    [
        ("fd = 1", 3, "="),
        ("fd == 1 & count == 2", 8, "&"),
        ("fd == 1)", 7, ")"),
        ("(fd == 1", 0, "("),
        ("(fd == 1) && size == 1", 13, "size"),
        ("fd == 1 && count == 0x", 20, "0x"),
        ('fd ~ "x"', 3, "~"),
        ("fd ==", 3, "=="),
        ("fd == 1 &&", 8, "&&"),
        ("fd == 1 && 2", 11, "2"),
        ("fd", 0, "fd"),
        ("(fd == 1) (count == 2)", 11, "count == 2"),
        ("fd == 1 < 2", 10, "2"),
        ("x" * 300 + " == 1", 0, "x" * 255),
        ("", 0, ""),
    ],
)
def test_errors_point_at_what_is_wrong(text: str, column: int, subject: str) -> None:
    error = error_of(text)
    assert (error.column, error.subject) == (column, subject)


@pytest.mark.parametrize(
    ("value", "signed", "unsigned"),
    [
        ("0", 0, 0),
        ("+1", 1, 1),
        ("-1", -1, None),
        ("-0", None, None),
        ("+-1", None, None),
        ("-+1", None, None),
        ("010", 8, 8),
        ("08", None, None),
        ("0x", None, None),
        ("0XfF", 255, 255),
        ("1_0", None, None),
        ("9223372036854775807", 2**63 - 1, 2**63 - 1),
        ("9223372036854775808", None, 2**63),
        ("-9223372036854775808", -(2**63), None),
        ("-9223372036854775809", None, None),
        ("18446744073709551615", None, 2**64 - 1),
        ("18446744073709551616", None, None),
        ("-18446744073709551615", None, None),
        ('"7\n"', 7, 7),
        ('"7\n\n"', None, None),
        ('"7 "', None, None),
        ("0" * 254 + "7", 7, 7),
    ],
)
def test_numbers(value: str, signed: int | None, unsigned: int | None) -> None:
    for field, expected in (("nr", signed), ("fd", unsigned)):
        if expected is None:
            assert error_of(f"{field} == {value}").message == "Illegal integer value"
        else:
            made = event_filter.create(WRITE, f"{field} == {value}")
            assert made.predicates[0].value == expected


def test_text_is_copied_kept_and_ends_at_nul() -> None:
    source = bytearray(b"fd == 1\0junk")
    made = event_filter.create(WRITE, source)
    source[6:7] = b"2"
    assert made.text == b"fd == 1"
    assert made.match(1, 1, 0, 0, 0, 0, 0)


def test_operands_that_nothing_uses_are_reported() -> None:
    made = event_filter.create(WRITE, "(fd == 1) junk")
    assert [made.text[s.start : s.end] for s in made.expression.ignored] == [b"junk"]
    assert [note.message for note in notes(made)] == [
        "the kernel ignores this: no operator takes it"
    ]


def test_the_message_for_an_unknown_field_lists_the_fields() -> None:
    assert diagnose.reason(error_of("size == 1")) == (
        "Field not found: sys_write has no field 'size'; fields: fd, buf, count"
    )
    assert "did you mean 'count'?" in diagnose.reason(error_of("cuont == 1"))


def test_the_caret_stands_under_the_place() -> None:
    text = "é == \x01 && size == 1".encode()
    start = text.index(b"size")
    line, mark = diagnose.caret(text, start, start + 4)
    assert line[mark.index("^") : mark.rindex("^") + 1] == "size"
    long = b"x" * 1000 + b"here" + b"y" * 1000
    line, mark = diagnose.caret(long, 1000, 1004)
    assert line[mark.index("^") : mark.rindex("^") + 1] == "here"
    assert len(line) <= diagnose.WIDTH


def test_a_slot_takes_one_filter_and_keeps_it_on_errors() -> None:
    slot = event_filter.FilterSlot()
    with pytest.raises(FilterError):
        slot.set(WRITE, "size == 1")
    assert slot.filter is None
    made = slot.set(WRITE.id, "fd == 1")
    assert slot.filter is made
    assert slot.text == b"fd == 1"
    with pytest.raises(FilterError) as caught:
        slot.set(WRITE, "fd == 2")
    assert caught.value.errno_name == "EEXIST"
    assert slot.filter is made
    with pytest.raises(FilterError) as caught:
        slot.set(1, "fd == 2")
    assert caught.value.errno_name == "EINVAL"
    slot.free()
    slot.free()
    assert slot.text is None
    slot.set(WRITE, "fd == 2")


def test_too_many_predicates() -> None:
    assert event_filter.create(WRITE, "||".join(["fd<1"] * 8191)).match(1, 0, 0, 0, 0, 0, 0)
    error = error_of("||".join(["fd<1"] * 8193))
    assert error.message == "Too many terms in predicate expression"
