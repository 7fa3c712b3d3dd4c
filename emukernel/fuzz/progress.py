"""How a campaign stands: what is shown while it runs, and written to `fuzzer_stats`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from emukernel.fuzz.finding import Finding


@dataclass(slots=True)
class Stats:
    """The counts of a campaign, of all its jobs together.

    Times are seconds since the campaign began; `last_new` is when the queue last grew and
    `last_finding` when something was last found. `findings` counts by kind, `unexercised` names the
    calls with a policy entry that no run made, `tightness` is (killed, all) of the policy's mutants
    (`loose`), known at the end.
    """

    seconds: float = 0.0
    execs: int = 0
    execs_per_sec: float = 0.0
    queue: int = 0
    favored: int = 0
    pending: int = 0
    edges: int = 0
    features: int = 0
    cycles: int = 0
    max_depth: int = 0
    last_new: float = 0.0
    last_finding: float = 0.0
    findings: dict[str, int] = field(default_factory=dict)
    unexercised: list[str] = field(default_factory=list)
    current: str = ""
    tightness: tuple[int, int] | None = None
    jobs: int = 1

    def line(self) -> str:
        """All in one line."""
        found = ", ".join(f"{count} {kind}" for kind, count in self.findings.items()) or "nothing"
        return (
            f"[{self.seconds:6.1f} s] {self.execs} runs, {self.execs_per_sec:.0f}/s; "
            f"{self.edges} edges, {self.features} features, queue {self.queue}; found: {found}"
        )

    def fuzzer_stats(self, start: float, command: str, exec_timeout: float) -> str:
        """The text of AFL's `fuzzer_stats`; `start` is seconds since 1970."""
        crashes = sum(self.findings.get(kind, 0) for kind in ("crash", "abort", "oom"))
        rows = {
            "start_time": int(start),
            "last_update": int(time.time()),
            "run_time": int(self.seconds),
            "cycles_done": self.cycles,
            "execs_done": self.execs,
            "execs_per_sec": f"{self.execs_per_sec:.2f}",
            "corpus_count": self.queue,
            "corpus_favored": self.favored,
            "pending_total": self.pending,
            "max_depth": self.max_depth,
            "edges_found": self.edges,
            "features_found": self.features,
            "saved_crashes": crashes,
            "saved_hangs": self.findings.get("hang", 0),
            "saved_denied": self.findings.get("denied", 0),
            "last_find": int(start + self.last_new),
            "last_crash": int(start + self.last_finding) if crashes else 0,
            "exec_timeout": int(exec_timeout * 1000),
            "jobs": self.jobs,
            "afl_banner": "emukernel",
            "afl_version": "emukernel",
            "target_mode": "emukernel",
            "command_line": command,
        }
        return "".join(f"{key:<18}: {value}\n" for key, value in rows.items())

    def plot_row(self) -> str:
        """A line of AFL's `plot_data`."""
        crashes = sum(self.findings.get(kind, 0) for kind in ("crash", "abort", "oom"))
        row = (
            int(self.seconds),
            self.cycles,
            0,
            self.queue,
            self.pending,
            self.favored,
            "0.00%",
            crashes,
            self.findings.get("hang", 0),
            self.max_depth,
            f"{self.execs_per_sec:.2f}",
            self.execs,
            self.edges,
            self.features,
            self.findings.get("denied", 0),
        )
        return ", ".join(map(str, row)) + "\n"


PLOT_HEADER = (
    "# relative_time, cycles_done, cur_item, corpus_count, pending_total, pending_favs, map_size, "
    "saved_crashes, saved_hangs, max_depth, execs_per_sec, total_execs, edges_found, "
    "features_found, saved_denied\n"
)


class Progress:
    """Who is told how a campaign goes. This one tells nobody; a screen overrides it."""

    def update(self, stats: Stats) -> None:
        """About once a second, and at the end."""

    def found(self, finding: Finding) -> None:
        """Something new was found."""

    def close(self) -> None:
        """The campaign is over."""


class PlainProgress(Progress):
    """Lines of text: every few seconds one, and one for each finding."""

    def __init__(self, stream: TextIO, interval: float = 5.0) -> None:
        self._stream = stream
        self._interval = interval
        self._next = 0.0
        self._last: Stats | None = None

    def update(self, stats: Stats) -> None:
        self._last = stats
        if stats.seconds >= self._next:
            self._next = stats.seconds + self._interval
            self._say(stats.line())

    def found(self, finding: Finding) -> None:
        self._say(f"{finding.kind}: {finding.title} ({finding.id})")

    def close(self) -> None:
        if self._last is not None:
            self._say(self._last.line())

    def _say(self, text: str) -> None:
        from emukernel.ftrace.diagnose import printable

        self._stream.write(f"{printable(text)}\n")
        self._stream.flush()
