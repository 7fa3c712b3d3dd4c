"""procfs and tracefs: what the files say agrees with what the calls say."""

from __future__ import annotations

import re
from typing import Any

import pytest
from vfs_tasks import ARENA, ARENA_SIZE, Caller, make_task


def error(call: Any, *args: Any) -> str:
    with pytest.raises(OSError) as caught:
        call(*args)
    return str(caught.value.args[1])


def link(sys: Caller, name: bytes) -> bytes:
    buffer = sys.alloc(256)
    return sys.get(buffer, sys.readlink(name, buffer, 256))


def test_status_names_the_task(sys: Caller) -> None:
    lines = dict(
        line.split(":\t", 1) for line in sys.cat(b"/proc/self/status").decode().splitlines()
    )
    assert lines["Name"] == "test"
    assert lines["Pid"] == lines["Tgid"] == "100"
    assert lines["Uid"] == "0\t0\t0\t0"
    assert lines["Seccomp"] == "0"
    assert lines["VmSize"].strip() == f"{ARENA_SIZE >> 10} kB"
    assert lines["CapEff"] == "000001ffffffffff"


def test_stat_has_52_fields(sys: Caller) -> None:
    text = sys.cat(b"/proc/self/stat").decode()
    head, _, rest = text.rpartition(")")
    assert head == "100 (test"
    fields = rest.split()
    assert len(fields) == 50
    assert int(fields[20]) == ARENA_SIZE


def test_maps_shows_the_areas(sys: Caller) -> None:
    line = sys.cat(b"/proc/self/maps")
    assert line == b"%08x-%08x rw-p 00000000 00:00 0 \n" % (ARENA, ARENA + ARENA_SIZE)


def test_descriptors_are_links(sys: Caller) -> None:
    fd = sys.open(b"/tmp/file", 0o102, 0o644)
    assert link(sys, b"/proc/self/fd/%d" % fd) == b"/tmp/file"
    assert b"flags:\t0100002\n" in sys.cat(b"/proc/self/fdinfo/%d" % fd)
    sys.write_bytes(fd, b"text")
    assert sys.cat(b"/proc/self/fd/%d" % fd) == b"text"
    sys.unlink(b"/tmp/file")
    assert link(sys, b"/proc/self/fd/%d" % fd) == b"/tmp/file (deleted)"
    assert sys.cat(b"/dev/fd/%d" % fd) == b"text"
    assert error(sys.open, b"/proc/self/fd/99", 0) == "ENOENT"
    assert re.fullmatch(rb"pipe:\[\d+\]", link(sys, b"/proc/self/fd/1"))


def test_self_and_numbers(sys: Caller) -> None:
    assert link(sys, b"/proc/self") == b"100"
    assert link(sys, b"/proc/thread-self") == b"100/task/100"
    assert link(sys, b"/proc/self/cwd") == b"/"
    assert sys.names(b"/proc/self/task") == [b"100"]
    assert error(sys.open, b"/proc/0100", 0) == "ENOENT"
    assert error(sys.open, b"/proc/99", 0) == "ENOENT"
    assert error(sys.open, b"/proc/new", 0o101, 0o644) == "ENOENT"
    assert error(sys.mkdir, b"/proc/new", 0o755) == "ENOENT"
    assert error(sys.unlink, b"/proc/version") == "EPERM"


def test_others_do_not_look_in(kernel: Any, sys: Caller, user: Caller) -> None:
    assert error(user.open, b"/proc/100/environ", 0) == "EACCES"
    assert error(user.readlink, b"/proc/100/cwd", user.alloc(9), 9) == "EACCES"
    assert error(user.open, b"/proc/100/fd", 0) == "EACCES"
    assert user.cat(b"/proc/100/comm") == b"test\n"
    assert sys.names(b"/proc/101/fd") == [b"0", b"1", b"2"]


def test_comm_can_be_written_by_its_process(sys: Caller) -> None:
    fd = sys.open(b"/proc/self/comm", 1)
    sys.write_bytes(fd, b"a name that is too long\n")
    assert sys.cat(b"/proc/self/comm") == b"a name that is \n"


def test_meminfo_adds_up(kernel: Any, sys: Caller) -> None:
    def value(name: str) -> int:
        text = sys.cat(b"/proc/meminfo").decode()
        found = re.search(rf"^{name}: +(\d+) kB$", text, re.M)
        assert found
        return int(found[1])

    assert value("MemTotal") == kernel.memory.size >> 10
    before = value("Shmem")
    sys.make(b"/tmp/f", b"x" * 40960)
    assert value("Shmem") == before + 40


def test_sysctl(sys: Caller) -> None:
    assert sys.cat(b"/proc/sys/kernel/osrelease").decode().strip() == sys.task.kernel.uts.release
    assert sys.cat(b"/proc/sys/kernel/random/boot_id") == sys.cat(
        b"/proc/sys/kernel/random/boot_id"
    )
    assert error(sys.open, b"/proc/sys/none", 0) == "ENOENT"
    fd = sys.open(b"/proc/sys/kernel/hostname", 1)
    sys.write_bytes(fd, b"other\n")
    assert sys.task.kernel.uts.nodename == "other"


def test_mounts_are_those_below_the_root(sys: Caller) -> None:
    places = [line.split()[1] for line in sys.cat(b"/proc/mounts").splitlines()]
    assert places[:3] == [b"/", b"/dev", b"/dev/shm"]
    assert b"/sys/kernel/tracing" in places


@pytest.mark.parametrize("top", [b"/sys/kernel/tracing", b"/sys/kernel/debug/tracing"])
def test_events_of_system_calls(sys: Caller, top: bytes) -> None:
    place = top + b"/events/syscalls/sys_enter_openat"
    assert sys.names(place) == [b"enable", b"filter", b"format", b"id"]
    number = sys.cat(place + b"/id")
    text = sys.cat(place + b"/format")
    assert text.startswith(b"name: sys_enter_openat\nID: " + number)
    assert b"const char * filename" in text
    assert sys.cat(place + b"/filter") == b"none\n"
    assert error(sys.open, place + b"/new", 0o101, 0o644) == "EACCES"


def test_tasks_come_and_go(kernel: Any, sys: Caller) -> None:
    make_task(kernel, 0, 500)
    assert b"500" in sys.names(b"/proc")
    fd = sys.open(b"/proc/500/status", 0)
    kernel.tasks.pop(500).state = "X"
    assert b"500" not in sys.names(b"/proc")
    assert error(sys.read_bytes, fd, 100) == "ESRCH"
