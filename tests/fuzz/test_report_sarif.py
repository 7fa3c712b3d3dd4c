"""Findings as SARIF 2.1.0: what the standard requires of a log."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from campaign_folders import HOSTILE, crash, loose

from emukernel.fuzz.finding import KINDS, Finding, Place
from emukernel.fuzz.report.sarif import sarif, sarif_text, uri


def check(log: dict[str, Any]) -> list[dict[str, Any]]:
    """The log's results, after what SARIF 2.1.0 says of required properties and references."""
    assert log["version"] == "2.1.0"
    assert log["$schema"].startswith("https://")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        assert result["locations"]
        stacks = result.get("stacks", [])
        frames = [frame["location"] for stack in stacks for frame in stack["frames"]]
        for location in result["locations"]:
            assert "physicalLocation" in location
        for location in [*result["locations"], *frames]:
            check_location(location)
        assert all(result["partialFingerprints"].values())
    return list(run["results"])


def check_location(location: dict[str, Any]) -> None:
    place = location.get("physicalLocation")
    if place is not None:
        parts = urlsplit(place["artifactLocation"]["uri"])
        assert parts.scheme in ("", "file")
        assert parts.path
        region = place["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
        assert region.get("endColumn", 1 << 30) > region["startColumn"]
    for logical in location.get("logicalLocations", []):
        assert logical["fullyQualifiedName"]


def test_a_finding_about_the_policy_has_its_place() -> None:
    finding = loose()
    (result,) = check(sarif([finding], command="emukernel fuzz"))
    assert result["ruleId"] == "loose/unused-arm"
    assert result["level"] == "note"
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "a.policy"},
                "region": {"startLine": 2, "startColumn": 22, "endColumn": 29},
            }
        }
    ]
    assert list(result["partialFingerprints"].values()) == [finding.id]
    assert result["properties"]["advice"] == "Tighter: sys_read: fd == 0"


def test_a_finding_about_the_program_has_its_source_line_and_stack() -> None:
    (result,) = check(sarif([crash(4)]))
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "guest.c"
    assert place["region"]["startLine"] == 41
    frames = result["stacks"][0]["frames"]
    names = [f["location"]["logicalLocations"][0]["fullyQualifiedName"] for f in frames]
    assert names == ["memcpy+0x1", "f4+0x2"]
    assert result["level"] == "error"


def test_without_any_line_it_is_the_program_itself() -> None:
    (result,) = check(sarif([crash(evidence={})]))
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "file:///bin/guest"
    (result,) = check(sarif([crash(evidence={"stack": [{}, 3]}, replay={})]))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "program"


def test_rules_are_listed_once_and_order_does_not_matter() -> None:
    findings = [crash(3), loose(1), crash(1), loose(0)]
    text = sarif_text(findings)
    assert text == sarif_text(reversed(findings))
    log = json.loads(text)
    assert [rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]] == [
        "crash/signal-sigsegv", "loose/unused-arm",
    ]
    assert len(check(log)) == 4


def test_no_findings_are_a_log_without_results() -> None:
    assert check(sarif([])) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_rule(kind: str) -> None:
    check(sarif([Finding(kind, "rule", "key", "title", "text")]))


def test_hostile_texts_are_valid_json_and_uris() -> None:
    text = HOSTILE + "\udcff"
    finding = crash(
        title=text, text=text, rule=text, place=Place(text, 0, 0, 0),
        evidence={"stack": [{"function": text, "source": f"{text}:999999999999"}], "entry": text},
    )
    raw = sarif_text([finding], command=text).encode()
    (result,) = check(json.loads(raw))
    assert "<" not in result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_uris() -> None:
    assert uri("a b.policy") == "a%20b.policy"
    assert uri("/etc/a#b") == "file:///etc/a%23b"
    assert uri("c:d") == "c%3Ad"
    assert uri("<policy>") == "%3Cpolicy%3E"
