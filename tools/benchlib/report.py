"""What was measured: as a table for people, and as JSON."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchlib.platforms import Platform

REFERENCE = "emukernel"
"""The platform whose value the others' are put in relation to."""


@dataclass(slots=True)
class Row:
    """One quantity: `samples` has, by platform name, one value a round, in `unit`."""

    label: str
    unit: str
    samples: dict[str, list[float]]

    def median(self, platform: str) -> float | None:
        """None where the platform has no value."""
        values = self.samples.get(platform)
        return statistics.median(values) if values else None

    def ratio(self, platform: str, to: str = REFERENCE) -> float | None:
        """The platform's median over another's; None where there is none, or no sense in it."""
        return quotient(self.median(platform), self.median(to))


@dataclass(slots=True)
class Target:
    """A number to reach. `value` is None where what it needs was not measured.

    A value that is not positive is the noise of sizes too small to measure, and meets nothing.
    """

    name: str
    value: float | None
    limit: float
    at_most: bool
    unit: str = "×"

    @property
    def met(self) -> bool | None:
        if self.value is None or self.value <= 0:
            return None
        return self.value <= self.limit if self.at_most else self.value >= self.limit


@dataclass(slots=True)
class Section:
    """What one benchmark found. `notes` say what went wrong or needs saying, a line each."""

    title: str
    rows: list[Row] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def quotient(value: float | None, to: float | None) -> float | None:
    """`value / to`; None unless both are there and positive."""
    if value is None or to is None or value <= 0 or to <= 0:
        return None
    return value / to


def as_json(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "rows": [
            {
                "label": row.label,
                "unit": row.unit,
                "platforms": {
                    name: {
                        "median": row.median(name),
                        "ratio": row.ratio(name),
                        "samples": values,
                    }
                    for name, values in row.samples.items()
                },
            }
            for row in section.rows
        ],
        "targets": [
            {
                "name": target.name,
                "value": target.value,
                "limit": target.limit,
                "sense": "at most" if target.at_most else "at least",
                "unit": target.unit,
                "met": target.met,
            }
            for target in section.targets
        ],
        "notes": section.notes,
    }


def table(name: str, section: Section, platforms: Sequence[Platform]) -> str:
    """A section as text: a line a row, a column a platform, then the targets and the notes."""
    cells = [["", *(_padded(p.title, "", p.name) for p in platforms)]]
    for row in section.rows:
        if not any(row.samples.get(platform.name) for platform in platforms):
            continue
        line = [f"{row.label} ({row.unit})"]
        line += [_cell(row, platform.name) for platform in platforms]
        cells.append(line)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [f"{name}: {section.title}"]
    for line in cells if len(cells) > 1 else []:
        padded = [line[0].ljust(widths[0])]
        padded += [text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True)]
        lines.append(("  " + "  ".join(padded)).rstrip())
    lines += [f"  {_verdict(target)}" for target in section.targets]
    lines += [f"  note: {note}" for note in section.notes]
    return "\n".join(lines) + "\n"


def _cell(row: Row, platform: str) -> str:
    median = row.median(platform)
    if median is None:
        return _padded("-", "", platform)
    ratio = row.ratio(platform)
    return _padded(significant(median), "" if ratio is None else f"{significant(ratio)}×", platform)


def _padded(value: str, ratio: str, platform: str) -> str:
    """A value with room for a ratio beside it, save for the platform that all ratios are to."""
    return value if platform == REFERENCE else f"{value} {ratio:8}"


def _verdict(target: Target) -> str:
    word = {True: "met   ", False: "MISSED", None: "open  "}[target.met]
    value = "not measured" if target.value is None else significant(target.value) + target.unit
    sense = "at most" if target.at_most else "at least"
    return f"{word}  {target.name}: {value} ({sense} {target.limit:g}{target.unit})"


def significant(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"
