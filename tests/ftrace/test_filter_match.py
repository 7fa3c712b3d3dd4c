"""What filters let pass: recorded calls, generated filters, other fields than a call's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from filter_reference import SIGNED, UNSIGNED, Leaf, Node, evaluate, trees
from hypothesis import given
from hypothesis import strategies as st

from emukernel.ftrace import events
from emukernel.ftrace import filter as event_filter
from emukernel.ftrace.events import Event, Field
from emukernel.ftrace.notes import notes, type_bits

DATA = Path(__file__).parent.parent / "data"
TABLE = events.table()


def event_of(name: str) -> Event:
    event = TABLE.by_name(name)
    assert event is not None
    return event


WRITE = event_of("write")
OTHER = Event(
    "other",
    "test",
    40,
    [
        Field("u8", "u8", 12, 1, False),
        Field("s8", "s8", 13, 1, True),
        Field("u16", "u16", 14, 2, False),
        Field("s16", "s16", 16, 2, True),
        Field("u32", "u32", 20, 4, False),
        Field("s32", "s32", 24, 4, True),
        Field("u64", "u64", 32, 8, False),
        Field("s64", "s64", 40, 8, True),
        Field("odd", "u8[3]", 48, 3, False),
        Field("comm", "char[16]", 51, 16, False, kind=events.STATIC_STRING),
        Field("file", "__data_loc char[]", 68, 4, False, kind=events.DYNAMIC_STRING),
        Field("path", "const char *", 72, 8, False, kind=events.POINTER_STRING),
    ],
)
NUMBERS = {
    "u8": False,
    "s8": True,
    "u16": False,
    "s16": True,
    "u32": False,
    "s32": True,
    "u64": False,
    "s64": True,
}


def vectors(name: str) -> list[dict[str, Any]]:
    """The records for 2.6.39: those that say so, and those that were put into its words."""
    records = json.loads((DATA / name).read_text(encoding="utf-8"))
    return [
        {**record, "filter": record.get("filter_2_6_39", record["filter"])}
        for record in records
        if not record["modern_only"] or "filter_2_6_39" in record
    ]


def test_every_recorded_call() -> None:
    records = vectors("filter_eval_vectors.json")
    assert len(records) == 3210
    for record in records:
        made = event_filter.create(event_of(record["event"]), record["filter"])
        registers = record["args"] + [0] * (6 - len(record["args"]))
        assert made.match(record["nr"], *registers) is record["match"], record
        assert made.explain(record["nr"], record["args"]).match is record["match"], record


def test_every_recorded_call_with_common_fields() -> None:
    records = vectors("filter_eval_common_vectors.json")
    assert len(records) == 73
    for record in records:
        event = event_of(record["event"])
        made = event_filter.create(event, record["filter"])
        values = {**record["common"], "nr": record["nr"]}
        values |= zip((field.name for field in event.arguments), record["args"], strict=True)
        assert made.match_record(values) is record["match"], record
        explained = made.explain(record["nr"], record["args"], record["common"])
        assert explained.match is record["match"], record


REGISTERS = st.lists(UNSIGNED, min_size=6, max_size=6)


@given(
    trees({"fd": False, "buf": False, "count": False, "nr": True, "common_pid": True}, 20),
    REGISTERS,
)
def test_compiled_as_the_reference(tree: Leaf | Node, registers: list[int]) -> None:
    made = event_filter.create(WRITE, tree.text())
    record = {
        "fd": (registers[0], 64, False),
        "buf": (registers[1], 64, False),
        "count": (registers[2], 64, False),
        "nr": (1, 32, True),
        "common_pid": (0, 32, True),
    }
    expected = evaluate(tree, record)
    assert made.match(1, *registers) is expected
    explained = made.explain(1, registers)
    assert explained.match is expected
    assert set(explained.because) <= set(explained.outcomes)
    assert len(explained.outcomes) == len(made.predicates)


@given(
    trees({"fd": False, "count": False}, 30), st.lists(st.integers(0, 6), min_size=2, max_size=2)
)
def test_compiled_as_the_reference_on_small_numbers(tree: Leaf | Node, values: list[int]) -> None:
    made = event_filter.create(WRITE, tree.text())
    record = {"fd": (values[0], 64, False), "count": (values[1], 64, False)}
    assert made.match(1, values[0], 0, values[1], 0, 0, 0) is evaluate(tree, record)


@given(trees(NUMBERS, 12), st.lists(SIGNED | UNSIGNED, min_size=8, max_size=8))
def test_records_with_fields_of_all_sizes(tree: Leaf | Node, values: list[int]) -> None:
    made = event_filter.create(OTHER, tree.text())
    by_name = dict(zip(NUMBERS, values, strict=True))
    record = {name: (by_name[name], int(name[1:]), NUMBERS[name]) for name in NUMBERS}
    expected = evaluate(tree, record)
    assert made.match_record(by_name) is expected
    memory = bytearray(80)
    for field in OTHER.fields[:8]:
        value = by_name[field.name] % (1 << 8 * field.size)
        memory[field.offset : field.offset + field.size] = value.to_bytes(field.size, "little")
    assert made.match_bytes(bytes(memory)) is expected


@pytest.mark.parametrize(("depth", "left"), [(40, True), (40, False), (600, True), (600, False)])
def test_deep_nesting(depth: int, left: bool) -> None:
    text, expected = "fd == 0", True
    for level in range(depth):
        joint = ("&&", "||")[level % 2]
        text = f"({text}{joint}fd=={level})" if left else f"(fd=={level}{joint}{text})"
        expected = (expected and level == 0) if level % 2 == 0 else (expected or level == 0)
    made = event_filter.create(WRITE, text)
    assert made.match(1, 0, 0, 0, 0, 0, 0) is expected
    parens = event_filter.create(WRITE, "(" * 2000 + "fd == 1" + ")" * 2000)
    assert parens.match(1, 1, 0, 0, 0, 0, 0) is True


def test_explanations_name_the_predicates_that_decide() -> None:
    made = event_filter.create(WRITE, "(fd == 1 || fd == 2) && count < 10")

    def because(*registers: int) -> list[tuple[str, int | bytes]]:
        explained = made.explain(1, registers)
        return [(str(outcome.predicate), outcome.value) for outcome in explained.because]

    assert because(2, 0, 5) == [("fd == 2", 2), ("count < 10", 5)]
    assert because(3, 0, 5) == [("fd == 1", 3), ("fd == 2", 3)]
    assert because(1, 0, 50) == [("count < 10", 50)]


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ('comm == "bash"', b"bash", True),
        ('comm == "bas"', b"bash", False),
        ("comm == bash", b"bash", True),
        ("comm != bash", b"bash", False),
        ("comm != bash", b"zsh", True),
        ("comm ~ ba*", b"bash", True),
        ("comm ~ ba*", b"abash", False),
        ("comm ~ *as*", b"bash", True),
        ("comm ~ *sa*", b"bash", False),
        ("comm ~ bash", b"bash", True),
        ('comm ~ "!ba*"', b"bash", False),
        ('comm ~ "!ba*"', b"zsh", True),
        ('comm ~ "*"', b"", True),
        ('comm ~ "*sh"', b"bash", False),  # the array's end is compared, not the text's
        ('comm ~ "*klm"', b"abcdefghiklm", False),
        ('comm ~ "*lmn"', b"abcdefghijjklmn", True),
        ("comm == 0123456789abcdefXYZ", b"0123456789abcdef", True),  # only 16 bytes are compared
        ('file == "a b"', b"a b", True),
        ('file ~ "*.txt"', b"x.txt", True),
        ('file ~ "*.txt"', b"x.txt~", False),
        ('file ~ "a*z"', b"a", True),  # what follows a star is dropped
        ('path == "/etc/passwd"', b"/etc/passwd", True),
        ('path ~ "/etc/*"', b"/etc/passwd", True),
        ('path ~ "/etc/*"', b"/usr", False),
    ],
)
def test_strings(text: str, value: bytes, expected: bool) -> None:
    made = event_filter.create(OTHER, text)
    name = made.predicates[0].field.name
    assert made.match_record({name: value}) is expected
    memory = bytearray(80)
    field = made.predicates[0].field
    if name == "comm":
        memory[field.offset : field.offset + len(value)] = value
    elif name == "file":
        memory += value + b"\0"
        memory[68:72] = (80 | (len(value) + 1) << 16).to_bytes(4, "little")
    else:
        memory[72:80] = (0x1000).to_bytes(8, "little")
    strings = {0x1000: value}
    assert made.match_bytes(bytes(memory), strings.__getitem__) is expected


@pytest.mark.parametrize("op", ["==", "!=", "~"])
def test_a_pointer_that_cannot_be_followed_is_no_match(op: str) -> None:
    made = event_filter.create(OTHER, f"path {op} x")
    assert made.match_record({"path": 0x1000}) is False
    assert made.match_bytes(bytes(80)) is False
    assert made.match_bytes(bytes(80), lambda address: None) is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("comm < x", "Illegal operation for field type"),
        ("u8 ~ 1", "Illegal operation for field type"),
        ("odd == 1", "Invalid operator"),
        ('path != ""', "Missing field name and/or value"),
    ],
)
def test_refused_for_the_fields_type(text: str, message: str) -> None:
    with pytest.raises(event_filter.FilterError) as caught:
        event_filter.create(OTHER, text)
    assert caught.value.message == message


def test_other_events_have_no_call_to_match() -> None:
    with pytest.raises(ValueError, match="not the event of a system call"):
        _ = event_filter.create(OTHER, "u8 == 1").match


@pytest.mark.parametrize(
    ("text", "witness"),
    [
        ("fd != 3", "0x100000003"),
        ("fd > 3", "0x100000000"),
        ("fd != 3 && count > 10", "0x100000003"),
        ("fd == 1", None),
        ("fd <= 3", None),
        ("fd != 3 && fd < 100", None),
        ("fd != 3 && fd <= 0xffffffff", None),
        ("count != 3", None),  # size_t takes the whole register
        ("fd == 0x100000001", "0x1"),
    ],
)
def test_truncation_holes_are_found(text: str, witness: str | None) -> None:
    found = [note.message for note in notes(event_filter.create(WRITE, text))]
    if witness is None:
        assert found == []
    else:
        assert any(witness in message for message in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fd > 3 && fd < 2", "no call can pass this"),
        ("fd != 1 || fd != 2", "every call passes this: any fd differs from one of them (&& was"),
        ("fd < 0", "no call can pass this: arguments are compared unsigned, and none is below 0"),
        ("fd == 1 || fd == 2 || fd == 1", "without effect: the rest says so already"),
        ("fd == 1 || fd == 2 && fd == 3", "without effect: it is never true"),
        ("fd == 1 && count >= 0", "without effect: it is always true"),
        ("fd == 1 && nr == 1", "nr is always 1 here"),
        ("fd == 1 && common_pid == 0", "common_pid is always 0"),
    ],
)
def test_what_says_less_than_it_seems(text: str, message: str) -> None:
    (note,) = notes(event_filter.create(WRITE, text))
    assert note.message.startswith(message)


def test_negative_numbers_are_great_ones() -> None:
    kill = events.table().by_nr(62)
    assert kill is not None
    found = [note.message for note in notes(event_filter.create(kill, "pid > 0"))]
    assert (
        "pid is pid_t, and compared unsigned: -1 is 0xffffffff here, and passes as greater" in found
    )
    assert not notes(event_filter.create(kill, "pid > 0 && pid <= 0x7fffffff"))


def test_widths_of_types() -> None:
    types = ("int", "const int", "umode_t", "size_t", "char *", "loff_t", "const enum x")
    assert [type_bits(type) for type in types] == [32, 32, 16, 64, 64, 64, 32]
