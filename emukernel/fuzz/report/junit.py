"""Findings as JUnit's XML, which CI servers read: a test case for each entry and each kind."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from emukernel.ftrace.diagnose import printable
from emukernel.fuzz.finding import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from emukernel.fuzz.finding import Finding
    from emukernel.policy import Policy

_MAX_TEXT = 20_000


def junit(
    findings: Iterable[Finding],
    policies: Iterable[Policy] = (),
    *,
    kinds: Sequence[str] = KINDS,
    fail_on: Iterable[str] = (),
    seconds: float = 0.0,
) -> str:
    """The file's text.

    The suite "policy" has a test case for each entry of `policies`, which fails by the findings
    that name its line. The suite "findings" has one for each of `kinds`, which fails by the others
    of that kind. Findings of kinds that `fail_on` does not name, if it names any, are output and no
    failures.
    """
    failing = frozenset(fail_on) or frozenset(KINDS)
    ordered = sorted(findings, key=lambda f: (KINDS.index(f.kind), f.title, f.id))
    rest: list[Finding] = []
    by_line: dict[tuple[str, int], list[Finding]] = {}
    entries = [(policy, entry) for policy in policies for entry in policy.entries]
    lines = {(policy.file, entry.line) for policy, entry in entries}
    for finding in ordered:
        place = finding.place
        where = None if place is None else (place.file, place.line)
        if where is not None and where in lines:
            by_line.setdefault(where, []).append(finding)
        else:
            rest.append(finding)
    root = Element("testsuites", name="emukernel fuzz")
    suites: list[Element] = []
    if entries:
        suites.append(SubElement(root, "testsuite", name="policy"))
    for policy, entry in entries:
        own = by_line.get((policy.file, entry.line), [])
        _case(suites[0], policy.file, f"line {entry.line}: {entry.name}", own, failing)
    suite = SubElement(root, "testsuite", name="findings")
    suites.append(suite)
    present = {finding.kind for finding in rest}
    for kind in KINDS:
        if kind in kinds or kind in present:
            own = [finding for finding in rest if finding.kind == kind]
            _case(suite, "emukernel.fuzz", kind, own, failing)
    tests = failures = 0
    for suite in suites:
        count, failed = len(suite), sum(1 for case in suite if case.find("failure") is not None)
        _counts(suite, count, failed)
        tests, failures = tests + count, failures + failed
    _counts(root, tests, failures)
    root.set("time", f"{seconds:.3f}")
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _counts(element: Element, tests: int, failures: int) -> None:
    element.set("tests", str(tests))
    element.set("failures", str(failures))
    element.set("errors", "0")


def _case(
    suite: Element, group: str, name: str, findings: Sequence[Finding], failing: frozenset[str]
) -> None:
    case = SubElement(suite, "testcase", classname=_clean(group), name=_clean(name), time="0")
    failed = [finding for finding in findings if finding.kind in failing]
    noted = [finding for finding in findings if finding.kind not in failing]
    if failed:
        # One element: several in a test case are not read by all.
        first = failed[0]
        message = first.title if len(failed) == 1 else f"{len(failed)} findings: {first.title}, ..."
        failure = SubElement(
            case, "failure", type=_clean(f"{first.kind}/{first.rule}"), message=_clean(message)
        )
        failure.text = _describe(failed)
    if noted:
        SubElement(case, "system-out").text = _describe(noted)


def _describe(findings: Sequence[Finding]) -> str:
    parts = []
    for finding in findings:
        place = finding.place
        where = "" if place is None else f"{place.file}:{place.line}:{place.column}: "
        parts.append(f"{where}{finding.kind}: {finding.title} ({finding.id})\n{finding.text}")
    return _clean("\n\n".join(parts)[:_MAX_TEXT])


def _clean(text: str) -> str:
    """XML can't hold control characters, not even escaped."""
    return "\n".join(printable(line) for line in text.split("\n"))
