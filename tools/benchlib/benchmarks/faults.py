"""Demand-zero page faults (guest/bench/faults.c), timed inside the guest."""

from __future__ import annotations

from functools import partial

from benchlib.platforms import Platform
from benchlib.process import RunError
from benchlib.report import Row, Section, Target
from benchlib.session import Session, timings

TITLE = "one demand-zero page fault"
PAGES = 20_000


def measure(session: Session) -> Section:
    def run(platform: Platform) -> float:
        finished = session.run(platform, "faults", [session.size(PAGES)])
        found = timings(finished.stdout)
        if set(found) != {"first", "again"}:
            raise RunError(f"the guest printed {finished.stdout[:80]!r}")
        seconds = found["first"][0] - found["again"][0]
        return seconds / int(found["first"][1]) * 1e6

    # Qiling maps memory ahead: its guests have no page faults.
    able = [p for p in session.platforms if p.name != "qiling"]
    row = Row("fault", "µs", session.interleave({p.name: partial(run, p) for p in able}))
    return Section(
        title=TITLE,
        rows=[row],
        targets=[Target("fault", row.median("emukernel"), 15, True, " µs")],
    )
