"""Policies that are known to be tight, and policies that are known to have a hole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emukernel.ftrace.filter import create
from emukernel.ftrace.region import Regions
from emukernel.fuzz.audit import Audit, audit, replay
from emukernel.fuzz.audit.rules import Rules
from emukernel.policy import Policy

FOLDER = Path(__file__).parent / "policies"
TIGHT = sorted(FOLDER.glob("tight/*.policy"))
HOLED = sorted(FOLDER.glob("holed/*.policy"))


def name(path: Path) -> str:
    return path.stem


def test_there_are_twelve() -> None:
    assert len(TIGHT) == 12


@pytest.mark.parametrize("path", TIGHT, ids=name)
def test_tight_policies_have_no_way_around(path: Path) -> None:
    findings = audit(Policy.from_file(str(path)))
    assert [finding.title for finding in findings if finding.kind == "bypass"] == []


@pytest.mark.parametrize("path", HOLED, ids=name)
def test_holes_are_found_and_shown(path: Path) -> None:
    policy = Policy.from_file(str(path))
    expected = re.findall(r"^# expect: (\S+) (\S+) (\S+)$", path.read_text(), re.MULTILINE)
    assert expected
    findings = audit(policy)
    names = {entry.line: entry.name for entry in policy.entries}
    found = {(f.kind, f.rule, names[f.place.line]) for f in findings if f.place}
    assert set(expected) <= found
    rules = Rules(policy)
    for finding in findings:
        if finding.kind != "bypass":
            continue
        refused, passed = replay(finding)
        assert "killed by SIGKILL" in refused[-1]
        assert any("seccomp: refused" in line for line in refused)
        assert finding.evidence["effect"]
        assert refused == finding.evidence["refused"]["trace"]
        assert passed == finding.evidence["passed"]["trace"]
        suggestion = finding.evidence.get("suggestion")
        if suggestion and suggestion["expression"] not in ("0", "1"):
            event = rules.events.by_entry(suggestion["name"])
            assert event is not None
            made = create(event, suggestion["expression"])
            assert Regions().of(made.expression) is not False


@pytest.mark.parametrize(
    "stem", ["tiocsti", "trap", "truncated_fd", "openat", "writev", "execveat", "half", "fchmodat"]
)
def test_written_as_suggested_a_policy_has_no_hole(stem: str) -> None:
    policy = Policy.from_file(str(FOLDER / "holed" / f"{stem}.policy"))
    for _ in range(4):
        findings = [finding for finding in audit(policy) if finding.kind == "bypass"]
        if not findings:
            break
        suggestion = findings[0].evidence["suggestion"]
        name, better = suggestion["name"], suggestion["expression"]
        entries = [(e.name, e.expression) for e in policy.entries if e.name != name]
        policy = Policy.from_entries([*entries, (name, better)])
    else:
        pytest.fail(f"still open: {[finding.title for finding in findings]}")


def test_other_numbers_are_tried_and_refused() -> None:
    trials = Audit(Policy.from_text("sys_socket: family == 1\nsys_exit_group: 1")).trials
    outcomes = {trial.form: trial.outcome for trial in trials}
    for form in ("socket by int $0x80", "socket by socketcall"):
        assert "compat mismatch" in outcomes[form]
    assert "no entry" in outcomes["socket as x32 numbers it"]
    assert "family == 1 is false" in outcomes["socket with RAX's high half set"]
