"""One call, one line: what strace prints for the same, and what hostile arguments make of it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emukernel.kernel.syscalls.table import SYSCALLS
from emukernel.strace import describe_call, format_call

NUMBERS = {name: nr for nr, name, _, _ in SYSCALLS}
MINUS_100 = 2**64 - 100


class Memory:
    """Bytes at an address; everything else can't be read."""

    def __init__(self, pieces: dict[int, bytes]) -> None:
        self.pieces = pieces

    def __call__(self, address: int, size: int) -> bytes | None:
        for start, data in self.pieces.items():
            if start <= address and address + size <= start + len(data):
                return data[address - start : address - start + size]
        return None


def line(name: str, *args: int, ret: int | None = 0, memory: dict[int, bytes] | None = None) -> str:
    registers = tuple(arg & (2**64 - 1) for arg in args) + (0,) * (6 - len(args))
    pieces = {at: data.ljust(4096, b"\0") for at, data in (memory or {}).items()}
    text = format_call(NUMBERS[name], registers, Memory(pieces), ret)
    head, _, outcome = text.rpartition(" = ")
    return f"{head.rstrip()} = {outcome}"


def test_paths_flags_and_errors() -> None:
    memory = {0x1000: b"/etc/passwd\0"}
    assert (
        line("openat", -100, 0x1000, 0o2000000, ret=3, memory=memory)
        == 'openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3'
    )
    assert (
        line("openat", 5, 0x1000, 0o101, 0o644, ret=-2, memory=memory)
        == 'openat(5, "/etc/passwd", O_WRONLY|O_CREAT, 0644) '
        "= -1 ENOENT (No such file or directory)"
    )


def test_the_result_stands_in_the_column_of_strace() -> None:
    assert format_call(39, (0,) * 6, Memory({}), 7) == "getpid()                                = 7"


def test_strings_are_cut_at_32_bytes() -> None:
    memory = {0x1000: b"a" * 40}
    assert (
        line("write", 1, 0x1000, 40, ret=40, memory=memory) == f'write(1, "{"a" * 32}"..., 40) = 40'
    )
    assert line("write", 1, 0x1000, 32, ret=32, memory=memory) == f'write(1, "{"a" * 32}", 32) = 32'


def test_escapes() -> None:
    memory = {0x1000: b'\x001\x001\n"\\\xff'}
    assert (
        line("write", 1, 0x1000, 8, ret=8, memory=memory)
        == r'write(1, "\0001\0001\n\"\\\377", 8) = 8'
    )


def test_output_is_shown_as_far_as_it_was_written() -> None:
    memory = {0x1000: b"hello"}
    assert line("read", 0, 0x1000, 100, ret=5, memory=memory) == 'read(0, "hello", 100) = 5'
    assert (
        line("read", 0, 0x1000, 100, ret=-9, memory=memory)
        == "read(0, 0x1000, 100) = -1 EBADF (Bad file descriptor)"
    )
    assert line("exit_group", 3, ret=None) == "exit_group(3) = ?"


def test_results() -> None:
    assert line("mmap", 0, 4096, 3, 0x22, -1, 0, ret=0x7F0000000000) == (
        "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000"
    )
    assert line("fcntl", 3, 3, ret=0x8002) == (
        "fcntl(3, F_GETFL) = 0x8002 (flags O_RDWR|O_LARGEFILE)"
    )
    assert line("umask", 0o22, ret=2) == "umask(022) = 002"
    assert line("pause", ret=-514) == "pause() = ? ERESTARTNOHAND (To be restarted if no handler)"
    assert line("getpid", ret=-4000) == "getpid() = -1 (errno 4000)"


def test_clone_of_a_thread() -> None:
    flags = 0x3D0F00
    memory = {0x1000: struct.pack("<i", 77)}
    assert line("clone", flags, 0x2000, 0x1000, 0x3000, 0x4000, ret=77, memory=memory) == (
        "clone(child_stack=0x2000, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD"
        "|CLONE_SYSVSEM|CLONE_SETTLS|CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID, parent_tid=[77], "
        "tls=0x4000, child_tidptr=0x3000) = 77"
    )


def test_i386_calls_are_shown_by_their_registers() -> None:
    from emukernel.strace.line import enter, leave, whole

    call = enter(4, (1, 0x1000, 5, 0, 0, 0), Memory({}), compat=True)
    leave(call, 5)
    assert whole(call) == "32:write(0x1, 0x1000, 0x5, 0, 0, 0)"


def test_a_violation_names_the_fields_of_filters() -> None:
    memory = Memory({0x4A2010: b"/etc/passwd\0".ljust(4096, b"\0")})
    assert describe_call(257, (0xFFFFFF9C, 0x4A2010, 0, 0, 0, 0), memory) == (
        'sys_openat(dfd=0xffffff9c, filename=0x4a2010 "/etc/passwd", flags=0x0, mode=0x0)'
    )
    # 2.6.39 calls lseek's third argument `origin`.
    assert describe_call(8, (1, 2, 3, 0, 0, 0), memory) == (
        "sys_lseek(fd=0x1, offset=0x2, origin=0x3)"
    )
    assert describe_call(39, (0,) * 6, memory) == "sys_getpid()"
    assert describe_call(20, (1, 2, 3, 4, 5, 6), memory, compat=True) == (
        "32-bit sys_getpid(ebx=0x1, ecx=0x2, edx=0x3, esi=0x4, edi=0x5, ebp=0x6)"
    )
    assert describe_call(9999, (1, 2, 3, 4, 5, 6), memory).startswith(
        "system call 9999(rdi=0x1, rsi=0x2,"
    )


interesting = st.one_of(
    st.integers(0, 2**64 - 1),
    st.integers(0, 300),
    st.sampled_from([0x1000, 0x1FF0, 0x1FFF, 2**63, 2**64 - 1, 2**32, 2**31, 2**31 - 1, MINUS_100]),
)


@settings(max_examples=1500)
@given(
    nr=st.one_of(st.sampled_from(SYSCALLS).map(lambda row: row[0]), st.integers(0, 2**64 - 1)),
    args=st.tuples(*[interesting] * 6),
    ret=st.one_of(st.none(), st.integers(-5000, 2**63 - 1), st.integers(0, 2**64 - 1)),
    memory=st.binary(max_size=256),
)
def test_anything_can_be_decoded(
    nr: int, args: tuple[int, ...], ret: int | None, memory: bytes
) -> None:
    looks = 0
    contents = (memory * (4096 // len(memory) + 1) if memory else b"")[:4096]

    def read_user(address: int, size: int) -> bytes | None:
        nonlocal looks
        looks += 1
        assert 0 < size <= 4096
        if memory and address >= 0x1000 and address + size <= 0x2000:
            return contents[address - 0x1000 : address - 0x1000 + size]
        # Somewhere else there is memory without end.
        return bytes(memory[:1] or b"A") * size if 2**40 < address < 2**47 else None

    text = format_call(nr, args, read_user, ret)
    assert "\n" not in text
    assert len(text) < 6000
    assert looks < 9000
    assert len(describe_call(nr, args, read_user)) < 30000


@pytest.mark.parametrize("row", SYSCALLS, ids=lambda row: row[1])
def test_every_call_can_be_decoded(row: tuple[int, str, str, str]) -> None:
    """Every kind of the table is one that there is, in a call that succeeds, fails, never ends."""
    memory = Memory({0x1000: bytes(range(1, 256)) * 16 + bytes(16)})
    for arg in (0, 1, 0x1000, 2**64 - 1):
        for ret in (0, 1, -22, None):
            format_call(row[0], (arg,) * 6, memory, ret)
