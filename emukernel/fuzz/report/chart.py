"""Curves over time as inline SVG."""

from __future__ import annotations

from itertools import pairwise
from math import floor, log10

from emukernel.fuzz.report.markup import Markup, tag
from emukernel.fuzz.units import duration, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 520, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 10, 24
#: Points of a curve, and places that show their value under the pointer.
_POINTS, _HOVERS = 300, 60


def curve(
    title: str, times: Sequence[float], values: Sequence[float], style: str, *, steps: bool = False
) -> Markup:
    """A chart with the curve of `values` at `times` (seconds, rising). `steps`: values hold until
    the next one."""
    times, values = thinned(times, values)
    figure = tag("figcaption", tag("b", title), tag("span", _summary(values), class_="dim"))
    if len(values) < 2 or times[-1] <= times[0]:
        return tag("figure", figure, tag("p", "Too short for a curve.", class_="dim"))
    ticks = nice_ticks(0.0, max(values))
    top = ticks[-1]
    start, end = times[0], times[-1]

    def x(time: float) -> float:
        return _LEFT + (time - start) / (end - start) * (WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return HEIGHT - _BOTTOM - value / top * (HEIGHT - _TOP - _BOTTOM)

    parts = [tag("title", f"{title}: {_summary(values)}")]
    for tick in ticks:
        at = round(y(tick), 1)
        parts.append(tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=at, y2=at, class_="grid"))
        parts.append(tag("text", short(tick), x=_LEFT - 6, y=at + 4, text_anchor="end"))
    for at in range(5):
        time = start + (end - start) * at / 4
        anchor = "end" if at == 4 else "middle" if at else "start"
        place = round(x(time), 1)
        parts.append(
            tag("text", duration(time), x=place, y=HEIGHT - 6, text_anchor=anchor)
        )
    points = []
    for at, (time, value) in enumerate(zip(times, values, strict=True)):
        if steps and at:
            points.append(f"{x(time):.1f},{y(values[at - 1]):.1f}")
        points.append(f"{x(time):.1f},{y(value):.1f}")
    base = y(0.0)
    area = f"{x(start):.1f},{base:.1f} {' '.join(points)} {x(end):.1f},{base:.1f}"
    parts.append(tag("polygon", points=area, class_="area"))
    parts.append(tag("polyline", points=" ".join(points), class_="line"))
    parts.extend(_hovers(times, values, x))
    svg = tag(
        "svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", class_=style,
        aria_label=f"{title}: {_summary(values)}",
    )
    return tag("figure", figure, svg)


def _hovers(times: Sequence[float], values: Sequence[float], x: object) -> list[Markup]:
    assert callable(x)
    found = []
    step = max(1, len(times) // _HOVERS)
    width = (WIDTH - _LEFT - _RIGHT) / max(1, len(times) // step)
    for at in range(0, len(times), step):
        text = f"{duration(times[at])}: {values[at]:,.0f}"
        found.append(
            tag(
                "rect", tag("title", text), x=round(x(times[at]) - width / 2, 1), y=_TOP,
                width=round(width, 1), height=HEIGHT - _TOP - _BOTTOM, class_="hover",
            )
        )
    return found


def _summary(values: Sequence[float]) -> str:
    return f"{values[-1]:,.0f} at the end, at most {max(values):,.0f}" if values else "no data"


def thinned(
    times: Sequence[float], values: Sequence[float]
) -> tuple[list[float], list[float]]:
    """At most _POINTS of the points, the first and the last among them; of points at the same time
    the last."""
    merged: dict[float, float] = {}
    for time, value in zip(times, values, strict=False):
        merged[time] = value
    points = sorted(merged.items())
    if len(points) > _POINTS:
        last = len(points) - 1
        points = [points[at * last // (_POINTS - 1)] for at in range(_POINTS)]
    return [time for time, _ in points], [value for _, value in points]


def rates(times: Sequence[float], counts: Sequence[float]) -> tuple[list[float], list[float]]:
    """How fast a count grew from each point to the next, and the times of the latter."""
    times, counts = thinned(times, counts)
    pairs = list(zip(times, counts, strict=True))
    found = [
        (after[0], max(0.0, (after[1] - before[1]) / (after[0] - before[0])))
        for before, after in pairwise(pairs)
    ]
    return [time for time, _ in found], [rate for _, rate in found]


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers that span [low, high]."""
    span = max(high - low, 1e-9)
    raw = span / count
    magnitude = 10.0 ** floor(log10(raw))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= raw * 0.999)
    ticks = [low]
    while ticks[-1] < high * 0.999999:
        ticks.append(low + len(ticks) * step)
    if len(ticks) == 1:
        ticks.append(low + 1.0)
    return ticks
