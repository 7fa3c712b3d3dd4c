"""What 500 processes cost that only sleep (guest/bench/sleepers.c): CPU time and host memory."""

from __future__ import annotations

from functools import partial

from benchlib.report import Row, Section, Target
from benchlib.session import Session

TITLE = "processes that sleep"
COUNT = 500
SHORT, LONG = 100, 3100
"""Milliseconds: what a second of sleeping costs is the difference of two runs."""


def measure(session: Session) -> Section:
    emukernel = session.platform("emukernel")
    count = session.size(COUNT, least=2)
    short, long = SHORT, SHORT + session.size(LONG - SHORT, least=100)
    idle = Row(f"CPU time a second while {count} sleep", "ms", {})
    memory = Row("memory of each, with its pages", "KiB", {})
    if emukernel is not None:
        jobs = {
            "short": partial(session.run, emukernel, "sleepers", [count, short]),
            "long": partial(session.run, emukernel, "sleepers", [count, long]),
            "one": partial(session.run, emukernel, "sleepers", [1, short]),
        }
        runs = session.interleave(jobs)
        if len(runs) == len(jobs):
            pairs = list(zip(runs["short"], runs["long"], strict=True))
            # Below what can be measured the difference may be negative; it counts as very little.
            idle.samples["emukernel"] = [
                max(slept.cpu_seconds - awake.cpu_seconds, 1e-6) * 1e6 / (long - short)
                for awake, slept in pairs
            ]
            sizes = [
                (many.max_rss - one.max_rss) / 1024 / max(count - 1, 1)
                for many, one in zip(runs["short"], runs["one"], strict=True)
                if many.max_rss is not None and one.max_rss is not None
            ]
            if len(sizes) == len(pairs):
                memory.samples["emukernel"] = sizes
    return Section(
        title=TITLE,
        rows=[idle, memory],
        targets=[
            Target("CPU time a second", idle.median("emukernel"), 10, True, " ms"),
            Target("memory of each", memory.median("emukernel"), 1024, True, " KiB"),
        ],
    )
