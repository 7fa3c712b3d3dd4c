"""Fixtures of the tests that use emukernel from outside: small guests, a terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import guest_build
import pytest

_FILES_C = Path(__file__).with_name("files.c").read_text(encoding="utf-8")

_ENDS = """
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
extern char **environ;
__attribute__((noinline)) void open_it(const char *path) { syscall(SYS_open, path, 0, 0); }
int main(int argc, char **argv)
{
    const char *how = argv[1];
    char byte;
    if (argc > 2 && !strcmp(argv[2], "say")) write(1, "ready\\n", 6);
    if (!strcmp(how, "exit")) return atoi(argv[2]);
    if (!strcmp(how, "segv")) *(volatile int *)0x10 = 1;
    if (!strcmp(how, "abort")) abort();
    if (!strcmp(how, "spin")) for (;;) __asm__ volatile("");
    if (!strcmp(how, "sleep")) for (;;) sleep(1000);
    if (!strcmp(how, "pause")) pause();
    if (!strcmp(how, "read")) read(0, &byte, 1);
    if (!strcmp(how, "open")) open_it(argv[2]);
    if (!strcmp(how, "env")) for (char **e = environ; *e; e++) puts(*e);
    if (!strcmp(how, "args")) for (int i = 0; i < argc; i++) puts(argv[i]);
    if (!strcmp(how, "cwd")) puts(getcwd(malloc(4096), 4096));
    if (!strcmp(how, "ids")) printf("%d %d %d %d\\n", getuid(), geteuid(), getgid(), getegid());
    return 0;
}
"""


def tiny_elf(code: bytes) -> bytes:
    """A static program that consists of this machine code: no compiler, every instruction known."""
    size = 64 + 56 + len(code)
    header = (
        b"\x7fELF\2\1\1".ljust(16, b"\0")
        + (2).to_bytes(2, "little")
        + (62).to_bytes(2, "little")
        + (1).to_bytes(4, "little")
        + (0x400078).to_bytes(8, "little")
        + (64).to_bytes(8, "little")
        + bytes(12)
        + b"".join(n.to_bytes(2, "little") for n in (64, 56, 1, 0, 0, 0))
    )
    segment = (
        (1).to_bytes(4, "little")
        + (5).to_bytes(4, "little")
        + b"".join(n.to_bytes(8, "little") for n in (0, 0x400000, 0x400000, size, size, 4096))
    )
    return header + segment + code


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[[str], Path]:
    """`tiny(hex)` is the path of a program that consists of these instructions."""

    def make(code: str) -> Path:
        path = tmp_path / "tiny"
        path.write_bytes(tiny_elf(bytes.fromhex(code)))
        path.chmod(0o755)
        return path

    return make


@pytest.fixture(scope="session")
def ends() -> Path:
    """A program that ends, waits or shows its surroundings, as its first argument says."""
    return guest_build.build_source(_ENDS, name="ends")


@pytest.fixture(scope="session")
def files() -> Path:
    """The program of files.c: file operations by arguments."""
    return guest_build.build_source(_FILES_C, name="files", libc="glibc")
