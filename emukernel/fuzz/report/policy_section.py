"""The policy's text in a report: each line with its hits, what its predicates gave, and advice."""

from __future__ import annotations

from emukernel.fuzz.report.advice import advice_of
from emukernel.fuzz.report.markup import Markup, join, tag
from emukernel.fuzz.units import short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from emukernel.fuzz.finding import Finding
    from emukernel.fuzz.report.load import Report
    from emukernel.fuzz.report.matrix import Hit

#: Lines and findings of one line that are shown.
_MAX_LINES, _MAX_REMARKS = 5_000, 20
_MAX_TEXT = 200_000


def policy_section(report: Report) -> Markup:
    """The whole section."""
    text = report.policy_text
    if text is None:
        return tag("p", "The guest ran under no policy.", class_="dim")
    lines = text.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    names = _entry_names(report, text)
    remarks: dict[int, list[Finding]] = {}
    for finding in report.findings:
        if finding.place is not None:
            remarks.setdefault(finding.place.line, []).append(finding)
    most = max((hit.allowed + hit.refused for hit in report.hits.values()), default=0)
    rows = []
    for number, line in enumerate(lines[:_MAX_LINES], 1):
        found = remarks.get(number, [])
        hit = report.hits.get(names.get(number, ""))
        rows.append(_row(number, line, hit, number in names, most, found))
        rows.extend(_remarks(found))
    if len(lines) > _MAX_LINES:
        rest = f"{len(lines) - _MAX_LINES:,} more lines"
        rows.append(tag("tr", tag("td", rest, colspan=4, class_="dim")))
    head = tag(
        "tr", tag("th", "Line", scope="col", class_="number"),
        tag("th", "Allowed", scope="col", class_="number"),
        tag("th", "Refused", scope="col", class_="number"), tag("th", "Policy", scope="col"),
    )
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="policy")
    return join(_legend(report), _scroll(table, "the policy"), _minimized(report))


def _minimized(report: Report) -> Markup | None:
    if report.tightness is None:
        return None
    killed, mutants = report.tightness
    text = tag(
        "pre", report.minimized[:_MAX_TEXT], tabindex=0, role="region",
        aria_label="the smallest policy",
    )
    return join(
        tag("p", f"Tightness: the runs killed {killed:,} of {mutants:,} mutants of the policy."),
        tag("details", tag("summary", "The smallest policy that every run passes"), text,
            class_="block"),
    )


def _scroll(content: Markup, label: str) -> Markup:
    # Focusable, so that the keyboard can scroll it.
    return tag("div", content, class_="scroll", tabindex=0, role="region", aria_label=label)


def _legend(report: Report) -> Markup:
    unused = [hit.name for hit in report.hits.values() if not hit.allowed and not hit.refused]
    if not report.recorded:
        return tag("p", "No hits: the corpus was not run again for them.", class_="dim")
    said = f"{len(report.hits) - len(unused)} of {len(report.hits)} entries exercised."
    if unused:
        said += f" Never: {', '.join(unused)}."
    return join(tag("p", report.policy_file, class_="file"), tag("p", said))


def _entry_names(report: Report, text: str) -> dict[int, str]:
    """Line -> name of the call whose entry it makes."""
    from emukernel.policy import Policy, PolicyError

    try:
        policy = Policy.from_text(
            text, ptregs_events=bool(report.target.get("ptregs_events", True))
        )
    except PolicyError:
        return {}
    names = {}
    for entry in policy.entries:
        made = None if entry.nr is None else policy.filters.get(entry.nr)
        if made is not None:
            names[entry.line] = made.name
    return names


def _row(
    number: int, line: str, hit: Hit | None, is_entry: bool, most: int, found: Sequence[Finding]
) -> Markup:
    allowed = refused = ""
    style = ""
    if hit is not None:
        allowed, refused = short(hit.allowed), short(hit.refused) if hit.refused else ""
        style = "" if hit.allowed or hit.refused else "never"
    if is_entry and hit is None:
        allowed = refused = "?"
    # The square root lets rare entries be seen beside frequent ones.
    share = ((hit.allowed + hit.refused) / most) ** 0.5 if hit is not None and most else 0.0
    code = tag("code", _marked(line, number, found) if found else _coloured(line))
    body = [code]
    if hit is not None and hit.predicates:
        body.append(_predicates(hit))
    return tag(
        "tr",
        tag("td", number, class_="number dim", id=f"line-{number}"),
        tag("td", allowed, class_="number bar", style=f"--share:{share:.3f}"),
        tag("td", refused, class_="number" + (" refused" if hit and hit.refused else "")),
        tag("td", *body),
        class_=style or None,
    )


def _coloured(line: str) -> Markup:
    code, mark, comment = line.partition("#")
    return join(code, tag("span", mark + comment, class_="comment") if mark else None)


def _marked(line: str, number: int, found: Sequence[Finding]) -> Markup:
    """The line with the first finding's place marked."""
    place = next(f.place for f in found if f.place is not None and f.place.line == number)
    start = min(max(0, place.column - 1), len(line))
    end = min(len(line), start + max(1, place.length))
    return join(line[:start], tag("mark", line[start:end]), line[end:])


def _predicates(hit: Hit) -> Markup:
    chips = []
    for text, true, false in hit.predicates:
        style = "chip"
        if not true or not false:
            style += " never" if not true else " one-sided"
        said = f"{text}: true {true:,} times, false {false:,} times"
        chips.append(
            tag(
                "span", tag("code", text), f" ✓{short(true)} ✗{short(false)}", class_=style,
                title=said,
            )
        )
    return tag("div", *chips, class_="chips")


def _remarks(found: Sequence[Finding]) -> list[Markup]:
    rows = []
    for finding in found[:_MAX_REMARKS]:
        words = advice_of(finding)
        advice = None
        if words is not None:
            advice = tag("div", f"{words[0]}: ", tag("code", words[1]), class_="advice")
        link = tag("a", f"{finding.kind}: {finding.title}", href=f"#{finding.id}")
        body = tag("td", link, advice, colspan=1)
        rows.append(tag("tr", tag("td", colspan=3), body, class_=f"remark kind-{finding.kind}"))
    if len(found) > _MAX_REMARKS:
        more = f"{len(found) - _MAX_REMARKS} more findings"
        rows.append(tag("tr", tag("td", colspan=3), tag("td", more), class_="remark"))
    return rows
