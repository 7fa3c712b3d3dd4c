"""The programs of guest/seccomp, each a use case of the 2011 surface: status, output, kernel log.

No running Linux has this surface, so what is expected is written here, after its specification.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import guest_build
import guest_run
import pytest

KILLED = 128 + 9
SEGV = 128 + 11

Runner = Callable[..., guest_run.Outcome]


@pytest.fixture(params=guest_build.LIBCS)
def run(
    request: pytest.FixtureRequest, guest: Callable[..., Path], emukernel: Runner
) -> Callable[..., guest_run.Outcome]:
    """`run(name, *args, stdin=b"")` runs guest/seccomp/NAME with the kernel log on stderr."""

    def run_guest(name: str, *args: str, stdin: bytes = b"") -> guest_run.Outcome:
        program = guest(f"seccomp/{name}", request.param)
        return emukernel(program, args, stdin=stdin, options=["--dmesg"])

    return run_guest


def blocked(outcome: guest_run.Outcome) -> list[tuple[str, int, str]]:
    """(command, call number, name) of every refusal in the kernel log."""
    line = r"(\S+)\[\d+\]: system call (-?\d+) \((\w+)\) blocked at ip:[0-9a-f]+$"
    return [(comm, int(nr), name) for comm, nr, name in re.findall(line, outcome.err, re.M)]


def assert_killed(outcome: guest_run.Outcome, comm: str, nr: int, name: str) -> None:
    assert outcome.status == KILLED, outcome.err
    assert blocked(outcome) == [(comm[:15], nr, name)]
    assert re.search(rf"^killed by seccomp: {name}\(", outcome.err, re.M), outcome.err


def assert_ended(outcome: guest_run.Outcome, status: int) -> None:
    assert outcome.status == status, outcome.err
    assert blocked(outcome) == []


def policy(enforced: int, *entries: tuple[int, str, str]) -> str:
    """What /proc/PID/seccomp_filter says of these entries."""
    lines = [f"Filtering: {enforced}", f"FilterCount: {len(entries)}"]
    for nr, name, expression in entries:
        lines += [f"SystemCall: {nr} ({name})", f"Filter: {expression}"]
    return "\n".join(lines) + "\n"


class TestStdinOnly:
    def test_reads_its_input(self, run: Runner) -> None:
        outcome = run("stdin_only", stdin=b"one two\nthree\n")
        assert outcome.out == "2 lines, 3 words, 14 bytes\n"
        assert_ended(outcome, 0)

    @pytest.mark.parametrize(
        ("attack", "nr", "name"),
        [("open", 257, "sys_openat"), ("stderr", 1, "sys_write"), ("other", 0, "sys_read")],
    )
    def test_nothing_else(self, run: Runner, attack: str, nr: int, name: str) -> None:
        outcome = run("stdin_only", stdin=attack.encode() + b"\n")
        assert outcome.out == ""
        assert_killed(outcome, "stdin_only", nr, name)


class TestSpecExample:
    def test_reads_by_1_and_writes_by_0(self, run: Runner) -> None:
        outcome = run("spec_example", stdin=b"some Text\n")
        assert outcome.out == "SOME TEXT\n"
        assert_ended(outcome, 5)

    def test_may_not_read_by_0(self, run: Runner) -> None:
        outcome = run("spec_example", "stray", stdin=b"x")
        assert outcome.out == "X"
        assert_killed(outcome, "spec_example", 0, "sys_read")


def test_refused_open(run: Runner) -> None:
    outcome = run("refused_open")
    assert outcome.out == "what is open is read: Linux\nopening /etc/passwd\n"
    assert_killed(outcome, "refused_open", 257, "sys_openat")
    assert '"/etc/passwd"' in outcome.err
    assert "no entry for sys_openat" in outcome.err


def test_narrow_twice(run: Runner) -> None:
    outcome = run("narrow_twice")
    assert outcome.out == (
        "narrow by fd: 0\n"
        "narrow by count: 0\n"
        "add a call: EACCES\n"
        "one good line, one that adds: EACCES\n"
        + policy(
            1,
            (0, "sys_read", "1"),
            (1, "sys_write", "((fd <= 2) && (fd == 1)) && (count <= 2048)"),
            (3, "sys_close", "1"),
            (157, "sys_prctl", "(option == 22) || (option == 21)"),
            (231, "sys_exit_group", "1"),
            (257, "sys_openat", "1"),
        )
        + "take openat away: 0\n"
        "it can't come back: EACCES\n"
        "mode: 2\n"
        "take prctl away: 0\n"
        "a write to descriptor 2\n"
    )
    assert_killed(outcome, "narrow_twice", 1, "sys_write")
    assert "not written" not in outcome.err


def test_arm_at_exec(run: Runner) -> None:
    outcome = run("arm_at_exec")
    assert outcome.out == (
        "launcher: armed, and still free: getpid works\n"
        "launcher: opens files: yes\n"
        "confined: mode: 2\n"
        "confined: asks for its process id\n"
    )
    assert_killed(outcome, "exe", 39, "sys_getpid")


class TestJit:
    def test_runs_generated_code(self, run: Runner) -> None:
        outcome = run("jit", "2 3 + 4 *", "100 1 -", "7")
        assert outcome.out == "2 3 + 4 * is 20\n100 1 - is 99\n7 is 7\n"
        assert_ended(outcome, 0)

    def test_generated_code_can_not_call(self, run: Runner) -> None:
        outcome = run("jit", "1 1 +", "!")
        assert outcome.out == "1 1 + is 2\n"
        assert_killed(outcome, "jit", 57, "sys_fork")


class TestPerfOff:
    def test_parses(self, run: Runner) -> None:
        outcome = run("perf_off", stdin=b"color=blue\nempty=\nnothing\n")
        assert outcome.out == "color is blue\nempty is \nno value: nothing\n"
        assert_ended(outcome, 0)

    def test_perf_event_open_is_gone(self, run: Runner) -> None:
        outcome = run("perf_off", stdin=b"color=blue\nexploit=x\ncolor=red\n")
        assert outcome.out == "color is blue\nthe attacker calls perf_event_open\n"
        assert_killed(outcome, "perf_off", 298, "sys_perf_event_open")


class TestHighHalf:
    def test_unequal_is_walked_around(self, run: Runner) -> None:
        outcome = run("high_half")
        assert outcome.out == (
            "the protected file is descriptor 3\n"
            "writing to 0x100000003: 13\n"
            "the file has: walked around\n"
            "writing to 3\n"
        )
        assert_killed(outcome, "high_half", 1, "sys_write")

    def test_equal_is_not(self, run: Runner) -> None:
        outcome = run("high_half", "equal")
        assert outcome.out.endswith("writing to 0x100000001\n")
        assert_killed(outcome, "high_half", 1, "sys_write")
        assert "0x100000001" in outcome.err


class TestInt80:
    def test_without_a_policy(self, run: Runner) -> None:
        outcome = run("int80", "free")
        assert outcome.out == "by int 0x80\nwrite: 12\ncall 9999: -38\n"
        assert_ended(outcome, 7)

    @pytest.mark.parametrize(("how", "nr"), [("write", 4), ("exit", 1)])
    def test_is_a_compat_mismatch(self, run: Runner, how: str, nr: int) -> None:
        outcome = run("int80", how)
        assert outcome.out == "confined, by syscall\n"
        assert outcome.status == KILLED, outcome.err
        assert [found[:2] for found in blocked(outcome)] == [("int80", nr)]
        assert re.search(r"^killed by seccomp: .*compat", outcome.err, re.M), outcome.err


def test_read_policy(run: Runner) -> None:
    outcome = run("read_policy")
    entries = (
        (0, "sys_read", "fd>2"),
        (1, "sys_write", "((fd == 1) || (fd == 2)) && (count < 8192)"),
        (3, "sys_close", "1"),
        (157, "sys_prctl", "1"),
        (231, "sys_exit_group", "1"),
        (257, "sys_openat", "1"),
    )
    assert outcome.out == (
        f"none:\n{policy(0)}Seccomp:\t0\n"
        f"armed:\n{policy(0, *entries)}"
        f"enforced:\n{policy(1, *entries)}Seccomp:\t2\n{policy(1, *entries)}"
    )
    assert_ended(outcome, 0)


class TestStrict:
    @pytest.mark.parametrize("how", ["", "signal"])
    def test_computes(self, run: Runner, how: str) -> None:
        outcome = run("strict", how, stdin=b"10")
        assert outcome.out == "sum 55\n" + ("handler of 5\n" if how else "")
        assert_ended(outcome, 4)

    @pytest.mark.parametrize(
        ("how", "nr", "name"),
        [
            ("getpid", 39, "sys_getpid"),
            ("mode", 157, "sys_prctl"),
            ("exit_group", 231, "sys_exit_group"),
        ],
    )
    def test_kills(self, run: Runner, how: str, nr: int, name: str) -> None:
        outcome = run("strict", how, stdin=b"3")
        assert outcome.out == "sum 6\n"
        assert_killed(outcome, "strict", nr, name)

    def test_rdtsc_faults(self, run: Runner) -> None:
        outcome = run("strict", "rdtsc", stdin=b"3")
        assert outcome.out == "sum 6\n"
        assert_ended(outcome, SEGV)


def test_prctl_errno(run: Runner) -> None:
    outcome = run("prctl_errno")
    einval = [
        "mode 3",
        "mode 0",
        "mode -1",
        "no colon",
        "unknown name",
        "name without sys_",
        "no name",
        "no expression",
        "white space for an expression",
        "unknown field",
        "lone =",
        "unbalanced",
        "no value",
        "no number",
        "negative number, unsigned field",
        "string operator",
        "expression of 256 bytes",
        "good line, bad line",
        "comments are no lines",
        "narrow badly while enforced",
    ]
    wanted = dict.fromkeys(einval, "EINVAL") | {
        "null": "EFAULT",
        "unreadable": "EFAULT",
        "kernel address": "EFAULT",
        "empty lines are skipped": "0",
        "no newline at the end": "0",
        "the same name twice narrows": "0",
        "1, then an expression": "0",
        "0 takes away": "0",
        "0 without an entry": "0",
        "expression of 255 bytes": "0",
        "taken away again": "0",
        "narrowed too far": "E2BIG",
        "strict mode with a policy": "EPERM",
        "back to none": "EPERM",
        "enforce": "0",
        "add while enforced": "EACCES",
        "narrow while enforced": "0",
        "strict while enforced": "EPERM",
    }
    got = dict(re.findall(r"^(.+): (\w+)$", outcome.out, re.M))
    assert {what: got.get(what) for what in wanted} == wanted
    assert re.findall(r"^mode: (\d)$", outcome.out, re.M) == ["0", "2"]

    armed = (
        (0, "sys_read", "fd <= 100"),
        (1, "sys_write", "fd == 1"),
        (32, "sys_dup", "fildes == 0"),
    )
    enforced = (
        *armed[:2],
        (3, "sys_close", "1"),
        armed[2],
        (157, "sys_prctl", "option <= 22"),
        (231, "sys_exit_group", "1"),
        (257, "sys_openat", "1"),
    )
    shown = re.findall(
        r"^Filtering:.*\n(?:(?:FilterCount|SystemCall|Filter):.*\n)*", outcome.out, re.M
    )
    assert shown == [policy(0), policy(0, *armed), policy(1, *enforced)]
    assert_ended(outcome, 0)
