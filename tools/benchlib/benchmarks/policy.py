"""Does a long policy make a call dearer than a short one?"""

from __future__ import annotations

import statistics
from functools import partial

from benchlib import percall
from benchlib.policies import policy
from benchlib.report import Row, Section, Target, quotient
from benchlib.session import Session

TITLE = "one getppid(2) under policies of 4 and 400 lines"
LENGTHS = (4, 400)
NOISE = 1.1
"""What two measurements of the same thing may differ by on a machine that does other work too."""


def measure(session: Session) -> Section:
    emukernel = session.platform("emukernel")
    jobs = {}
    if emukernel is not None:
        for lines in LENGTHS:
            path = session.scratch / f"{lines}.policy"
            path.write_text(policy(percall.ENTRIES, lines))
            jobs[f"{lines} lines"] = partial(percall.getppid, session, emukernel, path)
    costs = session.interleave(jobs)
    value = None
    if len(costs) == len(LENGTHS):
        short, long = costs.values()
        value = quotient(statistics.median(long), statistics.median(short))
    return Section(
        title=TITLE,
        rows=[Row(label, "µs", {"emukernel": values}) for label, values in costs.items()],
        targets=[Target("400 lines, of 4 lines", value, NOISE, True)],
    )
