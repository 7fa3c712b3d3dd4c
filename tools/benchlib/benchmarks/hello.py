"""Start-up and memory: a whole process that runs hello world."""

from __future__ import annotations

from functools import partial

from benchlib.platforms import Emukernel, Platform
from benchlib.process import Finished, RunError
from benchlib.report import Row, Section, Target, quotient
from benchlib.session import Session

TITLE = "a whole run of hello world"
BASELINE = 'python -c "import unicorn"'


def measure(session: Session) -> Section:
    def run(platform: Platform) -> Finished:
        finished = session.run(platform, "hello")
        if finished.stdout != "hello, world\n":
            raise RunError(f"the guest printed {finished.stdout[:80]!r}")
        return finished

    jobs = {p.name: partial(run, p) for p in session.platforms}
    emukernel = session.platform("emukernel")
    if isinstance(emukernel, Emukernel):
        command = [emukernel.python, "-c", "import unicorn"]
        jobs[BASELINE] = partial(session.run_command, emukernel, command)
    runs = session.interleave(jobs)
    bare = Row(BASELINE, "ms", {})
    if BASELINE in runs:
        bare.samples["emukernel"] = [run.seconds * 1e3 for run in runs.pop(BASELINE)]
    whole = Row("whole process", "ms", {
        name: [run.seconds * 1e3 for run in done] for name, done in runs.items()
    })
    memory = Row("peak memory", "MB", {})
    for name, done in runs.items():
        peaks = [run.max_rss / 1e6 for run in done if run.max_rss is not None]
        if len(peaks) == len(done):
            memory.samples[name] = peaks
    base = bare.median("emukernel")
    qiling = quotient(whole.median("qiling"), base)
    if qiling is not None:
        session.note(f"Qiling takes {qiling:.2f} times {BASELINE}")
    return Section(
        title=TITLE,
        rows=[whole, bare, memory],
        targets=[
            Target(f"time, of {BASELINE}", quotient(whole.median("emukernel"), base), 2.2, True),
            Target("peak memory", memory.median("emukernel"), 60, True, " MB"),
        ],
    )
