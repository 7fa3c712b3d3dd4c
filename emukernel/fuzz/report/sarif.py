"""Findings as SARIF 2.1.0 (OASIS), which code hosts and editors read."""

from __future__ import annotations

import json
import os
import re
from urllib.parse import quote

from emukernel.fuzz.finding import KINDS
from emukernel.fuzz.report.advice import advice_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from emukernel.fuzz.finding import Finding

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

#: The name of our fingerprint: `Finding.id`, the same in every campaign that finds the same.
FINGERPRINT = "emukernelFinding/v1"

_LEVELS = {"hang": "warning", "oom": "warning", "loose": "note"}
_MEANINGS = {
    "denied": "The program makes a call that the policy refuses.",
    "crash": "The program ends by a fault.",
    "abort": "The program aborts.",
    "hang": "The program does not end.",
    "oom": "The program uses up the memory.",
    "loose": "The policy allows what no run needs.",
    "bypass": "What the policy refuses can be had in another way.",
    "engine": "Two evaluations of the policy that must agree do not.",
}
_SOURCE = re.compile(r"(.+):(\d+)", re.DOTALL)


def sarif(findings: Iterable[Finding], *, command: str = "") -> dict[str, Any]:
    """The log as plain JSON, with one run; results in the order of KINDS and titles."""
    from emukernel import __version__

    ordered = sorted(findings, key=lambda f: (KINDS.index(f.kind), f.title, f.id))
    rules: dict[str, int] = {}
    for finding in ordered:
        rules.setdefault(rule_id(finding), len(rules))
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "emukernel",
                "semanticVersion": __version__,
                "rules": [_rule(name) for name in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, rules[rule_id(finding)]) for finding in ordered],
    }
    if command:
        run["invocations"] = [{"commandLine": _text(command), "executionSuccessful": True}]
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def sarif_text(findings: Iterable[Finding], *, command: str = "") -> str:
    """The log as a file's text."""
    return json.dumps(sarif(findings, command=command), indent=1) + "\n"


def rule_id(finding: Finding) -> str:
    """`bypass/truncation`."""
    return _text(f"{finding.kind}/{finding.rule}")


def _rule(name: str) -> dict[str, Any]:
    kind = name.partition("/")[0]
    return {
        "id": name,
        "shortDescription": {"text": _MEANINGS[kind]},
        "defaultConfiguration": {"level": level(kind)},
    }


def level(kind: str) -> str:
    """SARIF's level of a kind of finding."""
    return _LEVELS.get(kind, "error")


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": rule_id(finding),
        "ruleIndex": rule,
        "level": level(finding.kind),
        "message": {"text": _text(f"{finding.title}\n\n{finding.text}")},
        "locations": [_location(finding)],
        "partialFingerprints": {FINGERPRINT: finding.id},
    }
    frames = _frames(finding)
    if frames:
        result["stacks"] = [{"message": {"text": "innermost first"}, "frames": frames}]
    properties: dict[str, Any] = {"kind": finding.kind}
    if finding.input is not None:
        from base64 import b64encode

        properties["input"] = b64encode(finding.input).decode()
    advice = advice_of(finding)
    if advice is not None:
        properties["advice"] = _text("{}: {}".format(*advice))
    result["properties"] = properties
    return result


def _location(finding: Finding) -> dict[str, Any]:
    """The place in the policy; else the innermost source line; else the program."""
    place = finding.place
    if place is not None:
        region = {
            "startLine": max(1, place.line),
            "startColumn": max(1, place.column),
            "endColumn": max(1, place.column) + max(1, place.length),
        }
        return {
            "physicalLocation": {"artifactLocation": {"uri": uri(place.file)}, "region": region}
        }
    for frame in _frames(finding):
        location: dict[str, Any] = frame["location"]
        if "region" in location.get("physicalLocation", {}):
            return location
    target = finding.replay.get("target")
    program = target.get("program") if isinstance(target, dict) else None
    name = program if isinstance(program, str) and program else "program"
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri(name)}, "region": {"startLine": 1, "startColumn": 1}
        }
    }


def _frames(finding: Finding) -> list[dict[str, Any]]:
    stack = finding.evidence.get("stack")
    if not isinstance(stack, list):
        return []
    return [{"location": _frame(frame)} for frame in stack[:64] if isinstance(frame, dict)]


def _frame(frame: dict[str, Any]) -> dict[str, Any]:
    function = _text(str(frame.get("function") or frame.get("address", "?")))
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": function, "kind": "function"}]
    }
    match = _SOURCE.fullmatch(str(frame.get("source", "")))
    if match and 0 < int(match[2]) < 1 << 31:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": uri(match[1])},
            "region": {"startLine": int(match[2]), "startColumn": 1},
        }
    return location


def uri(path: str) -> str:
    """A file's URI: relative paths stay relative, to where the command ran."""
    quoted = quote(path.encode(errors="surrogateescape"), safe="/")
    return f"file://{quoted}" if os.path.isabs(path) else quoted


def _text(text: str) -> str:
    """Text that is valid Unicode."""
    return text.encode(errors="backslashreplace").decode()
