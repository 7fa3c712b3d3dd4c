"""`emukernel syscalls`."""

from __future__ import annotations

import json

import pytest

from emukernel.cli.syscalls import main
from emukernel.kernel.syscalls.table import SYSCALLS


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(list(arguments))
    output = capsys.readouterr()
    return status, output.out, output.err


def test_the_table_has_a_line_a_call(capsys: pytest.CaptureFixture[str]) -> None:
    status, text, _ = run(capsys)
    assert status == 0
    heading, *lines = text.splitlines()
    assert heading.split()[:2] == ["nr", "name"]
    assert len(lines) == len(SYSCALLS)
    stat = lines[4].split()
    assert stat[:4] == ["4", "stat", "sys_newstat", "516"]
    assert lines[4].endswith("const char *filename, struct stat *statbuf")


@pytest.mark.parametrize(
    "word", ["stat", "sys_newstat", "newstat", "sys_enter_newstat", "4", "0x4"]
)
def test_a_call_can_be_named_in_many_ways(capsys: pytest.CaptureFixture[str], word: str) -> None:
    status, text, _ = run(capsys, word)
    assert status == 0
    assert text.startswith("stat (4)\n  in policies  sys_newstat\n")
    assert "event        sys_enter_newstat, id 516" in text


def test_what_2_6_39_had_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "lseek")[1]
    assert "whence is origin there, and in filters" in text
    assert "SEEK_SET=0x0 SEEK_CUR=0x1" in text
    assert "2.6.39       no such call" in run(capsys, "statx")[1]
    assert "no event" in run(capsys, "fork")[1]


def test_the_bits_that_count_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "write")[1]
    assert "unsigned int  the low 32 bits; a filter compares all 64" in text
    assert "size_t        64 bits" in text


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "--json", "lseek")[1]
    call = json.loads(text)
    assert (call["nr"], call["metadata"], call["event_id"]) == (8, "sys_lseek", 520)
    assert [(p["name"], p["field"], p["bits"]) for p in call["parameters"]] == [
        ("fd", "fd", 32),
        ("offset", "offset", 64),
        ("whence", "origin", 32),
    ]
    assert call["i386"] == {"nr": 19, "implemented": True}
    everything = run(capsys, "--json")[1].splitlines()
    assert [json.loads(line)["nr"] for line in everything] == [row[0] for row in SYSCALLS]


def test_missing_are_the_calls_without_a_handler(capsys: pytest.CaptureFixture[str]) -> None:
    calls = [json.loads(line) for line in run(capsys, "--missing", "--json")[1].splitlines()]
    names = {call["name"] for call in calls}
    assert {"uselib", "bpf", "kexec_load"} <= names
    assert not names & {"read", "write", "open", "mmap"}
    assert {call["support"] for call in calls} == {"none"}
    assert "read" not in run(capsys, "--missing", "read")[1]


@pytest.mark.parametrize("word", ["opnat", "sys_opnat"])
def test_an_unknown_name_is_refused_with_a_near_miss(
    capsys: pytest.CaptureFixture[str], word: str
) -> None:
    status, text, error = run(capsys, "read", word)
    assert (status, text) == (2, "")
    assert error == f"emukernel syscalls: no system call {word!r} (did you mean 'openat'?)\n"


@pytest.mark.parametrize("word", ["9999", "-1x", "", "0x", "é", "1" * 5000])
def test_nonsense_is_refused(capsys: pytest.CaptureFixture[str], word: str) -> None:
    status, _, error = run(capsys, "--", word)
    assert status == 2
    assert len(error.splitlines()) == 1


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    status, text, _ = run(capsys, "--help")
    assert status == 0
    assert "examples:" in text
