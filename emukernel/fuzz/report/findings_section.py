"""The findings in a report: each with its text, evidence, input, replay command and trace."""

from __future__ import annotations

import json
import os
from shlex import join as shell_join

from emukernel.fuzz.report.advice import advice_of
from emukernel.fuzz.report.hexdump import hexdump
from emukernel.fuzz.report.load import findings_by_kind
from emukernel.fuzz.report.markup import Markup, tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from emukernel.fuzz.finding import Finding
    from emukernel.fuzz.report.load import Report

#: Findings that are shown whole.
MAX_SHOWN = 1_000
#: Characters for all inputs, traces and the rest of the evidence, divided among the findings.
_INPUTS, _TRACES, _EVIDENCE = 1_000_000, 1_000_000, 600_000
_MAX_TEXT = 20_000


def findings_section(report: Report) -> Markup:
    """The whole section."""
    findings = report.findings
    if not findings:
        return tag("p", "Nothing was found.", class_="dim")
    shown = findings[:MAX_SHOWN]
    share = max(1, len(shown))
    parts = [_filter(findings)]
    parts += [
        _finding(report, finding, bytes_shown=max(128, min(4096, _INPUTS // 5 // share)),
                 trace=max(400, min(16_000, _TRACES // share)),
                 evidence=max(400, min(8_000, _EVIDENCE // share)))
        for finding in shown
    ]
    if len(findings) > MAX_SHOWN:
        rest = f"{len(findings) - MAX_SHOWN:,} more are in the folder findings/."
        parts.append(tag("p", rest, class_="dim"))
    return tag("div", *parts, class_="findings")


def _filter(findings: Sequence[Finding]) -> Markup | None:
    """Boxes that hide a kind; the style sheet does the hiding."""
    counts = findings_by_kind(findings)
    if len(counts) < 2:
        return None
    boxes = [
        tag(
            "label",
            tag("input", type="checkbox", checked="checked", id=f"show-{kind}"),
            tag("span", f"{kind} {count:,}", class_=f"badge kind-{kind}"),
        )
        for kind, count in counts.items()
    ]
    return tag("fieldset", tag("legend", "Show"), *boxes, class_="filter")


def _finding(
    report: Report, finding: Finding, *, bytes_shown: int, trace: int, evidence: int
) -> Markup:
    place = finding.place
    where = None
    if place is not None:
        where = tag(
            "p", "In the policy: ",
            tag("a", f"{place.file}:{place.line}:{place.column}", href=f"#line-{place.line}"),
        )
    summary = tag(
        "summary", tag("span", finding.kind, class_=f"badge kind-{finding.kind}"), " ",
        tag("span", finding.title, class_="title"), " ", tag("span", finding.id, class_="id dim"),
    )
    rest = {
        key: value for key, value in finding.evidence.items() if key not in ("stack", "entry")
    }
    return tag(
        "details",
        summary,
        # Links lead to what is inside: browsers open the element for that.
        tag("p", _cut(finding.text, _MAX_TEXT), class_="text", id=finding.id),
        where,
        _advice(finding),
        _stack(finding.evidence.get("stack")),
        _input(finding, bytes_shown),
        _replay(report, finding),
        _trace(report.traces.get(finding.id), trace),
        _block("Evidence", _cut(_pretty(rest), evidence), "evidence") if rest else None,
        class_=f"finding of-{finding.kind}",
    )


def _advice(finding: Finding) -> Markup | None:
    advice = advice_of(finding)
    if advice is None:
        return None
    return tag("p", f"{advice[0]}: ", tag("code", advice[1]), class_="advice")


def _stack(stack: Any) -> Markup | None:
    if not isinstance(stack, list) or not stack:
        return None
    rows = []
    for frame in stack[:16]:
        if isinstance(frame, dict):
            address = frame.get("address")
            shown = f"{address:#x}" if isinstance(address, int) else "?"
            rows.append(
                tag("tr", tag("td", tag("code", shown)),
                    tag("td", tag("code", str(frame.get("function", "")))),
                    tag("td", str(frame.get("source", ""))))
            )
    head = tag("tr", *(tag("th", t, scope="col") for t in ("Address", "Function", "Source")))
    return tag(
        "div", tag("h4", "Stack, innermost first"),
        tag("table", tag("thead", head), tag("tbody", *rows)), class_="scroll", tabindex=0,
        role="region", aria_label="stack",
    )


def _input(finding: Finding, limit: int) -> Markup | None:
    data = finding.input
    if data is None:
        return None
    size = "1 byte" if len(data) == 1 else f"{len(data):,} bytes"
    return _block(f"Input, minimised ({size})", hexdump(data, limit) or "(empty)", "input", True)


def _replay(report: Report, finding: Finding) -> Markup | None:
    if not finding.replay:
        return None
    path = os.path.join(report.path, "findings", f"{finding.id}.json")
    command = shell_join(["emukernel", "replay", "--trace", path])
    return _block("To see it again", command, "replay", True)


def _trace(text: str | None, limit: int) -> Markup | None:
    return None if not text else _block("Trace", _cut(text, limit), "trace", len(text) < 1500)


def _block(title: str, text: str, label: str, is_open: bool = False) -> Markup:
    return tag(
        "details", tag("summary", title),
        tag("pre", text, tabindex=0, role="region", aria_label=label),
        open="open" if is_open else None, class_="block",
    )


def _pretty(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=1, ensure_ascii=False, default=repr)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n... {len(text) - limit:,} more characters"
