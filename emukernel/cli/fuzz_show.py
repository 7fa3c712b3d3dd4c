"""`emukernel fuzz show`: how a campaign stands, and what it found."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emukernel.fuzz.corpus import Folder
    from emukernel.fuzz.finding import Finding
    from emukernel.fuzz.report.load import Report

_SHOWN_INPUT = 64


def summary(folder: Folder) -> str:
    """The campaign in `folder` in some lines, and its findings."""
    from emukernel.ftrace.diagnose import printable
    from emukernel.fuzz.report.load import load

    report = load(folder)
    rows = "".join(
        f"{label + ':':<11} {printable(text)}\n" for label, text in _rows(report) if text
    )
    return f"{rows}\n{describe(report.findings)}"


def _rows(report: Report) -> Iterator[tuple[str, str]]:
    from emukernel.fuzz.report.load import findings_by_kind
    from emukernel.fuzz.units import duration

    stats = report.stats

    def number(key: str) -> str:
        text = stats.get(key, "?")
        return f"{int(text):,}" if text.isdigit() else text

    argv = report.target.get("argv")
    yield "target", " ".join(map(str, argv)) if isinstance(argv, list) else ""
    ran = stats.get("run_time", "")
    jobs = stats.get("jobs", "?")
    time = duration(int(ran)) if ran.isdigit() else "?"
    yield "time", f"{time}, {'1 job' if jobs == '1' else f'{jobs} jobs'}"
    yield "runs", f"{number('execs_done')}, {stats.get('execs_per_sec', '?')} a second"
    yield "coverage", f"{number('edges_found')} edges, {number('features_found')} features"
    kept = [f"{count:,} in {name}/" for name, count in report.counts.items() if count]
    yield "inputs", ", ".join(kept) or "none"
    if report.policy_text is not None:
        yield "policy", report.policy_file
    if report.recorded and report.hits:
        unused = [hit.name for hit in report.hits.values() if not hit.allowed and not hit.refused]
        said = f"{len(report.hits) - len(unused)} of {len(report.hits)} entries exercised"
        yield "entries", f"{said}; never: {', '.join(unused)}" if unused else said
    if report.tightness is not None:
        yield "tightness", "the runs killed {} of {} mutants of the policy".format(
            *report.tightness
        )
    found = [f"{count:,} {kind}" for kind, count in findings_by_kind(report.findings).items()]
    yield "found", ", ".join(found) or "nothing"


def describe(findings: Sequence[Finding]) -> str:
    """The findings for a person, by kind."""
    from emukernel.ftrace.diagnose import printable
    from emukernel.fuzz.finding import KINDS

    if not findings:
        return "Nothing was found.\n"
    parts = []
    for finding in sorted(findings, key=lambda f: (KINDS.index(f.kind), f.title)):
        place = finding.place
        where = "" if place is None else f"{place.file}:{place.line}:{place.column}: "
        # Names in there are the guest's: none shall reach the terminal as a command to it.
        parts.append(f"{printable(f'{finding.kind}: {where}{finding.title} ({finding.id})')}\n")
        parts += [f"  {printable(line)}\n" for line in finding.text.split("\n")]
        data = finding.input
        if data is not None:
            cut = "" if len(data) <= _SHOWN_INPUT else "..."
            parts.append(f"  Input ({len(data)} bytes): {data[:_SHOWN_INPUT]!r}{cut}\n")
    return "".join(parts)
