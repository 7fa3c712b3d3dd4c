"""Computing with memory traffic (guest/bench/cpu.c), all of it in one process."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from benchlib.platforms import Platform
from benchlib.process import RunError
from benchlib.report import Row, Section, Target
from benchlib.session import Session, timings

TITLE = "computing with memory traffic"

WORK = {
    "xorshift": 100_000_000,
    "qsort": 1_000_000,
    "crc": 16 << 20,
    "divide": 5_000_000,
}
"""The guest's parts and their full sizes: steps over 256 KiB, integers, bytes, double divisions."""


class Run(NamedTuple):
    seconds: float
    """Of the whole process."""
    parts: dict[str, tuple[float, str]]


def measure(session: Session) -> Section:
    sizes = [session.size(full) for full in WORK.values()]

    def run(platform: Platform) -> Run:
        finished = session.run(platform, "cpu", sizes)
        parts = timings(finished.stdout)
        if set(parts) != set(WORK):
            raise RunError(f"the guest printed {finished.stdout[:80]!r}")
        return Run(finished.seconds, parts)

    runs = session.interleave({p.name: partial(run, p) for p in session.platforms})
    _compare(session, runs)
    rows = [
        Row(part, "s", {
            name: [run.parts[part][0] for run in done] for name, done in runs.items()
        })
        for part in WORK
    ]
    whole = Row("whole process", "s", {
        name: [run.seconds for run in done] for name, done in runs.items()
    })
    return Section(
        title=TITLE,
        rows=[*rows, whole],
        targets=[
            Target("time, of qemu-user's", whole.ratio("emukernel", to="qemu-user"), 2.3, True),
            Target("faster than Qiling", whole.ratio("qiling"), 3.5, False),
        ],
    )


def _compare(session: Session, runs: dict[str, list[Run]]) -> None:
    """Say which platforms computed something else than this machine does."""
    if "native" not in runs:
        return
    right = {part: value for part, (_, value) in runs["native"][0].parts.items()}
    for name, done in runs.items():
        for part, value in right.items():
            if any(run.parts[part][1] != value for run in done):
                session.note(f"{name}: {part} computes something else than native does")
