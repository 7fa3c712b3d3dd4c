"""How much a pipe moves from one process to another (guest/bench/pipe.c)."""

from __future__ import annotations

from functools import partial

from benchlib.platforms import Platform
from benchlib.report import Row, Section, Target
from benchlib.session import Session, timings

TITLE = "a pipe of 64 KiB between two processes"
MIB = 256


def measure(session: Session) -> Section:
    def run(platform: Platform) -> float:
        found = timings(session.run(platform, "pipe", [session.size(MIB)]).stdout)
        seconds, size = found["pipe"]
        return int(size) / seconds / 1e6

    jobs = {p.name: partial(run, p) for p in session.with_tasks()}
    row = Row("moved", "MB/s", session.interleave(jobs))
    return Section(
        title=TITLE,
        rows=[row],
        targets=[Target("moved", row.median("emukernel"), 200, False, " MB/s")],
    )
