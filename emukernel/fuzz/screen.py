"""The live terminal screen of a campaign, drawn with rich; plain lines where it can't be."""

from __future__ import annotations

import time
from collections import deque
from itertools import pairwise
from os.path import basename

from emukernel.ftrace.diagnose import printable
from emukernel.fuzz.finding import KINDS
from emukernel.fuzz.progress import PlainProgress, Progress, Stats
from emukernel.fuzz.units import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from emukernel.fuzz.campaign import Settings
    from emukernel.fuzz.finding import Finding

#: Findings that are remembered to be shown, and points of a curve.
_RECENT, _POINTS = 50, 4096
_BARS = "▁▂▃▄▅▆▇█"
#: Columns from which on two panels stand side by side.
_WIDE = 84


def make_progress(settings: Settings, stream: TextIO) -> Progress:
    """The screen if `stream` is a terminal and rich is installed; else plain lines, which say when
    it is for want of rich."""
    if not stream.isatty():
        return PlainProgress(stream)
    try:
        from rich.console import Console
    except ImportError:
        stream.write("no live screen: rich is not installed (pip install 'emukernel[fuzz]')\n")
        return PlainProgress(stream)
    console = Console(file=stream, highlight=False)
    if console.is_dumb_terminal:
        return PlainProgress(stream)
    return Screen(settings, stream, console)


class Screen(Progress):
    """Shows the campaign on the terminal's second screen.

    It is drawn at each `update`, to the size that the terminal has then. `close` gives the first
    screen back and leaves what was found and the last counts on it as lines.
    """

    def __init__(
        self,
        settings: Settings,
        stream: TextIO,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from rich.live import Live

        self._settings = settings
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._stats = Stats(jobs=settings.jobs)
        self._found: deque[Finding] = deque(maxlen=_RECENT)
        self._new: list[str] = []
        self._rates: deque[float] = deque(maxlen=_POINTS)
        self._edges: deque[float] = deque(maxlen=_POINTS)
        self._before: tuple[float, int] | None = None
        self._live: Live | None = Live(
            self, console=console, screen=True, auto_refresh=False, redirect_stdout=False,
            redirect_stderr=False, vertical_overflow="crop",
        )

    def update(self, stats: Stats) -> None:
        self._stats = stats
        if self._before is not None and stats.seconds > self._before[0]:
            seconds, execs = self._before
            self._rates.append(max(0, stats.execs - execs) / (stats.seconds - seconds))
        self._edges.append(stats.edges)
        self._before = (stats.seconds, stats.execs)
        self._draw()

    def found(self, finding: Finding) -> None:
        self._found.append(finding)
        self._new.append(f"{finding.kind}: {printable(finding.title)} ({finding.id})")
        self._draw()

    def _draw(self) -> None:
        live = self._live
        if live is None:
            return
        if not live.is_started:
            # Not before the campaign is under way and catches signals. However the process ends
            # then, short of SIGKILL, the terminal is as it was.
            from atexit import register

            register(self.close)
            live.start()
        live.refresh()

    def close(self) -> None:
        from atexit import unregister

        live, self._live = self._live, None
        if live is None:
            return
        unregister(self.close)
        live.stop()
        for line in (*self._new, self._stats.line()):
            self._stream.write(f"{line}\n")
        self._stream.flush()

    # -- drawing -----------------------------------------------------------------------------

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.table import Table

        # One row less than the screen has: a line break in the last would scroll.
        width, height = options.max_width, options.size.height
        wide = width >= _WIDE
        panels = [self._progress_panel(), self._coverage_panel(), self._policy_panel()]
        inner = (width // 2 if wide else width) - 4
        rows_left = height - 1
        yield self._header(width)
        if wide:
            grid = Table.grid(expand=True)
            grid.add_column(ratio=1)
            grid.add_column(ratio=1)
            grid.add_row(panels[0], panels[1])
            yield grid
            rows_left -= 8
            if height >= 24:
                grid = Table.grid(expand=True)
                grid.add_column(ratio=1)
                grid.add_column(ratio=1)
                grid.add_row(
                    self._curve("runs a second", self._rates, inner, "green"),
                    self._curve("edges", self._edges, inner, "cyan"),
                )
                yield grid
                rows_left -= 3
            yield panels[2]
        else:
            yield from panels
            rows_left -= 16
        rows_left -= 3 if self._settings.target.policy is not None else 0
        yield self._findings_panel(max(1, rows_left - 3))

    def _header(self, width: int) -> Text:
        from rich.text import Text

        target = self._settings.target
        words = printable(" ".join([basename(target.program), *target.argv[1:]]))
        text = Text(no_wrap=True, overflow="ellipsis", style="bold reverse")
        text.append(f" emukernel fuzz  {words}  → {printable(self._settings.out)}  (Ctrl-C ends)")
        text.pad_right(max(0, width - text.cell_len))
        return text

    def _progress_panel(self) -> Panel:
        stats, settings = self._stats, self._settings
        rate = self._rates[-1] if self._rates else stats.execs_per_sec
        execs = f"{stats.execs:,}" + (f" of {settings.execs:,}" if settings.execs else "")
        left = "none"
        if settings.seconds is not None:
            left = f"{duration(max(0.0, settings.seconds - (self._clock() - self._began)))} left"
        elif settings.execs is not None:
            left = f"{max(0, settings.execs - stats.execs):,} runs left"
        return _panel(
            "campaign",
            [
                ("time", duration(stats.seconds)),
                ("limit", left),
                ("jobs", f"{stats.jobs}" if stats.jobs else "no worker is there"),
                ("runs", execs),
                ("runs a second", f"{rate:,.0f}  (mean {stats.execs_per_sec:,.0f})"),
                ("last find", _ago(stats.seconds, stats.last_finding)),
            ],
        )

    def _coverage_panel(self) -> Panel:
        stats = self._stats
        return _panel(
            "coverage",
            [
                ("edges", f"{stats.edges:,}"),
                ("features", f"{stats.features:,}"),
                ("queue", f"{stats.queue:,}  ({stats.pending:,} not yet used)"),
                ("cycles", f"{stats.cycles:,}"),
                ("depth", f"{stats.max_depth:,}"),
                ("last new", _ago(stats.seconds, stats.last_new)),
            ],
        )

    def _policy_panel(self) -> Panel | Text:
        from rich.panel import Panel
        from rich.text import Text

        policy = self._settings.target.policy
        if policy is None:
            return Text("")
        total, unused = len(policy.filters), self._stats.unexercised
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"{total - len(unused)} of {total} entries exercised", style="bold")
        if unused:
            text.append("   never: ", style="dim")
            text.append(", ".join(map(printable, unused)), style="yellow")
        return Panel(text, title="policy", title_align="left", border_style="dim")

    def _curve(self, name: str, values: Sequence[float], width: int, style: str) -> Panel:
        from rich.panel import Panel
        from rich.text import Text

        text = Text(sparkline(values, max(1, width - 2)), style=style, no_wrap=True)
        return Panel(text, title=name, title_align="left", border_style="dim")

    def _findings_panel(self, rows: int) -> Panel:
        from rich.panel import Panel
        from rich.text import Text

        counts = self._stats.findings
        title = Text("found", style="bold")
        for kind in KINDS:
            if counts.get(kind):
                title.append(f"  {counts[kind]} {kind}", style=_COLOURS.get(kind, "red"))
        text = Text(no_wrap=True, overflow="ellipsis")
        for at, finding in enumerate(list(self._found)[-rows:]):
            text.append("\n" if at else "")
            text.append(f"{finding.kind:<7} ", style=_COLOURS.get(finding.kind, "red"))
            text.append(printable(finding.title))
        if not self._found:
            text.append("nothing new so far", style="dim")
        return Panel(text, title=title, title_align="left", border_style="dim")


_COLOURS = {"denied": "magenta", "loose": "yellow", "hang": "cyan", "oom": "cyan"}


def _panel(title: str, rows: Sequence[tuple[str, str]]) -> Panel:
    from rich.panel import Panel
    from rich.table import Table

    table: Table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", justify="right", min_width=13)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for label, value in rows:
        table.add_row(label, value)
    return Panel(table, title=title, title_align="left", border_style="dim")


def sparkline(values: Sequence[float], width: int) -> str:
    """The values as bars, `width` at most; of more values each bar is the mean of some."""
    if not values:
        return ""
    points = list(values)
    if len(points) > width:
        bounds = [len(points) * at // width for at in range(width + 1)]
        points = [
            sum(points[start:end]) / (end - start)
            for start, end in pairwise(bounds)
        ]
    top = max(points)
    if top <= 0:
        return _BARS[0] * len(points)
    return "".join(_BARS[int(value / top * (len(_BARS) - 1) + 0.5)] for value in points)


def _ago(now: float, then: float) -> str:
    return f"{duration(max(0.0, now - then))} ago" if then else "none yet"
