"""A campaign's folder as plain data: all that a report says."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from emukernel.fuzz.corpus import CRASHES, DENIED, HANGS, QUEUE, Folder
from emukernel.fuzz.finding import KINDS, Finding
from emukernel.fuzz.report.matrix import cells_of, hits_of
from emukernel.fuzz.report.record import MATRIX, TRACES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from emukernel.fuzz.report.matrix import Cell, Hit

#: Files of a folder that a report lists.
MAX_ITEMS = 200
LOOSE = "loose.json"
_MAX_PLOT = 16 << 20

#: Columns of `plot_data` and the names that `fuzzer_stats` has for them.
_LAST = {
    "relative_time": "run_time",
    "total_execs": "execs_done",
    "edges_found": "edges_found",
    "features_found": "features_found",
    "corpus_count": "corpus_count",
    "saved_crashes": "saved_crashes",
    "saved_hangs": "saved_hangs",
    "saved_denied": "saved_denied",
}


@dataclass(slots=True)
class Report:
    """What is known of a campaign.

    `stats` are AFL's `fuzzer_stats`. `plot` has the numbers of `plot_data` by column, `items` the
    newest of the inputs as (folder, name, bytes), `counts` and `sizes` how many there are of each
    folder and their bytes. `cells` and `hits` are the syscall matrix, of `inputs` of the `total`
    inputs; without `recorded` nobody looked. `target` is the target's JSON, `settings` the
    campaign's. `tightness` is how many of how many mutants of the policy the runs killed,
    `minimized` the smallest policy that they pass.
    """

    path: str
    stats: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    plot: dict[str, list[float]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    traces: dict[str, str] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    hits: dict[str, Hit] = field(default_factory=dict)
    recorded: bool = False
    inputs: int = 0
    total: int = 0
    items: list[tuple[str, str, int]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    policy_file: str = ""
    policy_text: str | None = None
    tightness: tuple[int, int] | None = None
    minimized: str = ""

    @property
    def target(self) -> dict[str, Any]:
        target = self.settings.get("target")
        return target if isinstance(target, dict) else {}


def load(folder: Folder) -> Report:
    """Reads what is there; what is missing or broken is left out."""
    report = Report(folder.path)
    report.stats = folder.read_stats()
    settings = _json(folder, "campaign.json")
    report.settings = settings if isinstance(settings, dict) else {}
    report.plot = read_plot(os.path.join(folder.path, "plot_data"))
    _add_last_point(report)
    report.findings = sorted(folder.findings(), key=lambda f: (KINDS.index(f.kind), f.title))
    traces = _json(folder, TRACES)
    if isinstance(traces, dict):
        report.traces = {str(key): str(text) for key, text in traces.items()}
    matrix = _json(folder, MATRIX)
    try:
        report.cells, report.hits = cells_of(matrix), hits_of(matrix)
        report.inputs, report.total = int(matrix["inputs"]), int(matrix["total"])
        report.recorded = True
    except (ValueError, KeyError, TypeError):
        report.cells, report.hits = [], {}
    for name in (QUEUE, CRASHES, HANGS, DENIED):
        _list_items(report, name)
    text = report.target.get("policy")
    if isinstance(text, str):
        report.policy_text = text
        report.policy_file = str(report.target.get("policy_file") or "<policy>")
    _read_tightness(report)
    return report


def _json(folder: Folder, name: str) -> Any:
    try:
        return folder.read_json(name)
    except (ValueError, OSError, RecursionError):
        return None


def _list_items(report: Report, name: str) -> None:
    found = []
    try:
        with os.scandir(os.path.join(report.path, name)) as entries:
            for entry in entries:
                if entry.name.startswith("id:") and not entry.name.endswith(".part"):
                    found.append((name, entry.name, entry.stat().st_size))
    except OSError:
        return
    found.sort()
    report.counts[name] = len(found)
    report.sizes[name] = sum(size for _folder, _name, size in found)
    report.items += found[-MAX_ITEMS:]


def read_plot(path: str) -> dict[str, list[float]]:
    """The columns of AFL's `plot_data`, percent signs off; rows that are none are passed over."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read(_MAX_PLOT).splitlines()
    except OSError:
        return {}
    if not lines or not lines[0].startswith("#"):
        return {}
    names = [name.strip() for name in lines[0].lstrip("# ").split(",")]
    columns: dict[str, list[float]] = {name: [] for name in names}
    for line in lines[1:]:
        row = _numbers(line)
        if row is not None and len(row) == len(names):
            for name, value in zip(names, row, strict=True):
                columns[name].append(value)
    return columns


def _add_last_point(report: Report) -> None:
    """Rows of `plot_data` are some seconds apart: the end is in `fuzzer_stats`."""
    plot, stats = report.plot, report.stats
    times = plot.get("relative_time", [])
    try:
        end = {name: float(stats[key]) for name, key in _LAST.items()}
    except (KeyError, ValueError):
        return
    if times and times[-1] < end["relative_time"] < 1e18 and end.keys() <= plot.keys():
        for name, values in plot.items():
            values.append(end.get(name, values[-1]))


def _numbers(line: str) -> list[float] | None:
    try:
        values = [float(word.strip().rstrip("%")) for word in line.split(",")]
    except ValueError:
        return None
    return values if all(abs(value) < 1e18 for value in values) else None


def _read_tightness(report: Report) -> None:
    loose = _json(Folder(report.path), LOOSE)
    try:
        report.tightness = (int(loose["killed"]), int(loose["mutants"]))
        report.minimized = str(loose["policy"])
    except (ValueError, KeyError, TypeError, OverflowError):
        report.tightness = None


def findings_by_kind(findings: Sequence[Finding]) -> dict[str, int]:
    """How many of each kind, in the order of KINDS."""
    counts = dict.fromkeys(KINDS, 0)
    for finding in findings:
        counts[finding.kind] += 1
    return {kind: count for kind, count in counts.items() if count}
