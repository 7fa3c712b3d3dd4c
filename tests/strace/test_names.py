"""The names of numbers and the layout of structs, against the C compiler's headers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from emukernel.strace.layout import Struct, struct
from emukernel.strace.names import enum, enum_set, flag_set, flags
from emukernel.strace.structs import STRUCTS

MODULES = ("fs", "mm", "signal", "time", "poll", "ipc", "net", "tty", "process")

HEADERS = """
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <termios.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <asm/prctl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <linux/mempolicy.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/random.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
struct termios2 { tcflag_t flags[4]; cc_t line_and_cc[20]; speed_t speeds[2]; };
"""

OTHERWISE = {
    "O_LARGEFILE",  # glibc's is 0 where files are large anyway
    "O_TMPFILE",  # its own bit and O_DIRECTORY
}
"""Names whose numbers in glibc are not those that the kernel gets."""

STRUCT_TYPES = {
    "itimerval": "struct itimerval",
    "itimerspec": "struct itimerspec",
    "stack_t": "stack_t",
    "fsid": "__typeof__(((struct statfs *)0)->f_fsid)",
    "flock_found": "struct flock",
}

needs_compiler = pytest.mark.skipif(not shutil.which("gcc"), reason="no C compiler")


def all_sets() -> list[tuple[str, dict[str, int]]]:
    """Every set with its names and numbers."""
    found = []
    for module in MODULES:
        data = __import__(f"emukernel.strace.names.{module}", fromlist=("*",))
        for key in getattr(data, "FLAGS", {}):
            names = {word: bits for bits, word in flag_set(f"{module}.{key}")[1]}
            found.append((f"{module}.{key}", names))
        for key in getattr(data, "ENUMS", {}):
            numbers = enum_set(f"{module}.{key}")[1]
            found.append((f"{module}.{key}", {word: number for number, word in numbers.items()}))
    return found


@needs_compiler
def test_numbers_are_the_headers(tmp_path: Path) -> None:
    wanted = {
        (name, number)
        for _, names in all_sets()
        for name, number in names.items()
        if name not in OTHERWISE
    }
    lines = []
    for name in sorted({name for name, _ in wanted}):
        lines.append(f'#ifdef {name}\nprintf("{name} %lld\\n", (long long){name});\n#endif')
    source = tmp_path / "names.c"
    source.write_text(HEADERS + "int main(void) {\n" + "\n".join(lines) + "\nreturn 0; }\n")
    program = tmp_path / "names"
    subprocess.run(["gcc", "-w", "-o", program, source], check=True, timeout=60)
    output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    headers = {name: int(number) for name, number in map(str.split, output.splitlines())}
    mask = (1 << 32) - 1
    wrong = {
        name: (number, headers[name])
        for name, number in wanted
        if name in headers and headers[name] & mask != number & mask
    }
    assert not wrong
    assert len(headers) > 1000


@needs_compiler
def test_structs_are_laid_out_as_in_c(tmp_path: Path) -> None:
    lines = []
    for name, text in STRUCTS.items():
        type = STRUCT_TYPES.get(name, f"struct {name}")
        lines.append(f'printf("{name} %zu\\n", sizeof({type}));')
        for word in text.split():
            field = word.partition(":")[0].lstrip("_")
            if word == "..." or name == "fsid" or word.startswith("_"):
                continue
            offset = f"__builtin_offsetof({type}, {field})"
            lines.append(f'printf("{name}.{field} %zu\\n", {offset});')
    source = tmp_path / "structs.c"
    source.write_text(HEADERS + "int main(void) {\n" + "\n".join(lines) + "\nreturn 0; }\n")
    program = tmp_path / "structs"
    subprocess.run(["gcc", "-w", "-o", program, source], check=True, timeout=60)
    output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        key, number = line.split()
        name, _, field = key.partition(".")
        layout = struct(name)
        if field:
            offsets = {f.name: f.offset for f in layout.fields}
            assert (key, offsets[field]) == (key, int(number))
        else:
            assert (name, layout.size) == (name, int(number))


def test_flags() -> None:
    assert flags("mm.prot", 0) == "PROT_NONE"
    assert flags("mm.prot", 3) == "PROT_READ|PROT_WRITE"
    assert flags("mm.prot", 0x81) == "PROT_READ|0x80"
    assert flags("fs.at", 0x7) == "0x7 /* AT_??? */"
    assert flags("fs.at", 0) == "0"
    assert flags("fs.open", 0o4010000) == "O_SYNC"
    assert flags("fs.open", 0o10000) == "O_DSYNC"


def test_enums() -> None:
    assert enum("fs.whence", 2) == "SEEK_END"
    assert enum("fs.whence", 77) == "0x4d /* SEEK_??? */"
    assert enum("time.clock", -6) == "0xfffffffa /* CLOCK_??? */"


def test_no_set_names_a_number_twice() -> None:
    for name, names in all_sets():
        bits = [n for n in names.values() if n]
        assert len(set(bits)) == len(bits), name


def test_a_struct_is_shown_by_its_fields() -> None:
    layout = Struct("a:H b:i:x ... c:q _d:4s")
    assert [f.offset for f in layout.fields] == [0, 4, 8, 16]
    assert layout.size == 24
    data = b"\x05\0\0\0\xff\0\0\0" + bytes(16)
    assert layout.show(data) == "{a=5, b=0xff, ...}"
