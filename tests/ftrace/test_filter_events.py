"""The metadata of system calls' events, and the format files made of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emukernel.ftrace import events

CALLS = {call["nr"]: call for call in json.loads(Path(events.DATA).read_text(encoding="ascii"))}
FIELD = re.compile(r"\tfield:(.*[ *])(\w+);\toffset:(\d+);\tsize:(\d+);\tsigned:([01]);")


def test_every_call_has_an_event_with_ptregs_events() -> None:
    table = events.EventTable(ptregs_events=True)
    assert [event.nr for event in table] == list(CALLS)
    for event in table:
        assert event.nr is not None
        assert table.by_nr(event.nr) is event
        assert table.by_id(event.id) is event
        assert table.by_name(event.name) is event
        assert table.by_name(event.name.removeprefix("sys_enter_")) is event
        assert event.entry is not None
        assert table.by_entry(event.entry) is event
        assert table.find(str(event.nr)) is event
        assert table.find(CALLS[event.nr]["name"]) is event


def test_without_them_exactly_those_of_2_6_39_and_later_calls() -> None:
    table = events.EventTable(ptregs_events=False)
    expected = [
        nr
        for nr, call in CALLS.items()
        if call["linux_2_6_39"] is None or call["linux_2_6_39"]["event"] is not None
    ]
    assert [event.nr for event in table] == expected
    for name in ("fork", "clone", "execve", "rt_sigreturn", "pread64", "semctl", "uselib"):
        assert table.by_name(name) is None
    assert table.by_nr(59) is None
    assert table.by_id(events.FIRST_SYSCALL_EVENT_ID + 59) is None


@pytest.mark.parametrize(
    ("word", "entry", "arguments"),
    [
        ("read", "sys_read", ["fd", "buf", "count"]),
        ("stat", "sys_newstat", ["filename", "statbuf"]),
        ("sys_umount", "sys_umount", ["name", "flags"]),
        ("sys_enter_lseek", "sys_lseek", ["fd", "offset", "origin"]),
        ("_sysctl", "sys_sysctl", ["args"]),
        ("execve", "sys_execve", ["name", "argv", "envp"]),
        ("0x38", "sys_clone", ["clone_flags", "newsp", "parent_tid", "child_tid"]),
        ("010", "sys_lseek", ["fd", "offset", "origin"]),
        ("openat2", "sys_openat2", ["dfd", "filename", "how", "usize"]),
        ("finit_module", "sys_finit_module", ["fd", "uargs", "flags"]),
    ],
)
def test_names_and_arguments(word: str, entry: str, arguments: list[str]) -> None:
    event = events.table().find(word)
    assert event is not None
    assert event.entry == entry
    assert [field.name for field in event.arguments] == arguments


@pytest.mark.parametrize(
    "word", ["", "nosuch", "sys_", "read ", "99999", "-1", "1.5", "0x", "08", "²"]
)
def test_what_is_no_event(word: str) -> None:
    assert events.table().find(word) is None


def test_format_files_say_what_the_fields_are() -> None:
    for event in events.table():
        text = event.format()
        shape = re.fullmatch(
            r"(name: .*\nID: .*\nformat:\n)((?:\tfield:.*\n)+)\n((?:\tfield:.*\n)+)\n"
            r"(print fmt: .*\n)",
            text,
        )
        assert shape is not None
        head, common, own, tail = shape.groups()
        assert head == f"name: {event.name}\nID: {event.id}\nformat:\n"
        lines = FIELD.findall(common + own)
        parsed = [(t.strip(), n, int(o), int(s), sign == "1") for t, n, o, s, sign in lines]
        assert parsed == [
            (field.type, field.name, field.offset, field.size, field.signed)
            for field in (*event.common, *event.fields)
        ]
        for field in event.arguments:
            assert f"{field.name}: 0x%08lx" in tail
            assert f"((unsigned long)(REC->{field.name}))" in tail


def test_format_of_read() -> None:
    read = events.table().by_nr(0)
    assert read is not None
    assert read.format() == (
        "name: sys_enter_read\n"
        f"ID: {read.id}\n"
        "format:\n"
        "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
        "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
        "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
        "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
        "\tfield:int common_padding;\toffset:8;\tsize:4;\tsigned:1;\n"
        "\n"
        "\tfield:int nr;\toffset:12;\tsize:4;\tsigned:1;\n"
        "\tfield:unsigned int fd;\toffset:16;\tsize:8;\tsigned:0;\n"
        "\tfield:char * buf;\toffset:24;\tsize:8;\tsigned:0;\n"
        "\tfield:size_t count;\toffset:32;\tsize:8;\tsigned:0;\n"
        "\n"
        'print fmt: "fd: 0x%08lx, buf: 0x%08lx, count: 0x%08lx", ((unsigned long)(REC->fd)), '
        "((unsigned long)(REC->buf)), ((unsigned long)(REC->count))\n"
    )


def test_array_fields_are_declared_as_in_c() -> None:
    field = events.Field("comm", "char[16]", 8, 16, False, kind=events.STATIC_STRING)
    assert field.describe() == "field:char comm[16];\toffset:8;\tsize:16;\tsigned:0;"


def test_of_two_fields_with_one_name_the_argument_wins() -> None:
    event = events.table().find("io_submit")
    assert event is not None
    field = event.field("nr")
    assert field is not None
    assert field.register == "a1"


def test_importing_reads_no_data() -> None:
    code = (
        "import sys; from emukernel.ftrace import events, filter; "
        "events.table(); print('json' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
