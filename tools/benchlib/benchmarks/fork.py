"""Processes made and reaped (guest/bench/fork.c), and what of the parent's memory a fork costs."""

from __future__ import annotations

from functools import partial

from benchlib.platforms import Platform
from benchlib.process import RunError
from benchlib.report import Row, Section, Target, quotient
from benchlib.session import Session, timings

TITLE = "processes made, ended and waited for"
COUNT = 500
MIB = 64
LABELS = {
    "fork": "fork, exit, wait",
    "exec": "fork, exec, exit, wait",
    "vfork": "vfork, exec, exit, wait",
}
NOISE = 1.3
"""What two measurements of the same thing may differ by on a machine that does other work too."""


def measure(session: Session) -> Section:
    count = session.size(COUNT, least=2)

    def run(platform: Platform) -> dict[str, float]:
        found = timings(session.run(platform, "fork", [count]).stdout)
        if set(found) != set(LABELS):
            raise RunError(f"the guest measured {', '.join(found)}")
        return {name: int(done) / seconds for name, (seconds, done) in found.items()}

    def with_memory(platform: Platform, touched: int) -> float:
        arguments = [session.size(COUNT // 10, least=2), MIB, touched]
        found = timings(session.run(platform, "fork", arguments).stdout)
        seconds, done = found["fork"]
        return seconds / int(done) * 1e6

    able = session.with_tasks()
    rates = session.interleave({p.name: partial(run, p) for p in able})
    rows = [
        Row(label, "/s", {p: [each[name] for each in done] for p, done in rates.items()})
        for name, label in LABELS.items()
    ]
    sizes = {f"{MIB} MiB mapped": 0, f"{MIB} MiB written to": MIB}
    for label, touched in sizes.items():
        jobs = {p.name: partial(with_memory, p, touched) for p in able}
        rows.append(Row(f"fork with {label}", "µs", session.interleave(jobs)))
    fork, execs, _vfork, mapped, _written = (row.median("emukernel") for row in rows)
    plain = None if fork is None else 1e6 / fork
    return Section(
        title=TITLE,
        rows=rows,
        targets=[
            Target("fork, exit, wait", fork, 500, False, " a second"),
            Target("fork, exec, exit, wait", execs, 150, False, " a second"),
            Target(f"with {MIB} MiB mapped, of without", quotient(mapped, plain), NOISE, True),
        ],
    )
