"""A file of 64 MiB written and read in pieces of 64 KiB (guest/bench/file.c), timed in the guest.

It is in memory under emukernel; the others use a temporary folder of this machine.
"""

from __future__ import annotations

from functools import partial

from benchlib.platforms import Platform
from benchlib.process import RunError
from benchlib.report import Row, Section, Target
from benchlib.session import Session, timings

TITLE = "a file in pieces of 64 KiB"
PIECES = 1024
WAYS = ("write", "read")


def measure(session: Session) -> Section:
    def run(platform: Platform) -> dict[str, float]:
        path = platform.guest_path(session.scratch, "bench-file")
        finished = session.run(platform, "file", [path, session.size(PIECES)])
        found = timings(finished.stdout)
        if set(found) != set(WAYS) or any(seconds <= 0 for seconds, _ in found.values()):
            raise RunError(f"the guest printed {finished.stdout[:80]!r}")
        return {way: int(size) / seconds / 1e6 for way, (seconds, size) in found.items()}

    runs = session.interleave({p.name: partial(run, p) for p in session.platforms})
    rows = [
        Row(way, "MB/s", {name: [run[way] for run in done] for name, done in runs.items()})
        for way in WAYS
    ]
    return Section(
        title=TITLE,
        rows=rows,
        targets=[Target(row.label, row.median("emukernel"), 400, False, " MB/s") for row in rows],
    )
