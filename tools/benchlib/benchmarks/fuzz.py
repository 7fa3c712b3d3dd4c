"""Fuzzing: runs from a snapshot, beside starting anew; two jobs beside one; memory in use."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchlib import guests
from benchlib.platforms import Emukernel
from benchlib.report import Row, Section, Target, quotient
from benchlib.session import Session, timings

TITLE = "runs of a small parser under the fuzzer"
SCRIPT = Path(__file__).resolve().parent.parent / "fuzz_run.py"
SMALL, LARGE = 1, 256
"""MiB in use."""


def measure(session: Session) -> Section:
    platform = session.platform("emukernel")
    runs, starts = session.size(6000, 200), session.size(60, 3)
    seconds = session.size(6, 2)

    def ask(name: str, what: str, guest: str, *numbers: int) -> tuple[float, float]:
        assert isinstance(platform, Emukernel)
        program = guests.build(guest)
        command = [platform.python, str(SCRIPT), what, str(program), *map(str, numbers)]
        took, value = timings(session.run_command(platform, command).stdout)[name]
        return took, float(value)

    def per_second(name: str, what: str, count: int) -> float:
        return count / ask(name, what, "parser", count)[0]

    def job_rate(jobs: int) -> float:
        took, execs = ask(f"jobs{jobs}", "campaign", "parser", seconds, jobs)
        return execs / took

    def run_time(megabytes: int) -> float:
        took, count = ask(f"resident{megabytes}", "restore", "resident", megabytes)
        return took / count * 1e6

    jobs = {
        "runs/s from a snapshot": partial(per_second, "snapshot", "snapshot", runs),
        "runs/s started anew": partial(per_second, "anew", "anew", starts),
        "runs/s, campaign of one job": partial(job_rate, 1),
        "runs/s, campaign of two jobs": partial(job_rate, 2),
        f"a run beside {SMALL} MiB": partial(run_time, SMALL),
        f"a run beside {LARGE} MiB": partial(run_time, LARGE),
    }
    found = session.interleave(jobs if isinstance(platform, Emukernel) else {})
    rows = {
        name: Row(name, "µs" if name.startswith("a run") else "", {"emukernel": values})
        for name, values in found.items()
    }

    def median(name: str) -> float | None:
        return rows[name].median("emukernel") if name in rows else None

    fast = median("runs/s from a snapshot")
    return Section(
        title=TITLE,
        rows=list(rows.values()),
        targets=[
            Target("runs a second and core", fast, 3000, False, ""),
            Target("of starting anew", quotient(fast, median("runs/s started anew")), 20, False),
            Target(
                "two jobs, of one",
                quotient(
                    median("runs/s, campaign of two jobs"), median("runs/s, campaign of one job")
                ),
                1.8,
                False,
            ),
            Target(
                f"a run beside {LARGE} MiB, of one beside {SMALL}",
                quotient(median(f"a run beside {LARGE} MiB"), median(f"a run beside {SMALL} MiB")),
                1.5,
                True,
            ),
        ],
    )
