"""The engine against a second opinion, and the lists of calls that need no program."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from emukernel.fuzz.campaign import Campaign, Settings
from emukernel.fuzz.executor import Executor
from emukernel.fuzz.finding import Finding
from emukernel.fuzz.generate import Generator
from emukernel.fuzz.reference import Unsupported, evaluate, parse
from emukernel.fuzz.replay import replay
from emukernel.fuzz.selfcheck import Check, self_check
from emukernel.fuzz.sequence import CallList, Step
from emukernel.fuzz.syscalls import calls_target, describe_calls
from emukernel.fuzz.target import Target
from emukernel.kernel.fs import read_write
from emukernel.kernel.syscalls.dispatch import ROWS
from emukernel.policy import Policy

DEMO = Path(__file__).resolve().parents[2] / "emukernel" / "data"


def test_all_evaluations_agree() -> None:
    policy = Policy.from_file(str(DEMO / "demo-hole.policy"))
    target = Target(str(DEMO / "demo.elf"), ("demo",), policy=policy)
    check = self_check(300, 1, target, policy)
    assert check.findings == []
    assert check.evaluations > 7000


def test_a_disagreement_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emukernel.fuzz.selfcheck.evaluate", lambda tree, values: False)
    check = Check(Random(1))
    check.policy(Policy.from_text("sys_read: fd == 0"))
    assert {f.rule for f in check.findings} == {"engine-verdicts"}
    assert check.findings[0].evidence["verdicts"]["compiled"] is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fd == 1 || fd == 2 && count > 3", True),
        ("(fd == 1 || fd == 2) && count > 3", False),
        ("fd != 0x1", False),
        ("count <= 010", True),
        ("count < 18446744073709551615", True),
    ],
)
def test_the_second_opinion(text: str, expected: bool) -> None:
    assert evaluate(parse(text), {"fd": 1, "count": 2}) is expected


@pytest.mark.parametrize("text", ["", "fd", "fd == 1 ||", "(fd == 1", "fd ~ 3", "fd == 09"])
def test_what_the_second_opinion_leaves_alone(text: str) -> None:
    with pytest.raises(Unsupported):
        parse(text)


# -- lists of calls ------------------------------------------------------------------------------


def step(nr: int, *args: int, **results: int) -> Step:
    places = tuple(results.get(f"a{at}", -1) for at in range(6))
    return Step(nr, (*args, *(0,) * (6 - len(args))), places)


def test_lists_of_calls_are_made_with_their_results() -> None:
    executor = Executor(calls_target(None))
    try:
        # dup(1), then write(that descriptor, text, 5), then getpid.
        calls = CallList(
            (step(32, 1), step(1, 0, 0x502000, 5, a0=0), step(39)), b"hello and more"
        )
        assert CallList.unpack(calls.pack()).steps == calls.steps
        outcome = executor.run(calls.pack())
        assert (outcome.verdict, [call[:2] for call in outcome.calls]) == (
            "ok", [(32, 1), (1, 3), (39, 0)],
        )
        assert executor.output()[0] == b"hello"
        assert executor.run(CallList(()).pack()).calls == []
        assert executor.differences() == []
    finally:
        executor.close()


def test_steps_move_with_what_refers_to_them() -> None:
    calls = CallList((step(39), step(32, 1), step(1, a0=1)))
    assert calls.without(0).steps[1].results[0] == 0
    assert calls.without(1).steps[1].results[0] == -1
    assert calls.inserted(1, step(39)).steps[3].results[0] == 2
    assert describe_calls(calls.pack())[2] == "r2 = write(r1, 0x0, 0x0, 0x0, 0x0, 0x0)"


def test_generated_lists_are_reproducible_and_fit() -> None:
    made = []
    for _ in range(2):
        generator = Generator(Random(4), list(ROWS), [3])
        calls = generator.new()
        for _ in range(100):
            calls = generator.mutate(calls, generator.new())
        made.append(calls.pack())
    assert made[0] == made[1]
    assert CallList.unpack(made[0]).pack() == made[0]


def campaign(out: Path, policy: Policy | None, execs: int) -> list[Finding]:
    settings = Settings(
        calls_target(policy), str(out), execs=execs, syscalls=True, audit=False
    )
    made = Campaign(settings)
    made.run()
    return made.findings()


def test_the_kernel_stands_made_up_calls(tmp_path: Path) -> None:
    assert campaign(tmp_path / "out", None, 400) == []


def test_a_hole_is_found_without_a_program(tmp_path: Path) -> None:
    policy = Policy.from_text("sys_read: fd != 3\nsys_dup: 1")
    found = campaign(tmp_path / "out", policy, 1500)
    finding = next(f for f in found if f.rule == "run-truncation")
    assert "00000003 for 3, which the policy refuses" in finding.title
    assert finding.input is not None
    assert len(CallList.unpack(finding.input).steps) == 1
    again = replay(Target.from_json(finding.replay["target"]), finding.input)
    assert [f.id for f in again] == [finding.id]


def test_an_exception_of_the_kernel_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(task: object, fd: int, buf: int, count: int) -> int:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(read_write, "sys_read", broken)
    found = campaign(tmp_path / "out", Policy.from_text("sys_read: 1\nsys_getpid: 1"), 100)
    (finding,) = found
    assert (finding.kind, finding.rule) == ("engine", "engine-exception")
    assert "ZeroDivisionError" in finding.title
    assert len(finding.evidence["calls"]) == 1
