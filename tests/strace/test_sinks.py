"""The trace as a whole: lines in the order of events, of one task or several."""

from __future__ import annotations

import io
import json
import struct
from types import SimpleNamespace

import pytest

from emukernel.strace import JsonSink, ListSink, TextSink, Tracer

READ, GETPID, EXIT, OPENAT = 0, 39, 60, 257
MEMORY = {0x1000: b"hi\0", 0x2000: b"/etc/passwd\0"}

A = SimpleNamespace(pid=7)
B = SimpleNamespace(pid=8)


def reader(task: SimpleNamespace, address: int, size: int) -> bytes | None:
    for start, data in MEMORY.items():
        if start <= address < start + 4096:
            return data.ljust(4096, b"\0")[address - start :][:size]
    return None


def args(*values: int) -> tuple[int, ...]:
    return values + (0,) * (6 - len(values))


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def tracer(lines: list[str]) -> Tracer:
    return Tracer(ListSink(lines), reader=reader)


def squeeze(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines]


def test_a_call_is_one_line(tracer: Tracer, lines: list[str]) -> None:
    tracer.on_enter(A, READ, args(0, 0x1000, 10))
    assert not lines
    tracer.on_exit(A, 2)
    assert squeeze(lines) == ['read(0, "hi", 10) = 2']


def test_the_verdict_stands_behind_the_result(tracer: Tracer, lines: list[str]) -> None:
    tracer.on_enter(A, READ, args(0, 0x1000, 10))
    tracer.on_verdict(A, "allowed by sys_read: fd == 0")
    tracer.on_exit(A, 2)
    tracer.on_enter(A, OPENAT, args(2**64 - 100, 0x2000))
    tracer.on_verdict(A, "refused: no entry for sys_openat")
    tracer.on_exit_task(A, 9)
    assert squeeze(lines) == [
        'read(0, "hi", 10) = 2 [seccomp: allowed by sys_read: fd == 0]',
        'openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = ? [seccomp: refused: no entry for sys_openat]',
        "+++ killed by SIGKILL +++",
    ]


def test_the_end_of_a_task(tracer: Tracer, lines: list[str]) -> None:
    tracer.on_enter(A, EXIT, args(3))
    tracer.on_exit_task(A, 3 << 8)
    tracer.on_exit_task(A, 11 | 0x80)
    assert squeeze(lines) == [
        "exit(3) = ?",
        "+++ exited with 3 +++",
        "+++ killed by SIGSEGV (core dumped) +++",
    ]


def test_a_call_that_never_ends_shows_what_it_was_given(tracer: Tracer, lines: list[str]) -> None:
    tracer.on_enter(A, READ, args(0, 0x1000, 10))
    tracer.on_exit_task(A, 9)
    assert squeeze(lines)[0] == "read(0, 0x1000, 10) = ?"


def test_calls_of_two_tasks_are_told_apart(tracer: Tracer, lines: list[str]) -> None:
    tracer.on_enter(A, READ, args(0, 0x1000, 10))
    tracer.on_enter(B, GETPID, args())
    tracer.on_exit(B, 8)
    tracer.on_exit(A, 2)
    tracer.on_exit_task(B, 0)
    tracer.on_enter(A, GETPID, args())
    tracer.on_exit(A, 7)
    assert squeeze(lines) == [
        "read(0, <unfinished ...>",
        "[pid 8] getpid() = 8",
        '[pid 7] <... read resumed>"hi", 10) = 2',
        "[pid 8] +++ exited with 0 +++",
        "getpid() = 7",
    ]


def test_a_call_that_sleeps_is_begun_at_once(tracer: Tracer) -> None:
    output = io.StringIO()
    tracer = Tracer(TextSink(output), reader=reader)
    tracer.on_enter(A, READ, args(0, 0x1000, 10))
    tracer.on_block(A)
    assert output.getvalue() == "read(0, "
    tracer.on_block(A)
    tracer.on_exit(A, 2)
    assert output.getvalue() == 'read(0, "hi", 10)                       = 2\n'


def test_a_begun_call_that_is_interrupted(tracer: Tracer, lines: list[str]) -> None:
    tracer.on_enter(A, READ, args(0, 0x1000, 10))
    tracer.on_block(A)
    tracer.on_enter(B, GETPID, args())
    tracer.on_exit(B, 8)
    tracer.on_exit(A, 2)
    assert squeeze(lines) == [
        "read(0, <unfinished ...>",
        "[pid 8] getpid() = 8",
        '[pid 7] <... read resumed>"hi", 10) = 2',
    ]


def test_what_is_under_way_at_the_end(tracer: Tracer, lines: list[str]) -> None:
    tracer.on_enter(A, READ, args(0, 0x1000, 10))
    tracer.close()
    assert lines == ["read(0,  <unfinished ...>"]


SIGINFOS = [
    ("SIGSEGV {…, si_code=SEGV_MAPERR, si_addr=NULL}", ("<iii4xQ", 11, 0, 1, 0)),
    ("SIGFPE {…, si_code=FPE_INTDIV, si_addr=0x401000}", ("<iii4xQ", 8, 0, 1, 0x401000)),
    ("SIGTERM {…, si_code=SI_USER, si_pid=5, si_uid=6}", ("<iii4xii", 15, 0, 0, 5, 6)),
    (
        "SIGCHLD {…, si_code=CLD_KILLED, si_pid=5, si_uid=6, si_status=SIGKILL, "
        "si_utime=932 /* 9.32 s */, si_stime=0}",
        ("<iii4xiii4xqq", 17, 0, 2, 5, 6, 9, 932, 0),
    ),
    (
        "SIGSYS {…, si_code=SYS_SECCOMP, si_errno=EACCES, si_call_addr=0x401002, "
        "si_syscall=__NR_openat, si_arch=AUDIT_ARCH_X86_64}",
        ("<iii4xQiI", 31, 13, 1, 0x401002, 257, 0xC000003E),
    ),
    ("SIGSEGV {…, si_code=SI_KERNEL, si_addr=NULL}", ("<iii", 11, 0, 128)),
]


@pytest.mark.parametrize(("text", "info"), SIGINFOS)
def test_signals(tracer: Tracer, lines: list[str], text: str, info: tuple[str | int, ...]) -> None:
    tracer.on_signal(A, struct.pack(*info).ljust(128, b"\0"))
    name = text.partition(" ")[0]
    assert lines == [f"--- {text.replace('…', f'si_signo={name}')} ---"]


def test_json_lines() -> None:
    output = io.StringIO()
    tracer = Tracer(JsonSink(output), reader=reader, clock=lambda: 1_500_000_000)
    tracer.on_enter(A, READ, args(2**64 - 1, 0x1000, 10))
    tracer.on_verdict(A, "allowed by sys_read: 1")
    tracer.on_exit(A, -9)
    tracer.on_signal(A, struct.pack("<iii", 15, 0, 0).ljust(128, b"\0"))
    tracer.on_enter(A, EXIT, args(1))
    tracer.on_exit_task(A, 9)
    tracer.close()
    assert [json.loads(line) for line in output.getvalue().splitlines()] == [
        {
            "type": "syscall",
            "pid": 7,
            "time": 1_500_000_000,
            "nr": 0,
            "name": "read",
            "args": [2**64 - 1, 0x1000, 10, 0, 0, 0],
            "decoded": {"fd": "-1", "buf": "0x1000", "count": "10"},
            "ret": -1,
            "errno": "EBADF",
            "outcome": "-1 EBADF (Bad file descriptor)",
            "seccomp": "allowed by sys_read: 1",
        },
        {
            "type": "signal",
            "pid": 7,
            "time": 1_500_000_000,
            "signal": "SIGTERM",
            "siginfo": "{si_signo=SIGTERM, si_code=SI_USER, si_pid=0, si_uid=0}",
        },
        {
            "type": "syscall",
            "pid": 7,
            "time": 1_500_000_000,
            "nr": 60,
            "name": "exit",
            "args": [1, 0, 0, 0, 0, 0],
            "decoded": {"error_code": "1"},
            "ret": None,
            "errno": None,
            "outcome": "?",
            "seccomp": None,
        },
        {
            "type": "exit",
            "pid": 7,
            "time": 1_500_000_000,
            "status": None,
            "signal": "SIGKILL",
            "core": False,
        },
    ]
