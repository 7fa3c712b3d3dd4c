"""A campaign: one or more jobs that fuzz one target into one folder, until a limit is reached.

Every process writes what it finds at once, one file an item, and looks for what the others have
written. So a campaign may be ended at any moment, and goes on from its folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

from emukernel.api import UsageError
from emukernel.fuzz.corpus import QUEUE, Folder, read_seeds
from emukernel.fuzz.executor import OK, Executor
from emukernel.fuzz.fuzzer import DEFAULT_SEEDS, Fuzzer
from emukernel.fuzz.progress import PLOT_HEADER, Progress, Stats
from emukernel.fuzz.target import Target
from emukernel.machine.libunicorn import MachineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType
    from typing import Any

    from emukernel.fuzz.finding import Finding
    from emukernel.fuzz.loose import Analysis
    from emukernel.fuzz.machine import Call
    from emukernel.fuzz.mutate import CustomMutator

#: Seconds between two looks at the limits, the other jobs and what is shown.
TICK = 0.5
_PLOT_SECONDS = 5.0


@dataclass(slots=True)
class Settings:
    """What a campaign does. `seconds` and `execs` are limits, of all jobs together; None: none.

    `seeds` is a folder, `dictionary` a file of words, `mutator` a Python file with a class Mutator,
    `generator` one with a class Generator, `grammar` a file for `grammar.py`. With `syscalls` there
    is no program, and inputs are lists of calls (`syscalls.py`). With `audit` the policy is looked
    at by itself too. `command` is only shown.
    """

    target: Target
    out: str
    seconds: float | None = None
    execs: int | None = None
    jobs: int = 1
    seed: int = 0
    seeds: str | None = None
    dictionary: str | None = None
    mutator: str | None = None
    grammar: str | None = None
    generator: str | None = None
    syscalls: bool = False
    audit: bool = True
    command: str = ""

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        record = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return record | {"target": self.target.to_json()}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Settings:
        """ValueError, KeyError, TypeError for what is none."""
        return cls(**record | {"target": Target.from_json(record["target"])})


class Campaign:
    """Runs a campaign in `settings.out`, which must be empty unless `resume`.

    UsageError, OSError and ValueError say why it can't begin.
    """

    def __init__(
        self, settings: Settings, progress: Progress | None = None, *, resume: bool = False
    ) -> None:
        self.settings = settings
        self.progress = progress or Progress()
        self.resumed = resume
        self.folder = Folder(settings.out)
        self.stats = Stats(jobs=settings.jobs)
        self.interrupted = False
        self._began = time.time()
        self._seconds_before = 0.0
        self._execs_before = 0
        self._plotted = 0.0
        self._known: set[str] = set()
        self._job_error = ""

    def run(self) -> Stats:
        """Fuzzes until a limit is reached or SIGINT or SIGTERM comes; how it stands then."""
        settings = self.settings
        self._prepare()
        handlers = _catch_signals(self._interrupt)
        try:
            self._fuzz()
            if settings.target.policy is not None:
                if not settings.syscalls:
                    self._tighten()
                if settings.audit and not self.interrupted:
                    self._audit()
                self.stats.findings = _by_kind(self.folder.findings())
        except Exception:
            if not self.resumed:
                # It could not even begin: nothing is to be gone on with.
                self.folder.forsake()
            raise
        finally:
            for number, handler in handlers:
                signal.signal(number, handler)
            self.progress.close()
        return self.stats

    def _fuzz(self) -> None:
        settings = self.settings
        if settings.jobs == 1:
            run_job(
                settings, 0, self._tick_alone, resume=self.resumed,
                execs_before=self._execs_before, on_finding=self.progress.found,
            )
        else:
            self._run_jobs()

    def _tighten(self) -> None:
        """Adds what is loose about the policy to the findings; `loose.json` has the score."""
        from emukernel.fuzz.loose import RULES

        analysis = analyse(self.settings.target, self.folder)
        killed, mutants = analysis.score
        self.folder.write_json(
            "loose.json",
            {
                "killed": killed,
                "mutants": mutants,
                "runs": analysis.runs,
                "survivors": [m.what for m in analysis.mutants if not m.killed],
                "policy": analysis.minimized(),
            },
        )
        self.stats.tightness = (killed, mutants)
        loose = {finding.id: finding for finding in analysis.findings()}
        # What more runs have come to need is not loose any more.
        self.folder.drop_findings(RULES, loose)
        for finding in loose.values():
            self.folder.add_finding(finding)

    def _audit(self) -> None:
        """Adds what is wrong with the policy whatever the program does."""
        from emukernel.fuzz.audit import audit

        policy = self.settings.target.policy
        assert policy is not None
        known = {finding.id for finding in self.folder.findings()}
        for finding in audit(policy):
            if finding.id not in known:
                self.folder.add_finding(finding)
                self.progress.found(finding)

    def findings(self) -> list[Finding]:
        """What was found, this time or before."""
        return self.folder.findings()

    def _prepare(self) -> None:
        self.folder.create()
        if self.resumed:
            old = self.folder.read_stats()
            self._execs_before = _number(old.get("execs_done"))
            self._seconds_before = float(_number(old.get("run_time")))
            self._known = {finding.id for finding in self.findings()}
        else:
            self.folder.write_text("plot_data", PLOT_HEADER)
        self.folder.write_json("campaign.json", self.settings.to_json())

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self.interrupted = True

    # -- one job, in this process ------------------------------------------------------------

    def _tick_alone(self, fuzzer: Fuzzer) -> bool:
        stats = self.stats
        fill_stats(stats, fuzzer)
        stats.execs += self._execs_before
        self._publish(time.time() - self._began)
        return self.interrupted

    # -- several, in processes of their own ----------------------------------------------------

    def _run_jobs(self) -> None:
        command = [sys.executable, "-m", "emukernel.fuzz.job", self.settings.out]
        children = [
            subprocess.Popen(
                [*command, str(job), "resume" if self.resumed else "new"],
                stdin=subprocess.DEVNULL, start_new_session=True,
            )
            for job in range(self.settings.jobs)
        ]
        try:
            while any(child.poll() is None for child in children):
                time.sleep(TICK / 5)
                self._gather()
                if self.interrupted:
                    break
        finally:
            for child in children:
                if child.poll() is None:
                    child.terminate()
            for child in children:
                try:
                    child.wait(30)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        self._gather(last=True)
        failed = [child.returncode for child in children if child.returncode]
        if failed and not self.interrupted:
            raise ValueError(
                self._job_error or f"{len(failed)} of the jobs failed (status {failed[0]})"
            )

    def _gather(self, last: bool = False) -> None:
        now = time.time() - self._began
        if not last and now - self.stats.seconds + self._seconds_before < TICK:
            return
        stats = self.stats
        parts = []
        for job in range(self.settings.jobs):
            try:
                record = self.folder.read_json(f".job-{job}.json")
            except ValueError:
                record = None
            if record and record["began"] >= self._began - 1:
                if "error" in record:
                    self._job_error = self._job_error or record["error"]
                else:
                    parts.append(record["stats"])
        if not parts and (self._job_error or not last):
            return
        stats.execs = self._execs_before + sum(part["execs"] for part in parts)
        stats.queue = self.folder.count(QUEUE)
        stats.execs_per_sec = sum(part["execs_per_sec"] for part in parts)
        for name in ("edges", "features", "max_depth", "last_new", "last_finding"):
            setattr(stats, name, max((part[name] for part in parts), default=0))
        for name in ("pending", "favored", "cycles"):
            setattr(stats, name, min((part[name] for part in parts), default=0))
        if parts:
            stats.unexercised = sorted(
                set.intersection(*[set(part["unexercised"]) for part in parts])
            )
            stats.current = parts[0]["current"]
        findings = self.findings()
        for finding in findings:
            if finding.id not in self._known:
                self._known.add(finding.id)
                self.progress.found(finding)
        stats.findings = _by_kind(findings)
        self._publish(now)

    # -- telling -----------------------------------------------------------------------------

    def _publish(self, seconds: float) -> None:
        stats, settings = self.stats, self.settings
        stats.seconds = seconds + self._seconds_before
        text = stats.fuzzer_stats(
            self._began - self._seconds_before, settings.command, settings.target.exec_timeout
        )
        self.folder.write_text("fuzzer_stats", text)
        if not self._plotted or stats.seconds - self._plotted >= _PLOT_SECONDS:
            self._plotted = stats.seconds
            self.folder.append_text("plot_data", stats.plot_row())
        self.progress.update(stats)


def analyse(target: Target, folder: Folder) -> Analysis:
    """Runs the whole queue again and holds the policy against the calls that are made."""
    from emukernel.fuzz.loose import Analysis

    assert target.policy is not None
    executor = Executor(target)
    try:
        runs: list[list[Call]] = []
        for _name, data in Folder(folder.path).new_items(QUEUE):
            outcome = executor.run(data)
            doors = executor.doors
            if outcome.verdict == OK and not any(doors.look(c, data) for c in outcome.calls):
                runs.append(executor.boot_calls + outcome.calls)
    finally:
        executor.close()
    return Analysis(target.policy, runs, folder.needed())


def _by_kind(findings: Iterable[Finding]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.kind] = counts.get(finding.kind, 0) + 1
    return counts


def run_job(
    settings: Settings,
    job: int,
    tick: Callable[[Fuzzer], bool],
    *,
    resume: bool,
    execs_before: int = 0,
    on_finding: Callable[[Finding], None] = lambda finding: None,
) -> None:
    """One job of a campaign. `tick` is called every TICK seconds and at the end; the job ends when
    it says so, or at a limit."""
    jobs = settings.jobs
    folder = Folder(settings.out, job=job, jobs=jobs)
    limit = None
    if settings.execs is not None:
        left = settings.execs - execs_before
        limit = left // jobs + (job < left % jobs)
    began = time.monotonic()
    end = None if settings.seconds is None else began + settings.seconds
    state = {"stopped": False, "tick": began + TICK}

    def stop() -> bool:
        if state["stopped"]:
            return True
        if limit is not None and fuzzer.execs >= limit:
            state["stopped"] = True
        else:
            now = time.monotonic()
            if end is not None and now >= end:
                state["stopped"] = True
            elif now >= state["tick"]:
                state["tick"] = now + TICK
                if tick(fuzzer):
                    state["stopped"] = True
        return bool(state["stopped"])

    fuzzer = make_fuzzer(settings, folder, job, stop, on_finding)
    try:
        if resume:
            fuzzer.resume()
        if not resume or not fuzzer.queue.items:
            fuzzer.seed(seeds_of(settings) if job == 0 or settings.seeds else _default_seeds())
        synced = time.monotonic()
        while not stop():
            fuzzer.turn()
            if jobs > 1 and time.monotonic() - synced > 4 * TICK:
                fuzzer.sync()
                synced = time.monotonic()
        fuzzer.write_coverage()
        tick(fuzzer)
    finally:
        fuzzer.close()


def make_fuzzer(
    settings: Settings,
    folder: Folder,
    job: int,
    stop: Callable[[], bool],
    on_finding: Callable[[Finding], None],
) -> Fuzzer:
    """The job's Fuzzer with its dictionary and the user's mutator. ValueError, OSError."""
    from emukernel.fuzz import dictionary
    from emukernel.fuzz.mutate import load_mutator

    if settings.syscalls:
        from emukernel.fuzz.syscalls import SyscallFuzzer

        seed = settings.seed * 1_000_003 + job
        return SyscallFuzzer(
            settings.target, folder, seed=seed, stop=stop, on_finding=on_finding
        )
    words: list[bytes] = []
    if settings.dictionary is not None:
        with open(settings.dictionary, encoding="utf-8", errors="surrogateescape") as file:
            words += dictionary.parse(file.read(), settings.dictionary)
    if os.path.isfile(settings.target.program):
        with open(settings.target.program, "rb") as program:
            words += dictionary.program_words(program.read())
    if settings.target.policy is not None:
        words += dictionary.policy_words(settings.target.policy)
    custom: CustomMutator | None = None
    if settings.mutator is not None:
        custom = load_mutator(settings.mutator)
    elif settings.generator is not None:
        from emukernel.fuzz.mutate import load_generator

        custom = load_generator(settings.generator)
    elif settings.grammar is not None:
        from emukernel.fuzz.grammar import GrammarMutator

        custom = GrammarMutator.from_file(settings.grammar)
    return Fuzzer(
        settings.target,
        folder,
        seed=settings.seed * 1_000_003 + job,
        dictionary=words,
        custom=custom,
        stop=stop,
        on_finding=on_finding,
    )


def seeds_of(settings: Settings) -> list[tuple[str, bytes]]:
    """The first inputs and their names. OSError."""
    if settings.seeds is None:
        return _default_seeds()
    return list(read_seeds(settings.seeds))


def _default_seeds() -> list[tuple[str, bytes]]:
    return [(f"default{at}", data) for at, data in enumerate(DEFAULT_SEEDS)]


def fill_stats(stats: Stats, fuzzer: Fuzzer) -> None:
    """The counts of one job."""
    queue = fuzzer.queue
    stats.execs = fuzzer.execs
    stats.execs_per_sec = fuzzer.execs / max(fuzzer.seconds, 1e-3)
    stats.queue = len(queue)
    stats.pending = queue.pending
    stats.favored = sum(1 for item in queue.items if item.news > 2)
    stats.cycles = queue.cycles
    stats.max_depth = queue.max_depth
    stats.edges = len(fuzzer.coverage.edges)
    stats.features = len(fuzzer.coverage.features)
    stats.last_new, stats.last_finding = fuzzer.last_new, fuzzer.last_finding
    stats.current = queue.items[-1].name if queue.items else ""
    stats.findings = _by_kind(fuzzer.findings.values())
    stats.unexercised = [
        hit["name"]
        for hit in fuzzer.coverage.policy_hits().values()
        if not hit["allowed"] and not hit["refused"]
    ]


def job_main(out: str, job: int, resume: bool) -> int:
    """What a job's own process does."""
    folder = Folder(out)
    settings = Settings.from_json(folder.read_json("campaign.json"))
    stopped = [False]
    _catch_signals(lambda _number, _frame: stopped.__setitem__(0, True))
    began = time.time()
    stats = Stats(jobs=settings.jobs)

    def tick(fuzzer: Fuzzer) -> bool:
        fill_stats(stats, fuzzer)
        folder.write_json(f".job-{job}.json", {"began": began, "stats": asdict(stats)})
        return stopped[0] or os.getppid() == 1

    before = _number(folder.read_stats().get("execs_done")) if resume else 0
    try:
        run_job(settings, job, tick, resume=resume, execs_before=before)
    except Exception as error:
        # The campaign's own process says it, once for all jobs.
        known = isinstance(error, UsageError | MachineError | OSError | ValueError)
        text = str(error) if known else f"job {job} failed: {type(error).__name__}: {error}"
        folder.write_json(f".job-{job}.json", {"began": began, "error": text})
        return 1
    return 0


def _catch_signals(handler: Callable[[int, FrameType | None], Any]) -> list[tuple[int, Any]]:
    """Has SIGINT and SIGTERM handled so, in the main thread; the handlers that were there."""
    import threading

    if threading.current_thread() is not threading.main_thread():
        return []
    return [(n, signal.signal(n, handler)) for n in (signal.SIGINT, signal.SIGTERM)]


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0
