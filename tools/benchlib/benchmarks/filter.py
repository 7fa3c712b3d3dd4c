"""The filter engine for other tools: records through `emukernel filter --jsonl`."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchlib.platforms import Emukernel
from benchlib.process import RunError
from benchlib.report import Row, Section, Target
from benchlib.session import Session

TITLE = "records through emukernel filter --jsonl"
RECORDS = 100_000
FILTERS = (
    ("read", "fd == 0 && count <= 4096", 3),
    ("write", "fd == 1 || fd == 2", 3),
    ("openat", "flags == 0", 4),
    ("ioctl", "cmd == 0x5401 || cmd == 0x5413", 3),
)


def measure(session: Session) -> Section:
    emukernel = session.platform("emukernel")
    row = Row("rate, start-up included", "/s", {})
    if isinstance(emukernel, Emukernel):
        count = session.size(RECORDS)
        path = session.scratch / "records.jsonl"
        with path.open("w") as file:
            # One by one: memory that this tool takes hides how little the measured ones do.
            file.writelines(_records(count))
        jobs = {"emukernel": partial(_rate, session, emukernel, path, count)}
        row.samples.update(session.interleave(jobs))
    return Section(
        title=TITLE,
        rows=[row],
        targets=[Target("rate", row.median("emukernel"), 20_000, False, " /s")],
    )


def _records(count: int) -> Iterator[str]:
    numbers = random.Random(1)
    for _ in range(count):
        event, text, size = numbers.choice(FILTERS)
        args = [numbers.choice((0, 1, 2, 0x5401, 4096, 1 << 40)) for _ in range(size)]
        yield json.dumps({"event": event, "filter": text, "args": args}) + "\n"


def _rate(session: Session, platform: Emukernel, path: Path, count: int) -> float:
    shell = 'exec "$0" -m emukernel filter --jsonl < "$1"'
    finished = session.run_command(platform, ["sh", "-c", shell, platform.python, str(path)])
    answers = finished.stdout.count('"accept": true')
    if answers != count:
        raise RunError(f"{answers} of {count} records were answered")
    return count / finished.seconds
