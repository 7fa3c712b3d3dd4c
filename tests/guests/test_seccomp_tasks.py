"""The programs of guest/seccomp about several threads and processes under policies.

A refused call ends the thread that made it; what that means for its process, its parent and its
siblings is Linux's, what is expected of the policy the specification's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import guest_build
import guest_run
import pytest

from emukernel import Kernel

KILLED = 128 + 9

Runner = Callable[..., guest_run.Outcome]


@pytest.fixture(params=guest_build.LIBCS)
def run(
    request: pytest.FixtureRequest, guest: Callable[..., Path], emukernel: Runner
) -> Runner:
    def run_guest(name: str, *args: str) -> guest_run.Outcome:
        return emukernel(guest(f"seccomp/{name}", request.param), args)

    return run_guest


def others(outcome: guest_run.Outcome) -> list[int]:
    """The tasks that stderr says seccomp ended while the first process went on."""
    found = re.findall(r"^task (\d+) \(\S+\) killed by seccomp: sys_getppid\(\)", outcome.err, re.M)
    return [int(pid) for pid in found]


class TestThreadsRefused:
    def test_the_others_live_on(self, run: Runner) -> None:
        outcome = run("threads_refused", "worker")
        assert outcome.out == (
            "the worker is gone: -\n"
            "signal 0 to it: ESRCH\n"
            "its lock: the owner died\n"
            "the other worker goes on\n"
        )
        assert outcome.status == 3, outcome.err
        assert others(outcome) == [102]
        assert not re.search("^killed", outcome.err, re.M)

    def test_with_the_last_one_the_process_ends(self, run: Runner) -> None:
        outcome = run("threads_refused", "all")
        assert outcome.status == KILLED, outcome.err
        assert others(outcome) == [101, 102]
        assert outcome.err.splitlines()[-1].startswith("killed by seccomp: sys_getppid() at")

    def test_the_first_thread_is_a_zombie_meanwhile(self, run: Runner) -> None:
        outcome = run("threads_refused", "leader")
        assert outcome.out == "the first thread is a zombie, its process is not\n"
        assert outcome.status == 4, outcome.err
        assert others(outcome) == [100]

    def test_the_first_threads_end_is_the_processs(self, run: Runner) -> None:
        outcome = run("threads_refused", "last")
        assert outcome.out == "the first thread is a zombie, its process is not\n"
        assert outcome.status == KILLED, outcome.err
        assert others(outcome) == []
        assert outcome.err.startswith("killed by seccomp: sys_getppid() at")

    def test_strict_mode_is_a_threads(self, run: Runner) -> None:
        outcome = run("threads_refused", "strict")
        assert outcome.out == "worker: -, its process: mode 0\n"
        assert outcome.status == 3, outcome.err
        assert "sys_getppid is not among the calls of strict mode" in outcome.err

    def test_quiet_says_nothing(self, guest: Callable[..., Path], emukernel: Runner) -> None:
        program = guest("seccomp/threads_refused")
        assert emukernel(program, ["worker"], options=["--quiet"]).err == ""


def test_narrow_in_thread(run: Runner) -> None:
    outcome = run("narrow_in_thread")
    assert outcome.out == (
        "narrows: 0\n"
        "a sibling calls getppid: yes\n"
        "the one that narrowed: mode 2, write: (fd == 1) && (count < 4096), getppid: no\n"
        "the first thread: mode 2, write: fd == 1, getppid: yes\n"
        "its child: mode 2, write: (fd == 1) && (count < 4096), getppid: no\n"
        "the first thread calls getppid: yes\n"
    )
    assert outcome.status == 0, outcome.err
    assert others(outcome) == [103, 102]


def test_fork_inherit(run: Runner) -> None:
    outcome = run("fork_inherit")
    assert outcome.out == "".join(
        f"{how}: mode 2\n{how}: killed, told: {told}\n"
        for told, how in enumerate(("fork", "vfork", "clone", "exec"), 1)
    ) + "thread: mode 2\nthe process lives, told: 4\n"
    assert outcome.status == 0, outcome.err
    assert others(outcome) == [101, 102, 103, 104, 105]


@pytest.mark.parametrize(
    ("how", "refused"),
    [
        ("fork", "sys_fork"),
        ("clone", "sys_clone"),
        ("high", "sys_clone"),
        ("clone3", "sys_clone3"),
        ("thread", ""),
    ],
)
def test_clone_flags(run: Runner, how: str, refused: str) -> None:
    outcome = run("clone_flags", how)
    assert outcome.out == "thread flags: 0x350f00\na thread\n"
    assert outcome.status == (KILLED if refused else 0), outcome.err
    if refused:
        assert outcome.err.startswith(f"killed by seccomp: {refused}(")


def test_arm_for_exec_child(run: Runner) -> None:
    outcome = run("arm_for_exec_child")
    assert outcome.out == (
        "grandchild: mode 2, getppid works: yes\n"
        "before exec: mode 2, filtering 0, 15 entries\n"
        "after exec: mode 2, filtering 1, 15 entries\n"
        "confined: x\n"
        "it was killed\n"
        "the supervisor: mode 0, filtering 0, 0 entries\n"
    )
    assert outcome.status == 0, outcome.err
    assert others(outcome) == [101]


def test_python_knows_every_refusal(guest: Callable[..., Path]) -> None:
    result = Kernel().run(str(guest("seccomp/threads_refused")), ["guest", "all"])
    assert [r.violation.pid for r in result.violations] == [101, 102, 100]
    assert {r.violation.kind for r in result.violations} == {"no-entry"}
    assert (result.status, result.signal) == (None, 9)
