"""The dialect of today's kernels against everything that was recorded from one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from filter_reference import Leaf, Node, evaluate, trees
from hypothesis import given
from hypothesis import strategies as st

from emukernel.ftrace import diagnose, modern
from emukernel.ftrace.filter import FilterError

DATA = Path(__file__).parent.parent / "data"
TABLE = modern.ModernEventTable()
WRITE = TABLE.by_name("write")
assert WRITE is not None


def read(name: str) -> list[dict[str, Any]]:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def verdict(event: modern.Event, text: str | bytes) -> dict[str, Any]:
    try:
        modern.create(event, text)
    except FilterError as error:
        assert 0 <= error.start <= error.end <= len(error.text)
        return {
            "accept": False,
            "errno": error.errno_name,
            "error": error.message,
            "caret": error.caret,
        }
    return {"accept": True}


def test_every_recorded_verdict_message_and_caret() -> None:
    vectors = read("filter_parse_vectors.json")
    for vector in vectors:
        event = TABLE.by_name(vector["event"])
        assert event is not None
        found = verdict(event, vector["filter"])
        expected = {key: vector[key] for key in found if key in vector}
        if vector.get("error", "") is None:  # refused with a message that could not be read
            found["error"] = found["caret"] = None
        assert found == expected, vector


def test_every_recorded_call() -> None:
    for record in read("filter_eval_vectors.json") + read("filter_eval_common_vectors.json"):
        event = TABLE.by_name(record["event"])
        assert event is not None
        made = modern.create(event, record["filter"])
        registers = record["args"] + [0] * (6 - len(record["args"]))
        values = {"__syscall_nr": record["nr"], **record.get("common", {})}
        values |= zip((field.name for field in event.arguments), record["args"], strict=False)
        assert made.match_record(values) is record["match"], record
        if "common" not in record:
            assert made.match(record["nr"], *registers) is record["match"], record
        explained = made.explain(record["nr"], registers, record.get("common"))
        assert explained.match is record["match"], record


@given(st.binary(max_size=120) | st.text("fd=1 &|!<>~()\"'x*\n{}CPUS.-", max_size=120))
def test_any_text_is_a_filter_or_a_filter_error(text: bytes | str) -> None:
    try:
        made = modern.create(WRITE, text)
    except FilterError as error:
        assert 0 <= error.start <= error.end <= len(error.text)
        assert diagnose.render(error)
    else:
        assert made.match(1, 0, 0, 0, 0, 0, 0) in (True, False)


@given(
    trees({"fd": False, "count": False, "__syscall_nr": True}, 12),
    st.integers(0, 6),
    st.integers(0, 6),
    st.lists(st.booleans(), min_size=1, max_size=3),
)
def test_compiled_as_the_reference(
    tree: Leaf | Node, fd: int, count: int, nots: list[bool]
) -> None:
    text = tree.text().strip()
    record = {"fd": (fd, 64, False), "count": (count, 64, False), "__syscall_nr": (1, 32, True)}
    expected = evaluate(tree, record)
    for inverted in nots:
        text = f"!({text})" if inverted else f"({text})"
        expected = expected is not inverted
    assert modern.create(WRITE, text).match(1, fd, 0, count, 0, 0, 0) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", True),
        ("fd & 2", False),
        ("fd & 1 || fd == 2", True),
        ("!fd == 2", True),
        ("!!fd == 2", False),
        ("fd == 1 &&", True),
        ("fd == 2 && !", False),
        ('buf == "x"', False),
        ('buf != "x"', False),  # the pointer can't be followed: no match
        ('!buf == "x"', True),
        ("CPU == CPUS{0}", True),
    ],
)
def test_what_is_new(text: str, expected: bool) -> None:
    made = modern.create(WRITE, text)
    assert made.match(1, 1, 0, 0, 0, 0, 0) is expected
    assert made.explain(1, [1]).match is expected


def test_an_or_left_open_by_a_dangling_and_is_refused() -> None:
    assert verdict(WRITE, "fd == 1 || fd == 2 &&")["error"] == "Error: (0)"
    assert verdict(WRITE, "fd == 1 && fd == 2 ||") == {"accept": True}


def test_many_nots_do_not_nest() -> None:
    text = "!" * 2001 + "fd == 1"
    assert modern.create(WRITE, text).match(1, 1, 0, 0, 0, 0, 0) is False


def test_the_command_speaks_it() -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from emukernel.cli.filter import main; sys.exit(main(sys.argv[1:]))",
        "--dialect",
        "modern",
    ]
    vectors = read("filter_parse_vectors.json")
    lines = "".join(json.dumps(vector) + "\n" for vector in vectors)
    done = subprocess.run([*command, "--jsonl"], input=lines, capture_output=True, text=True)
    for vector, line in zip(vectors, done.stdout.splitlines(), strict=True):
        reply = json.loads(line)
        assert reply["accept"] is vector["accept"]
        if vector.get("error") is not None:
            assert reply["error"] == vector["error"]
    record = {"event": "write", "filter": 'buf != "x"', "args": [1, 2], "common": {}}
    done = subprocess.run(
        [*command, "--jsonl"], input=json.dumps(record), capture_output=True, text=True
    )
    assert json.loads(done.stdout) == {"accept": True, "error": None, "match": False}
    one = subprocess.run([*command, "write", "fd & 1", "3"], capture_output=True, text=True)
    assert one.returncode == 0
    assert "match:   yes" in one.stdout
