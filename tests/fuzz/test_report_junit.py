"""Findings as JUnit's XML."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

from campaign_folders import HOSTILE, POLICY, crash, loose, run_command

from emukernel.fuzz.finding import KINDS, Place
from emukernel.fuzz.report.junit import junit
from emukernel.policy import Policy


def cases(text: str) -> dict[str, Element]:
    """The test cases by name, after a look at the counts."""
    root = fromstring(text)
    assert root.tag == "testsuites"
    found: dict[str, Element] = {}
    failures = 0
    for suite in root:
        assert suite.tag == "testsuite"
        assert int(suite.get("tests", "")) == len(suite)
        failed = [case for case in suite if case.find("failure") is not None]
        assert int(suite.get("failures", "")) == len(failed)
        failures += len(failed)
        for case in suite:
            assert case.get("classname")
            assert len(case.findall("failure")) <= 1
            found[case.get("name", "")] = case
    assert int(root.get("tests", "")) == len(found)
    assert int(root.get("failures", "")) == failures
    return found


def failed(text: str) -> list[str]:
    return [name for name, case in cases(text).items() if case.find("failure") is not None]


def test_an_entry_and_a_kind_are_a_test_case_each() -> None:
    policy = Policy.from_text(POLICY, file="a.policy")
    names = list(cases(junit([], [policy])))
    assert names == ["line 2: sys_read", "line 3: sys_open", "line 4: sys_exit_group", *KINDS]
    assert failed(junit([], [policy])) == []
    assert list(cases(junit([], [policy], kinds=("loose",))))[3:] == ["loose"]


def test_findings_fail_their_entry_or_their_kind() -> None:
    policy = Policy.from_text(POLICY, file="a.policy")
    elsewhere = replace(loose(1), place=Place("b.policy", 2, 1))
    text = junit([crash(1), crash(2), loose(), elsewhere], [policy])
    assert failed(text) == ["line 2: sys_read", "crash", "loose"]
    failure = cases(text)["crash"].find("failure")
    assert failure is not None
    assert failure.get("type") == "crash/signal-sigsegv"
    assert (failure.get("message") or "").startswith("2 findings: SIGSEGV in f1")
    assert "SIGSEGV in f2" in (failure.text or "")


def test_kinds_that_are_not_to_fail_are_output() -> None:
    text = junit([crash(1), loose()], fail_on=["crash"])
    assert failed(text) == ["crash"]
    output = cases(text)["loose"].find("system-out")
    assert output is not None
    assert "fd == 3 was never needed" in (output.text or "")


def test_a_finding_of_a_kind_that_was_not_looked_for_is_there_all_the_same() -> None:
    assert failed(junit([crash()], kinds=("loose",))) == ["crash"]


def test_hostile_texts_are_well_formed() -> None:
    text = HOSTILE + "\x00\ud800\uffff]]>"
    finding = crash(title=text, text=text, rule=text)
    made = junit([finding])
    assert "<script" not in made
    failure = cases(made.encode().decode())["crash"].find("failure")
    assert failure is not None
    assert "<script>alert('x')</script>" in (failure.text or "")


def test_an_audit_of_policies_writes_both(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.policy", tmp_path / "bad.policy"
    good.write_text("sys_read: fd == 0\nsys_exit_group: 1\n")
    bad.write_text("#\nsys_read: fd != 3\nsys_write: fd != 1 || fd != 2\nsys_exit_group: 1\n")
    sarif, xml = tmp_path / "r.sarif", tmp_path / "r.xml"
    done = run_command(
        "fuzz", "--policy-only", "--sarif", sarif, "--junit", xml, "--fail-on", "bypass", good, bad
    )
    assert done.returncode == 1, done.stderr
    found = cases(xml.read_text())
    assert len(found) == 5 + 2
    assert failed(xml.read_text()) == ["line 2: sys_read", "line 3: sys_write"]
    log = json.loads(sarif.read_text())
    places = [
        result["locations"][0]["physicalLocation"] for result in log["runs"][0]["results"]
    ]
    assert {place["artifactLocation"]["uri"] for place in places} == {f"file://{bad}"}
    assert {place["region"]["startLine"] for place in places} == {2, 3}
