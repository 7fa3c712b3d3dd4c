"""`emukernel fuzz --policy-only`: what is wrong with a policy, without a program to run."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from emukernel.fuzz.audit import Audit
    from emukernel.fuzz.finding import Finding
    from emukernel.policy.policy import Policy

EXIT_OK = 0
EXIT_FOUND = 1
EXIT_USAGE = 2

_WIDTH = 96

_EPILOG = """\
Two kinds of findings, each with its place in the policy:

  bypass  the policy refuses something, and lets it pass under another name or in another form. Each
          is shown: a small program does it in the emulated kernel, under the policy
  loose   an entry says less, or allows more, than it seems to

examples:
  emukernel fuzz --policy-only server.policy
  emukernel fuzz --policy-only --fail-on bypass *.policy
  emukernel fuzz --policy-only --json server.policy

exit status: 0; 1 if there is a finding of a kind that --fail-on names; 2 for a policy with an error
or a bad command line.
"""


def _parser() -> ArgumentParser:
    from argparse import RawDescriptionHelpFormatter

    from emukernel.cli.parser import Parser

    parser = Parser(
        prog="emukernel fuzz",
        usage="emukernel fuzz --policy-only [option ...] POLICY ...",
        description="Looks for what is wrong with policies, without a program to run under them.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", metavar="POLICY", nargs="+", help="a policy file")
    parser.add_argument(
        "--policy-only", action="store_true", required=True, help="no program, the policy alone"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a file, a line each")
    parser.add_argument(
        "--out", metavar="DIR", help="write each finding to DIR, for `emukernel replay`"
    )
    parser.add_argument("--sarif", metavar="FILE", help="the findings as SARIF 2.1.0")
    parser.add_argument("--junit", metavar="FILE", help="the findings as JUnit's XML")
    parser.add_argument("--traces", action="store_true", help="show the programs' system calls")
    parser.add_argument(
        "--fail-on", metavar="KIND,...", default="", help="exit with status 1 if there is one"
    )
    parser.add_argument(
        "--no-ptregs-events",
        dest="ptregs_events",
        action="store_false",
        help="as a kernel without the option ptregs_events",
    )
    return parser


def main(argv: list[str]) -> int:
    """Runs the command with these arguments; returns the exit status."""
    from emukernel.fuzz.finding import KINDS

    parser = _parser()
    try:
        options = parser.parse_args(argv)
        failing = {kind for kind in options.fail_on.split(",") if kind}
        unknown = sorted(failing - set(KINDS))
        if unknown:
            parser.error(f"--fail-on: no kind {unknown[0]!r}; there are: {', '.join(KINDS)}")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else EXIT_USAGE
    return _audit_all(options, failing)


def _audit_all(options: Namespace, failing: set[str]) -> int:
    import json

    from emukernel.cli.fuzz_report import write_findings
    from emukernel.fuzz.audit import Audit
    from emukernel.policy import Policy, PolicyError

    status = EXIT_OK
    policies: list[Policy] = []
    findings: list[Finding] = []
    for path in options.files:
        try:
            policy = Policy.from_file(path, ptregs_events=options.ptregs_events)
        except PolicyError as error:
            status = EXIT_USAGE
            if options.json:
                print(json.dumps(error.as_json(path)))
            else:
                print(error, file=sys.stderr)
            continue
        audit = Audit(policy)
        policies.append(policy)
        findings += audit.findings
        if status == EXIT_OK and any(finding.kind in failing for finding in audit.findings):
            status = EXIT_FOUND
        if options.json:
            found = [json.loads(finding.to_json()) for finding in audit.findings]
            record = {"file": path, "ok": True, "findings": found, "tried": len(audit.trials)}
            print(json.dumps(record, ensure_ascii=False))
        else:
            print(as_text(policy, path, audit, options.traces))
    try:
        if options.out is not None:
            _write_each(findings, options.out)
        write_findings(
            findings, policies, sarif=options.sarif, junit=options.junit,
            fail_on=frozenset(failing), kinds=("loose", "bypass"),
        )
    except OSError as error:
        print(f"emukernel fuzz: {error.filename}: {error.strerror}", file=sys.stderr)
        return EXIT_USAGE
    return status


def _write_each(findings: list[Finding], folder: str) -> None:
    """One file a finding, named by its id. OSError."""
    import os

    from emukernel.fuzz.corpus import write_file

    os.makedirs(folder, exist_ok=True)
    for finding in findings:
        path = os.path.join(folder, f"{finding.id}.json")
        write_file(path, finding.to_json().encode("utf-8", "backslashreplace") + b"\n")


def as_text(policy: Policy, path: str, audit: Audit, traces: bool = False) -> str:
    """The findings for people, and a line that sums up."""
    from emukernel.ftrace.diagnose import printable

    sources = _sources(path)
    out = [_finding(finding, sources, traces) for finding in audit.findings]
    kinds = [finding.kind for finding in audit.findings]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("bypass", "loose"))
    entries = len(policy.filters)
    out.append(
        f"{printable(path)}: {entries} {'entry' if entries == 1 else 'entries'}, "
        f"{len(audit.trials)} ways around tried: {counts if kinds else 'nothing found'}"
    )
    return "\n".join(out)


def _sources(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            return file.read().split("\n")
    except OSError:
        return []


def _finding(finding: Finding, sources: list[str], traces: bool) -> str:
    from textwrap import fill

    from emukernel.policy.error import Problem

    head = f"{finding.kind}: {finding.title}"
    place = finding.place
    if place is not None and place.line <= len(sources):
        source = sources[place.line - 1].rstrip("\r")
        head = str(Problem(place.file, head, place.line, place.column, source, length=place.length))
    lines = [head, fill(finding.text, _WIDTH, initial_indent="  ", subsequent_indent="  ")]
    if traces:
        for which in ("refused", "passed"):
            trace = finding.evidence.get(which, {}).get("trace", [])
            if trace:
                lines += [f"  {which}:", *(f"    {line}" for line in trace)]
    return "\n".join([*lines, ""])
