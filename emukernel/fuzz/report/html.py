"""The report as one HTML file: no scripts, no network, nothing beside it."""

from __future__ import annotations

import time

from emukernel.fuzz.report.chart import curve, rates
from emukernel.fuzz.report.findings_section import findings_section
from emukernel.fuzz.report.load import findings_by_kind
from emukernel.fuzz.report.markup import Markup, join, tag
from emukernel.fuzz.report.matrix_section import matrix_section
from emukernel.fuzz.report.policy_section import policy_section
from emukernel.fuzz.units import duration, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.fuzz.report.load import Report

_SECTIONS = (
    ("findings", "Findings"),
    ("progress", "Progress"),
    ("policy", "Policy"),
    ("matrix", "Syscall matrix"),
    ("corpus", "Corpus"),
)

#: Should anything slip through the escaping, the browser still runs and loads nothing.
_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"


def page(report: Report) -> str:
    """The whole file's text."""
    title = f"emukernel fuzz: {_program(report)}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_SECURITY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(_style())),
    )
    body = tag(
        "body",
        tag("a", "To the findings", href="#findings", class_="skip"),
        _header(report),
        tag(
            "main",
            _cards(report),
            _section("findings", "Findings", findings_section(report)),
            _section("progress", "Progress", _progress(report)),
            _section("policy", "Policy", policy_section(report)),
            _section("matrix", "Syscall matrix", matrix_section(report)),
            _section("corpus", "Corpus", _corpus(report)),
        ),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _style() -> str:
    from importlib.resources import files

    return files("emukernel").joinpath("data", "report.css").read_text(encoding="utf-8")


def _section(name: str, title: str, content: Markup) -> Markup:
    return tag(
        "section", tag("h2", title, id=f"{name}-title"), content, id=name,
        aria_labelledby=f"{name}-title",
    )


def _program(report: Report) -> str:
    argv = report.target.get("argv")
    return " ".join(map(str, argv)) if isinstance(argv, list) else report.path


def _header(report: Report) -> Markup:
    stats = report.stats
    began = stats.get("start_time", "")
    facts = []
    if began.isdigit() and int(began) < 1 << 40:
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(int(began)))
        facts.append(f"begun {when}")
    if stats.get("run_time", "").isdigit():
        facts.append(f"ran {duration(int(stats['run_time']))}")
    if "jobs" in stats:
        facts.append("1 job" if stats["jobs"] == "1" else f"{stats['jobs']} jobs")
    facts.append(report.path)
    links = [tag("a", title, href=f"#{name}") for name, title in _SECTIONS]
    command = str(report.settings.get("command") or "")
    return tag(
        "header",
        tag("h1", "emukernel fuzz ", tag("span", _program(report))),
        tag("p", " · ".join(facts), class_="dim"),
        tag("p", tag("code", command), class_="command") if command else None,
        tag("nav", *links, aria_label="sections"),
    )


def _cards(report: Report) -> Markup:
    stats = report.stats

    def number(key: str) -> str:
        try:
            return short(float(stats.get(key, "")))
        except (ValueError, OverflowError):
            return "?"

    cards = [
        ("runs", number("execs_done"), "#progress"),
        ("runs a second", number("execs_per_sec"), "#progress"),
        ("edges", number("edges_found"), "#progress"),
        ("features", number("features_found"), "#progress"),
        ("queue", number("corpus_count"), "#corpus"),
    ]
    if report.hits:
        used = sum(1 for hit in report.hits.values() if hit.allowed or hit.refused)
        cards.append(("entries exercised", f"{used}/{len(report.hits)}", "#policy"))
    if report.tightness is not None:
        cards.append(("mutants killed", "{}/{}".format(*report.tightness), "#policy"))
    parts = [
        tag("a", tag("b", value), tag("span", label), class_="card", href=link)
        for label, value, link in cards
    ]
    parts += [
        tag("a", tag("b", short(count)), tag("span", kind), class_=f"card kind-{kind}",
            href="#findings")
        for kind, count in findings_by_kind(report.findings).items()
    ]
    return tag("div", *parts, class_="cards")


def _progress(report: Report) -> Markup:
    plot = report.plot
    times = plot.get("relative_time", [])
    found = [
        sum(row)
        for row in zip(
            plot.get("saved_crashes", []), plot.get("saved_hangs", []),
            plot.get("saved_denied", [0.0] * len(times)), strict=False,
        )
    ]
    charts = [
        curve("Edges", times, plot.get("edges_found", []), "c1", steps=True),
        curve("Features", times, plot.get("features_found", []), "c2", steps=True),
        curve("Runs a second", *rates(times, plot.get("total_execs", [])), "c3"),
        curve("Queue", times, plot.get("corpus_count", []), "c4", steps=True),
    ]
    if found and max(found) > 0:
        charts.append(curve("Crashes, hangs, refused", times, found, "c5", steps=True))
    return tag("div", *charts, class_="charts")


def _corpus(report: Report) -> Markup:
    rows = []
    for name in report.counts:
        count, size = report.counts[name], report.sizes[name]
        mean = f"{size / count:,.0f}" if count else ""
        rows.append(
            tag("tr", tag("th", f"{name}/", scope="row"),
                tag("td", f"{count:,}", class_="number"),
                tag("td", f"{size:,}", class_="number"), tag("td", mean, class_="number"))
        )
    names = ("Folder", "Inputs", "Bytes", "Mean")
    head = tag(
        "tr",
        *(tag("th", n, scope="col", class_="number" if at else None)
          for at, n in enumerate(names)),
    )
    newest = [f"{size:>8,}  {folder}/{name}" for folder, name, size in report.items]
    listing = tag(
        "details", tag("summary", f"The newest {len(newest):,}, with their bytes"),
        tag("pre", "\n".join(newest), tabindex=0, role="region", aria_label="newest inputs"),
        class_="block",
    )
    return join(
        tag("table", tag("thead", head), tag("tbody", *rows)), listing if newest else None
    )
