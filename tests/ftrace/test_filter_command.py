"""`emukernel filter`, as its users meet it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = Path(__file__).parent.parent / "data"
RUN = [
    sys.executable,
    "-c",
    "import sys; from emukernel.cli.filter import main; sys.exit(main(sys.argv[1:]))",
]


def run(*words: str | bytes, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run([*RUN, *words], input=stdin, capture_output=True, timeout=60)
    assert b"Traceback" not in done.stderr
    return done


def answers(records: list[Any], *options: str) -> list[dict[str, Any]]:
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    done = run("--jsonl", *options, stdin=lines)
    assert (done.returncode, done.stderr) == (0, b"")
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(replies) == len(records)
    return replies


def read(name: str) -> list[dict[str, Any]]:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def test_all_recorded_verdicts_through_the_pipe() -> None:
    vectors = [vector for vector in read("filter_parse_vectors.json") if vector["linux_2_6_39"]]
    for vector, reply in zip(vectors, answers(vectors, "--no-ptregs-events"), strict=True):
        expected = vector["linux_2_6_39"]
        wanted = {"accept": expected["accept"], "error": expected["error"], "match": None}
        assert reply == wanted, vector


def test_all_recorded_calls_through_the_pipe() -> None:
    records = [
        {**record, "filter": record.get("filter_2_6_39", record["filter"])}
        for record in read("filter_eval_vectors.json") + read("filter_eval_common_vectors.json")
        if not record["modern_only"] or "filter_2_6_39" in record
    ]
    for record, reply in zip(records, answers(records), strict=True):
        assert reply == {"accept": True, "error": None, "match": record["match"]}, record


GOOD = {"event": "write", "filter": "fd == 1", "nr": 1, "args": [1]}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"x",
        b"[]",
        b"null",
        b"[" * 60000,
        b'{"event":' * 7000,
        b"9" * 6000,
        b"x" * 200000,
        b'{"event": "write", "filter": "fd == 1"} x',
        b'{"event": "wri\xfe", "filter": "fd == 1"}',
        b'{"event": "write", "filter": "fd == \\ud800"}',
        b'{"event": "write"}',
        b'{"event": [], "filter": {}}',
        b'{"event": "write", "filter": "fd == 1", "args": [true]}',
        b'{"event": "write", "filter": "fd == 1", "args": [1.0]}',
        b'{"event": "write", "filter": "fd == 1", "args": [1e999]}',
        b'{"event": "write", "filter": "fd == 1", "args": [18446744073709551616]}',
        b'{"event": "write", "filter": "fd == 1", "args": [1, 2, 3, 4, 5, 6, 7]}',
        b'{"event": "write", "filter": "fd == 1", "args": {"fd": 1}}',
        b'{"event": "write", "filter": "fd == 1", "nr": "x", "args": [1]}',
        b'{"event": "write", "filter": "fd == 1", "args": [1], "common": 5}',
        b'{"event": "write", "filter": "fd == 1", "args": [1], "common": {"x": 5}}',
        b'{"event": "write", "filter": "fd == 1", "args": [1], "common": {"common_pid": "x"}}',
    ],
)
def test_a_bad_record_is_answered_and_the_next_is_not_harmed(line: bytes) -> None:
    good = json.dumps(GOOD).encode()
    done = run("--jsonl", stdin=line + b"\n" + good)
    first, second = (json.loads(reply) for reply in done.stdout.splitlines())
    assert first["accept"] is False
    assert first["match"] is None
    assert first["error"].startswith("bad record: ")
    assert second == {"accept": True, "error": None, "match": True}


def test_records_may_leave_things_out() -> None:
    replies = answers(
        [
            {"event": "sys_enter_write", "filter": "nr == 1"},
            {"event": "1", "filter": "nr == 1", "args": []},
            {"event": "write", "filter": "fd == 0xffffffffffffffff", "args": [-1]},
            {"event": "nosuch", "filter": "fd == 1"},
            {
                "event": "write",
                "filter": "common_pid == 7",
                "args": [],
                "common": {"common_pid": 7},
            },
        ]
    )
    assert [(reply["accept"], reply["match"]) for reply in replies] == [
        (True, None),
        (True, True),
        (True, True),
        (False, None),
        (True, True),
    ]


def test_the_pipe_answers_while_it_is_open() -> None:
    with subprocess.Popen(
        [*RUN, "--jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for fd in (1, 2):
            child.stdin.write(json.dumps({**GOOD, "args": [fd]}).encode() + b"\n")
            child.stdin.flush()
            assert json.loads(child.stdout.readline())["match"] is (fd == 1)
        child.stdin.close()
        assert child.wait(timeout=30) == 0


def test_a_reader_that_leaves_is_no_error() -> None:
    lines = (json.dumps(GOOD).encode() + b"\n") * 20000
    with subprocess.Popen(
        [*RUN, "--jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        try:
            child.stdin.write(lines)
            child.stdin.close()
        except BrokenPipeError:
            pass
        assert child.stderr.read() == b""
        assert child.wait(timeout=30) == 0


def test_parsed() -> None:
    done = run("write", "fd == 1 || nr == 4294967297")
    assert done.returncode == 0
    text = done.stdout.decode()
    assert "sys_enter_write" in text
    assert "fd == 1" in text
    assert "column 12 (cut to 32 bits: nr == 1)" in text


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("write", "fd == 1", "1"), 0),
        (("write", "fd == 1", "2"), 1),
        (("1", "fd == 1", "0x1"), 0),
        (("sys_write", "fd == 8", "010"), 0),
        (("sys_enter_write", "fd == 0xffffffffffffffff", "-1"), 0),
        (("write", "fd == 0xfffffffffffffff0", "-0x10"), 0),
        (("write", "buf == 2", "1", "2"), 0),
        (("getpid", "nr == 39", "0"), 0),
        (("write", "--", "fd == 1", "-1"), 1),
    ],
)
def test_evaluated(words: tuple[str, ...], status: int) -> None:
    done = run(*words)
    assert (done.returncode, done.stderr) == (status, b"")
    verdict = "yes" if status == 0 else "no"
    assert f"match:   {verdict}" in done.stdout.decode()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("write", "fd = 1"), "column 4: Invalid operator: expected '=='"),
        (("write", "size == 1"), "sys_write has no field 'size'; fields: fd, buf, count"),
        (("write", "-1"), "column 1: Meaningless"),
        (("wirte", "fd == 1"), "no event 'wirte' (did you mean 'write'"),
        (("9999", "fd == 1"), "no system call has the number 9999"),
        (("write", "fd == 1", "x"), "argument 1: 'x' is no number"),
        (("write", "fd == 1", "18446744073709551616"), "argument 1"),
        (("write", "fd == 1", "9" * 100000), "argument 1"),
        (("write", "fd == 1", *"1234567"), "at most 6"),
        (("write",), "an EVENT and a TEXT are needed"),
        (("--no-ptregs-events", "execve", "nr == 59"), "no event 'execve'"),
        (("--jsonl", "write"), "takes its events and filters from standard input"),
        (("write", b"fd == \xff"), "Illegal integer value"),
        (("write", "(" * 50000), "Unbalanced parens"),
    ],
)
def test_refused_with_a_reason(words: tuple[str | bytes, ...], said: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert done.stdout == b""
    assert said in done.stderr.decode()


def test_the_caret() -> None:
    error = run("write", "fd == 1 && size == 1").stderr.decode().splitlines()
    assert error[1:] == ["  fd == 1 && size == 1", "             ^^^^"]


def test_holes_are_told() -> None:
    done = run("write", "fd != 3", "0x100000003")
    assert done.returncode == 0
    assert "0x100000003 passes and the call sees 3" in done.stdout.decode()


def test_help_has_examples() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert b"examples:" in done.stdout


@settings(max_examples=20)
@given(st.lists(st.binary(max_size=200).filter(lambda line: b"\n" not in line), min_size=1))
def test_any_lines_get_one_answer_each(lines: list[bytes]) -> None:
    done = run("--jsonl", stdin=b"\n".join(lines) + b"\n")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(lines)
