"""The cheapest system call, without a filter and under one with a predicate for it."""

from __future__ import annotations

from functools import partial

from benchlib import percall
from benchlib.policies import policy
from benchlib.report import Row, Section, Target, quotient
from benchlib.session import Session

TITLE = "one getppid(2)"
LINES = 20


def measure(session: Session) -> Section:
    jobs = {p.name: partial(percall.getppid, session, p) for p in session.platforms}
    emukernel = session.platform("emukernel")
    filtered = f"emukernel, {LINES} lines"
    if emukernel is not None:
        path = session.scratch / "getppid.policy"
        path.write_text(policy(percall.ENTRIES, LINES))
        jobs[filtered] = partial(percall.getppid, session, emukernel, path)
    costs = session.interleave(jobs)
    under = Row(f"policy of {LINES} lines", "µs", {})
    if filtered in costs:
        under.samples["emukernel"] = costs.pop(filtered)
    free = Row("no filter", "µs", costs)
    return Section(
        title=TITLE,
        rows=[free, under],
        targets=[
            Target("rate, of Qiling's", free.ratio("qiling"), 25, False),
            Target(
                f"rate under {LINES} lines, of Qiling's",
                quotient(free.median("qiling"), under.median("emukernel")), 21, False,
            ),
        ],
    )
