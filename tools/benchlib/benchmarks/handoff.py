"""The turn passed between two tasks (guest/bench/handoff.c), by pipes and by futexes."""

from __future__ import annotations

from functools import partial

from benchlib.platforms import Platform
from benchlib.process import RunError
from benchlib.report import Row, Section, Target
from benchlib.session import Session, timings

TITLE = "the turn to and fro between two tasks"
ROUNDS = 20_000
LABELS = {"pipe": "a byte through two pipes", "futex": "two threads by futexes"}


def measure(session: Session) -> Section:
    def run(platform: Platform) -> dict[str, float]:
        rounds = session.size(ROUNDS, least=10)
        found = timings(session.run(platform, "handoff", [rounds]).stdout)
        if set(found) != set(LABELS):
            raise RunError(f"the guest measured {', '.join(found)}")
        return {name: seconds / int(done) * 1e6 for name, (seconds, done) in found.items()}

    runs = session.interleave({p.name: partial(run, p) for p in session.with_tasks()})
    rows = [
        Row(label, "µs", {p: [each[name] for each in done] for p, done in runs.items()})
        for name, label in LABELS.items()
    ]
    pipe, futex = (row.median("emukernel") for row in rows)
    return Section(
        title=TITLE,
        rows=rows,
        targets=[
            Target("pipes, to and fro", pipe, 60, True, " µs"),
            Target("futexes, to and fro", futex, 50, True, " µs"),
        ],
    )
