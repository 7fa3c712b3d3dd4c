"""Results and errors of the calls about time, ids, limits and scheduling, against Linux."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import guest_build
import guest_run
import pytest
from calls import BAD, HERE, Emulate, Script, at

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="the native half needs x86-64 Linux",
)

KERNEL_HALF = 1 << 63
SCRIPTS: dict[str, Callable[[Script], None]] = {}


def script(write: Callable[[Script], None]) -> Callable[[Script], None]:
    SCRIPTS[write.__name__] = write
    return write


def timespec(s: Script, sec: int, nsec: int) -> str:
    return s.poke(1024, "qq", sec, nsec)


@script
def clocks(s: Script) -> None:
    own_process, own_thread = ((~0 << 3) | kind for kind in (2, 6))
    nobodys = [(~999_999 << 3) | kind for kind in (2, 3, 6, 7)]
    for clock in [*range(-8, 16), own_process, own_thread, *nobodys]:
        s.call("clock_gettime", clock, at(0))
        s.call("clock_gettime", clock, BAD)
        s.call("clock_getres", clock, 0)
        s.poke(0, "qq", 0, 0)
        s.call("clock_getres", clock, at(0))
        s.dump(0, 16)
        s.call("clock_getres", clock, BAD)
        s.call("clock_settime", clock, timespec(s, 0, 10**9))
        s.call("clock_settime", clock, timespec(s, -1, 0))
        s.call("clock_settime", clock, timespec(s, 1 << 62, 0))
        s.call("clock_settime", clock, BAD)
        s.call("clock_nanosleep", clock, 0, timespec(s, 0, 10**9), 0)
        s.call("clock_nanosleep", clock, 0, BAD, 0)
        if clock >= 0 and clock != 2:
            for flags in (0, 1, 77):
                s.call("clock_nanosleep", clock, flags, timespec(s, 0, 1000), 0)
        s.call("clock_adjtime", clock, BAD)


@script
def time_of_day(s: Script) -> None:
    s.call("gettimeofday", 0, 0)
    s.call("gettimeofday", BAD, 0)
    s.call("gettimeofday", 0, BAD)
    s.call("time", BAD)
    s.call("times", BAD)
    for sec, usec in ((5, 10**6), (5, 10**6 + 1), (5, -1), (-1, 0)):
        s.call("settimeofday", timespec(s, sec, usec), 0)
    s.call("settimeofday", BAD, 0)
    s.call("settimeofday", 0, BAD)
    s.call("settimeofday", 0, s.poke(0, "ii", 15 * 60 + 1, 0))


@script
def sleeps(s: Script) -> None:
    s.call("nanosleep", BAD, 0)
    s.call("nanosleep", timespec(s, -1, 0), 0)
    s.call("nanosleep", timespec(s, 0, -1), 0)
    s.call("nanosleep", timespec(s, 0, 1000), BAD)
    s.call("nanosleep", timespec(s, 0, 0), 0)


@script
def clock_discipline(s: Script) -> None:
    s.call("adjtimex", BAD)
    s.poke(0, "208x")
    s.call("adjtimex", at(0))
    for offset, size in ((0, 4), (8, 36), (48, 24), (88, 8), (160, 4)):
        s.dump(offset, size)
    s.poke(0, "I204x", 0x8000)
    s.call("adjtimex", at(0))
    s.poke(0, "I204x", 0xA001)
    s.call("adjtimex", at(0))


@script
def bad_ids(s: Script) -> None:
    s.call("setuid", -1)
    s.call("setgid", -1)
    for call in ("setreuid", "setregid"):
        s.call(call, -1, -1)
    for call in ("setresuid", "setresgid"):
        s.call(call, -1, -1, -1)
    for call in ("getresuid", "getresgid"):
        s.call(call, at(0), at(0), BAD)
        s.call(call, BAD, at(0), at(0))


@script
def groups(s: Script) -> None:
    s.call("setgroups", -1, 0)
    s.call("setgroups", 65537, 0)
    s.call("setgroups", 1, BAD)
    s.call("setgroups", 2, s.poke(0, "iI", 5, 0xFFFF_FFFF))
    s.call("setgroups", 3, s.poke(0, "III", 5, 3, 4))
    s.call("getgroups", -1, 0)
    s.call("getgroups", 0, 0)
    s.call("getgroups", 1, at(0))
    s.call("getgroups", 3, at(0))
    s.dump(0, 12)
    s.call("getgroups", 3, BAD)


VERSIONS = (0x1998_0330, 0x2007_1026, 0x2008_0522)


@script
def capget(s: Script) -> None:
    for version in (*VERSIONS, 5):
        for pid in (0, -1, 99_999):
            for data in (at(64), 0, BAD):
                s.call("capget", s.poke(0, "Ii", version, pid), data)
    s.dump(0, 4)
    s.call("capget", BAD, 0)
    s.call("capget", BAD, at(64))


@script
def capset(s: Script) -> None:
    header = s.poke(0, "Ii", VERSIONS[2], 1)
    s.call("capset", header, at(64))
    s.poke(0, "Ii", VERSIONS[2], 0)
    s.call("capset", header, BAD)
    s.call("capset", BAD, header)
    # effective, permitted, inheritable of the low 32 capabilities, then of the high
    for low in ((3, 3, 1), (1, 0, 0), (0, 0, 1), (1, 1, 0), (2, 2, 0), (0, 0, 1)):
        s.call("capset", header, s.poke(64, "6I", *low, 0, 0, 0))
        s.call("capget", header, at(64))
        s.dump(64, 24)
    s.call("capset", header, s.poke(64, "6I", 0, 0, 0, 1 << 31, 1 << 31, 1 << 31))
    s.call("capset", s.poke(0, "Ii", 5, 0), at(64))


@script
def names(s: Script) -> None:
    s.call("uname", BAD)
    for call in ("sethostname", "setdomainname"):
        for length in (65, -1, 3):
            s.call(call, BAD, length)
    for mask in (0o7777, 0, 0o22):
        s.call("umask", mask)
    s.call("getcpu", BAD, 0)
    s.call("getcpu", 0, BAD)
    s.call("getcpu", 0, 0)
    for personality in (0xFFFF_FFFF, 0x20008, 0xFFFF_FFFF):
        s.call("personality", personality)
    s.call("uname", at(0))
    s.dump(130, 4)
    s.dump(260, 8)


@script
def process_groups(s: Script) -> None:
    for args in ((-1, 0), (0, -1), (1, 0), (99_999, 0), (0, 99_999)):
        s.call("setpgid", *args)
    for call in ("getpgid", "getsid"):
        s.call(call, -1)
        s.call(call, 99_999)


@script
def priorities(s: Script) -> None:
    for which, who in ((3, 0), (-1, 0), (0, 0), (0, 99_999), (0, -1), (2, 12345), (1, -5)):
        s.call("getpriority", which, who)
        s.call("setpriority", which, who, 0)
    for nice in (5, 0, -100, 100):
        s.call("setpriority", 0, 0, nice)
        s.call("getpriority", 0, 0)


@script
def limits(s: Script) -> None:
    for resource in (3, 16):
        s.call("getrlimit", resource, BAD)
        s.call("setrlimit", resource, BAD)
    s.call("setrlimit", 16, s.poke(512, "QQ", 1, 1))
    s.call("setrlimit", 3, s.poke(512, "QQ", 2, 1))
    s.call("setrlimit", 7, s.poke(512, "QQ", 1, 1 << 40))
    for pid in (99_999, -1):
        s.call("prlimit64", pid, 7, 0, 0)
    s.call("prlimit64", 0, 99, BAD, 0)
    s.call("prlimit64", 0, 99, 0, 0)
    s.call("prlimit64", 0, 7, 0, BAD)
    s.call("setrlimit", 4, s.poke(512, "QQ", 0, 100))
    s.call("prlimit64", "pid", 4, s.poke(512, "QQ", 3, 7), at(0))
    s.dump(0, 16)
    s.call("getrlimit", 4, at(0))
    s.dump(0, 16)


@script
def usage(s: Script) -> None:
    s.call("sysinfo", BAD)
    for who in range(-3, 3):
        s.call("getrusage", who, BAD)
        s.call("getrusage", who, at(0))
    s.call("getrusage", -1, at(0))
    s.dump(0, 32)


@script
def randomness(s: Script) -> None:
    for flags in range(9):
        s.call("getrandom", at(0), 5, flags)
    s.call("getrandom", BAD, 5, 0)
    s.call("getrandom", BAD, 0, 0)
    s.call("getrandom", BAD, 0, 8)
    s.call("getrandom", KERNEL_HALF, 5, 0)


@script
def bases(s: Script) -> None:
    for option in (0, 1, 0x1000, 0x1005, 0x1010, 0x1012, 0x1013, 0x2001, 0x4001, 0x5001):
        s.call("arch_prctl", option, at(0))
        s.call("arch_prctl", option, BAD)
    s.call("arch_prctl", 0x1011, 0)
    for option, base in product((0x1001, 0x1002), (KERNEL_HALF, (1 << 47) - 4096)):
        s.call("arch_prctl", option, base)
    s.call("arch_prctl", 0x1001, 0x1234)
    s.call("arch_prctl", 0x1004, at(0))
    s.dump(0, 8)
    for option in (0x1003, 0x1004):
        s.call("arch_prctl", option, BAD)


@script
def scheduling(s: Script) -> None:
    s.call("sched_yield")
    for policy in (-1, 0, 1, 2, 3, 4, 5, 6, 8):
        s.call("sched_get_priority_max", policy)
        s.call("sched_get_priority_min", policy)
    for pid in (0, -1, 99_999):
        s.call("sched_getscheduler", pid)
        for param in (0, BAD, at(0)):
            s.call("sched_getparam", pid, param)
        for param in (0, BAD, s.poke(2048, "i", 0)):
            s.call("sched_setparam", pid, param)
            s.call("sched_setscheduler", pid, 0, param)
            s.call("sched_setscheduler", pid, -1, param)
        for param in (BAD, at(0)):
            s.call("sched_rr_get_interval", pid, param)
    for policy, priority in ((4, 0), (0, 1), (0, -1), (1, 0), (1, 100), (6, 0), (8, 0)):
        s.call("sched_setscheduler", 0, policy, s.poke(2048, "i", priority))
    s.call("sched_setparam", 0, s.poke(2048, "i", 1))


@script
def policies(s: Script) -> None:
    for policy, priority in ((3, 0), (0, 0), (1, 5), (2, 7), (0x4000_0000, 0), (5, 0), (0, 0)):
        s.call("sched_setscheduler", 0, policy, s.poke(2048, "i", priority))
        s.call("sched_getscheduler", 0)
        s.call("sched_getparam", 0, at(0))
        s.dump(0, 4)


@script
def affinity(s: Script) -> None:
    for pid, length in product((0, -1, 99_999), (0, 4, 7)):
        s.call("sched_getaffinity", pid, length, at(0))
    s.call("sched_getaffinity", 0, 8, BAD)
    for pid, length in product((0, -1, 99_999), (0, 1, 8)):
        s.call("sched_setaffinity", pid, length, BAD)
        for mask in (0, 1):
            s.call("sched_setaffinity", pid, length, s.poke(64, "Q", mask))


def sched_attr(s: Script, size: int, policy: int, flags: int, nice: int, priority: int) -> str:
    return s.poke(0, "IIQiI24x8x", size, policy, flags, nice, priority)


@script
def attributes(s: Script) -> None:
    for pid, size, flags in product((0, -1, 99_999), (0, 47, 48, 100, 4096, 4097), (0, 1)):
        s.call("sched_getattr", pid, at(0), size, flags)
    s.call("sched_getattr", 0, BAD, 48, 0)
    s.call("sched_getattr", 0, 0, 48, 0)
    s.call("sched_setattr", 0, 0, 0)
    s.call("sched_setattr", 0, BAD, 0)
    s.call("sched_setattr", -1, at(0), 0)
    s.call("sched_setattr", 0, sched_attr(s, 48, 0, 0, 0, 0), 1)
    s.call("sched_setattr", 99_999, sched_attr(s, 48, 0, 0, 0, 0), 0)
    for size in (0, 47, 5000):
        s.call("sched_setattr", 0, sched_attr(s, size, 0, 0, 0, 0), 0)
        s.dump(0, 4)
    for args in (
        (8, 0, 0, 0),
        (0xFFFF_FFFF, 0, 0, 0),
        (0, 0x80, 0, 0),
        (0, 0, 5, 0),
        (0, 0, 0, 5),
        (1, 8, 0, 9),
        (3, 0, 7, 0),
        (0, 0x18, 9, 0),
        (5, 0, 7, 0),
    ):
        s.call("sched_setattr", 0, sched_attr(s, 48, *args), 0)
        s.call("sched_getscheduler", 0)
        s.call("sched_getattr", 0, at(0), 48, 0)
        s.dump(0, 24)


@script
def futex_words(s: Script) -> None:
    word = s.poke(512, "I", 1)
    for op, val in product((0, 1, 2, 14, 99, 128, 129, 256, 257), (0, 2)):
        for address in (at(513), BAD, KERNEL_HALF):
            s.call("futex", address, op, val)
    s.call("futex", word, 0, 2)
    s.call("futex", word, 1, -1)
    s.call("futex", word, 0, 1, BAD)
    for sec, nsec in ((-1, 0), (0, 10**9), (0, 1000)):
        s.call("futex", word, 0, 1, timespec(s, sec, nsec))
    for op, bits in product((9, 9 | 256), (0, 1)):
        s.call("futex", word, op, 1, timespec(s, 0, 1), 0, bits)
    s.call("futex", word, 10, 1, 0, 0, 0)
    for memory, op in product(("page", "readonly", "shared"), (0, 128)):
        s.call("futex", memory, op, 0, timespec(s, 0, 1))
        s.call("futex", memory, op | 1, 1)


@script
def futex_requeues(s: Script) -> None:
    word, other = s.poke(512, "I", 1), at(520)
    for wake, requeue in ((1, 1), (-1, 1), (1, -1)):
        s.call("futex", word, 3, wake, requeue, other)
    for compare in (1, 2):
        s.call("futex", word, 4, 1, 1, other, compare)
    s.call("futex", word, 4, 1, 1, at(521), 1)
    s.call("futex", "page", 132, 1, 1, other, 1)
    s.call("futex", word, 3, 1, 1, BAD)


@script
def futex_operations(s: Script) -> None:
    word = s.poke(512, "I", 1)
    for op, cmp, arg in product(range(16), range(7), (9, 0xFFF, 33)):
        s.poke(520, "I", 7)
        s.call("futex", word, 5, 1, 1, at(520), op << 28 | cmp << 24 | arg << 12 | 7)
        s.dump(520, 4)
    for memory in ("page", "readonly", BAD):
        s.call("futex", word, 5, 1, 1, memory, 9 << 12)


@script
def robust_lists(s: Script) -> None:
    for head, length in ((at(0), 24), (at(0), 23), (BAD, 24)):
        s.call("set_robust_list", head, length)
    s.call("get_robust_list", 0, at(0), at(8))
    s.dump(0, 16)
    for pid in (99_999, -1):
        s.call("get_robust_list", pid, at(0), at(0))
    s.call("get_robust_list", 0, BAD, at(0))
    s.call("get_robust_list", 0, at(0), BAD)
    s.call("set_robust_list", 0, 24)


# Not tried with every argument: seccomp's, what ends the program, what 6.1 lacks, what differs
# between machines, what is of no return.
TOUCHY = {15, 21, 22, 24, 28, 29, 30, 35, 38, 52, 53, 57, 58, 59}


@script
def prctl_arguments(s: Script) -> None:
    for option in sorted(set(range(65)) - TOUCHY):
        for args in ((), (1,), (2,), (0, 1), (0, 0, 1), (0, 0, 0, 1), (BAD,)):
            s.call("prctl", option, *args)
    for option in (35, 38, 39):
        s.call("prctl", option, 0, 0, 0, 1)
    for option in (100, -1, 0x53564D41):
        s.call("prctl", option)


@script
def prctl_state(s: Script) -> None:
    for signal in (64, 65, 5):
        s.call("prctl", 1, signal)
        s.call("prctl", 2, at(0))
        s.dump(0, 4)
    for slack in (77, 0):
        s.call("prctl", 29, slack)
        s.call("prctl", 30)
    for tsc in (0, 3, 2, 1):
        s.call("prctl", 26, tsc)
        s.call("prctl", 25, at(0))
        s.dump(0, 4)
    for args in ((1, 1), (0,), (2,), (1,)):
        s.call("prctl", 38, *args)
        s.call("prctl", 39)
    for dumpable in (2, 0, 1):
        s.call("prctl", 4, dumpable)
        s.call("prctl", 3)
    for args in ((1, 0), (1, 1), (1, 3), (1, 2), (1, 1), (0, 0), (0, 1)):
        s.call("prctl", 33, *args)
        s.call("prctl", 34)
    for subreaper in (1, 0):
        s.call("prctl", 36, subreaper)
        s.call("prctl", 37, at(0))
        s.dump(0, 4)
    for disable in (1, 0):
        s.call("prctl", 41, disable)
        s.call("prctl", 42)


@script
def prctl_capabilities(s: Script) -> None:
    for option, cap in product((23, 24, 23), (5, 41)):
        s.call("prctl", option, cap)
    for bits in (0x30, 2):
        s.call("prctl", 28, bits)
        s.call("prctl", 27)
        for keep in (1, 2, 0):
            s.call("prctl", 8, keep)
            s.call("prctl", 7)
    for action, cap in product(range(6), (0, 1, 40, 41)):
        s.call("prctl", 47, action, cap)


@script
def prctl_name(s: Script) -> None:
    s.call("prctl", 15, s.poke(0, "20s", b"abcdefghijklmnopqrst"))  # type: ignore[arg-type]
    s.poke(0, "20x")
    s.call("prctl", 16, at(0))
    s.dump(0, 20)
    s.call("prctl", 15, BAD)
    s.call("prctl", 16, BAD)


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("nobody", [True, False], ids=["nobody", "root"])
def test_like_linux(name: str, nobody: bool, emukernel: Emulate, tmp_path: Path) -> None:
    if not nobody and os.geteuid():
        pytest.skip("needs root")
    calls = Script()
    SCRIPTS[name](calls)
    calls.run(emukernel, tmp_path, nobody=nobody)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("seed", range(24))
def test_walk_through_ids(
    seed: int, emukernel: Callable[..., guest_run.Outcome], tmp_path: Path
) -> None:
    program = guest_build.build_source((HERE / "walk.c").read_text(), name="walk")
    args = [str(seed), "40"]
    native = guest_run.run_native(program, args, cwd=tmp_path, env={})
    emulated = emukernel(program, args, env={})
    assert emulated.out.splitlines() == native.out.splitlines()
