"""One job of a campaign: mutates, runs, keeps what is new, and reports what is wrong."""

from __future__ import annotations

import time
from itertools import islice
from random import Random

from emukernel.fuzz.compare import Comparer, constants, solutions
from emukernel.fuzz.corpus import CRASHES, DENIED, FOLDER_OF, HANGS, QUEUE, Folder
from emukernel.fuzz.coverage import Coverage
from emukernel.fuzz.crashes import crash
from emukernel.fuzz.denied import denied
from emukernel.fuzz.executor import DENIED as REFUSED
from emukernel.fuzz.executor import HANG, OK, Executor
from emukernel.fuzz.minimize import minimize, trim
from emukernel.fuzz.mutate import Mutator
from emukernel.fuzz.queue import Item, Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from emukernel.fuzz.executor import Outcome
    from emukernel.fuzz.finding import Finding
    from emukernel.fuzz.machine import Call
    from emukernel.fuzz.mutate import CustomMutator
    from emukernel.fuzz.target import Target

#: Runs that one thing may take: making an item shorter, a finding's input small.
TRIM_TRIES, MINIMIZE_TRIES = 64, 1024
_SOLUTION_TRIES = 2048
#: The same for what runs for ever, and the instructions of such a run.
HANG_TRIES, HANG_PROBE = 128, 200_000
#: Inputs that are tried where no seeds are given.
DEFAULT_SEEDS = (b"", b"0" * 8, b"\0" * 16)

_MAX_KEYS, _MAX_NEEDED = 1 << 16, 1 << 17


class Fuzzer:
    """Fuzzes `target` and keeps everything in `folder`.

    `stop()` is asked before every run; `on_finding` is told of each new finding. With the same
    `seed` and one job the same things happen in the same order.
    """

    def __init__(
        self,
        target: Target,
        folder: Folder,
        *,
        seed: int = 0,
        dictionary: Sequence[bytes] = (),
        custom: CustomMutator | None = None,
        stop: Callable[[], bool] = lambda: False,
        on_finding: Callable[[Finding], None] = lambda finding: None,
    ) -> None:
        self.target = target
        self.folder = folder
        self.execs = 0
        self.turns = 0
        self.last_new = self.last_finding = 0.0
        self.random = Random(seed)
        self.executor = Executor(target)
        self.coverage = Coverage(self.executor, target.policy)
        self.queue = Queue(self.random)
        self.mutator = Mutator(self.random, target.max_len, dictionary)
        self.findings: dict[str, Finding] = {}
        #: Different calls of runs that ended well and at which there was nothing to find.
        self.needed: set[Call] = set()
        self._custom = custom
        self._stop = stop
        self._on_finding = on_finding
        self._comparer: Comparer | None = None
        #: Ways to end badly that were looked into, by what can be told without explaining them.
        self._raw_keys: set[Hashable] = set()
        self._start = time.monotonic()
        self._resuming = False

    @property
    def seconds(self) -> float:
        """Since the machine was booted."""
        return time.monotonic() - self._start

    # -- the start ---------------------------------------------------------------------------

    def resume(self) -> None:
        """Takes what the folder has: findings that are known, items of the queue."""
        for finding in self.folder.findings():
            self.findings[finding.id] = finding
        self._resuming = True
        for folder in (QUEUE, CRASHES, HANGS, DENIED):
            for name, data in self.folder.new_items(folder):
                self._import(name, data)
        self._resuming = False

    def seed(self, seeds: Iterable[tuple[str, bytes]]) -> None:
        """Runs the first inputs. All are kept that reach something new."""
        for name, data in seeds:
            if self._stop():
                return
            self.attempt(data[: self.target.max_len], None, f"orig:{_plain(name)}")
        if not self.queue.items:
            self._keep(b"", None, "orig:empty", 0, OK)

    def _import(self, name: str, data: bytes) -> None:
        """An item that another job or an earlier campaign found: kept if it is new here too."""
        outcome, news = self._execute(data)
        if self._resuming or news or not self.queue.items:
            self.queue.add(Item(name, data, 0, news, outcome.verdict))

    def sync(self) -> None:
        """Takes what other jobs have written since the last time."""
        for folder in (QUEUE, DENIED, CRASHES):
            for name, data in self.folder.new_items(folder):
                self._import(name, data)

    # -- the loop ----------------------------------------------------------------------------

    def turn(self) -> None:
        """One item's turn: its comparisons solved if they were not, then random mutations."""
        self.turns += 1
        item = self.queue.choose()
        if item.fresh:
            item.fresh = False
            self._solve(item)
        queue, mutator, attempt, stop = self.queue, self.mutator, self.attempt, self._stop
        custom = self._custom
        for _ in range(queue.energy(item)):
            if stop():
                return
            if custom is not None and self.random.random() < 0.5:
                attempt(self._customized(custom, item.data), item, "op:custom")
                continue
            other = queue.other(item)
            data = mutator.havoc(item.data, other)
            attempt(data, item, "op:havoc" if other is None else "op:splice")

    def _customized(self, custom: CustomMutator, data: bytes) -> bytes:
        """What the user's mutator makes of an input. ValueError where it fails."""
        try:
            made = bytes(custom.mutate(data, self.random, self.target.max_len))
        except Exception as error:
            raise ValueError(f"the mutator failed: {type(error).__name__}: {error}") from None
        return made[: self.target.max_len]

    def comparer(self) -> Comparer:
        """The second machine, booted when it is first needed."""
        if self._comparer is None:
            self._comparer = Comparer(self.target)
        return self._comparer

    def _solve(self, item: Item) -> None:
        """Makes the comparisons of an item's run come out otherwise, one at a time."""
        _outcome, comparisons = self.comparer().run(item.data)
        self.execs += 1
        for word in constants(comparisons, item.data):
            self.mutator.add_token(word)
        found = solutions(item.data, comparisons, self.target.max_len)
        for data in islice(found, _SOLUTION_TRIES):
            if self._stop():
                return
            self.attempt(data, item, "op:compare")

    def attempt(self, data: bytes, parent: Item | None, note: str) -> Outcome:
        """Runs an input; keeps it if it is new, and looks into a bad end."""
        outcome, news = self._execute(data)
        if self.coverage.fresh:
            self._look_at_calls(data, outcome, self.coverage.fresh)
        if outcome.verdict != OK:
            outcome = self._look_into(data, outcome)
        if news and data not in self.queue:
            if outcome.verdict == OK and parent is not None:
                data = self._trimmed(data)
            self._keep(data, parent, note, news, outcome.verdict)
        return outcome

    def _execute(self, data: bytes) -> tuple[Outcome, int]:
        outcome = self.executor.run(data)
        self.execs += 1
        return outcome, self.coverage.news(outcome)

    def _keep(
        self, data: bytes, parent: Item | None, note: str, news: int, verdict: str
    ) -> None:
        source = "" if parent is None else f"src:{parent.number},"
        name = self.folder.add(
            FOLDER_OF.get(verdict, QUEUE), data, f"{source}execs:{self.execs},{note},+cov"
        )
        depth = 0 if parent is None else parent.depth + 1
        if verdict == HANG:
            # Its children would hang as well, and take all the time.
            return
        self.queue.add(Item(name, data, depth, news, verdict))
        self.last_new = self.seconds

    def _trimmed(self, data: bytes) -> bytes:
        if len(data) < 5:
            return data
        comparer = self.comparer()
        wanted = comparer.path(data)

        def same(candidate: bytes) -> bool:
            self.execs += 1
            return comparer.path(candidate) == wanted

        # Fine work is left to what makes a finding small: here every question costs a run.
        return trim(data, same, TRIM_TRIES, max(1, len(data) // 16))

    # -- bad ends ----------------------------------------------------------------------------

    def _look_into(self, data: bytes, outcome: Outcome) -> Outcome:
        """Makes a finding of a bad end that is not known; the outcome, which a hang may not be
        when it is tried again with its instructions counted."""
        raw = _raw_key(outcome)
        if raw in self._raw_keys:
            return outcome
        if outcome.verdict == HANG and outcome.limit == "timeout":
            outcome = self._confirm_hang(data, outcome)
            if outcome.verdict != HANG:
                return outcome
        if len(self._raw_keys) < _MAX_KEYS:
            self._raw_keys.add(raw)
        finding = self._explained(data, outcome)
        if finding is not None and finding.id not in self.findings:
            self._report(finding, data)
        return outcome

    def _report(self, finding: Finding, data: bytes) -> None:
        """Makes a new finding's input small, writes it down and tells of it."""
        self.findings[finding.id] = finding
        finding = self._minimized(finding, data)
        self.findings[finding.id] = finding
        self.last_finding = self.seconds
        self.folder.add_finding(finding)
        folder = FOLDER_OF.get(finding.kind)
        if folder is not None and finding.input is not None:
            signal = finding.evidence.get("signal", 0)
            self.folder.add(folder, finding.input, f"execs:{self.execs},sig:{signal:02}")
        self._on_finding(finding)

    def _look_at_calls(self, data: bytes, outcome: Outcome, calls: list[Call]) -> None:
        """Reports allowed calls that the policy should not have allowed; notes the others as
        needed if the run ended well."""
        good = outcome.verdict == OK
        for call in calls:
            finding = self.executor.doors.look(call, data)
            if finding is not None:
                good = False
                if finding.id not in self.findings:
                    self._report(finding, data)
        if good and len(self.needed) < _MAX_NEEDED:
            self.needed.update(calls)

    def _confirm_hang(self, data: bytes, outcome: Outcome) -> Outcome:
        from emukernel.fuzz.replay import run_counted

        self.execs += 1
        counted = run_counted(self.target, data)
        return outcome if counted.verdict == HANG else counted

    def _explained(self, data: bytes, outcome: Outcome) -> Finding | None:
        """The finding for an input: it is run again, and everything noted. None where it ends
        otherwise now."""
        if outcome.verdict == HANG and outcome.limit != "deadlock":
            from emukernel.fuzz.replay import run_counted

            again = run_counted(self.target, data)
        else:
            again = self._run_explained(data)
        return make_finding(self.target, again, data)

    def _again(self, wanted: Finding, data: bytes) -> Finding | None:
        """The finding `wanted` if a run with this input makes it too."""
        outcome = self._run_explained(data)
        made = findings_of(self.executor, outcome, data)
        return next((finding for finding in made if finding.id == wanted.id), None)

    def _minimized(self, finding: Finding, data: bytes) -> Finding:
        """The same finding with the smallest input that was found for it."""
        if finding.rule == HANG:
            return self._minimized_hang(finding, data)

        data = minimize(
            data, lambda candidate: self._again(finding, candidate) is not None, MINIMIZE_TRIES
        )
        return self._again(finding, data) or finding

    def _minimized_hang(self, finding: Finding, data: bytes) -> Finding:
        """The same for what runs for ever. A small limit serves to make the input smaller; whether
        the result hangs is asked with the full one."""
        from dataclasses import replace

        from emukernel.fuzz.replay import counted_executor, run_counted

        executor = counted_executor(replace(self.target, max_instructions=HANG_PROBE))

        def same(candidate: bytes) -> bool:
            self.execs += 1
            return executor.run(candidate).verdict == HANG

        try:
            data = minimize(data, same, HANG_TRIES)
        finally:
            executor.close()
        made = make_finding(self.target, run_counted(self.target, data), data)
        return finding if made is None or made.id != finding.id else made

    def _run_explained(self, data: bytes) -> Outcome:
        outcome = self.executor.run(data, explain=True)
        self.execs += 1
        self.coverage.news(outcome)
        return outcome

    def write_coverage(self) -> None:
        """Writes `coverage.json`: what of the policy was exercised, how much was reached."""
        coverage = self.coverage
        self.folder.write_json(
            "coverage.json",
            {
                "edges": len(coverage.edges),
                "features": len(coverage.features),
                "policy": list(coverage.policy_hits().values()),
            },
        )
        self.folder.write_json(f".needed-{self.folder.job}.json", sorted(self.needed))

    def close(self) -> None:
        """Gives the machines back."""
        self.executor.close()
        if self._comparer is not None:
            self._comparer.close()


def findings_of(executor: Executor, outcome: Outcome, data: bytes) -> list[Finding]:
    """All findings that a run with `explain` makes."""
    ended = make_finding(executor.target, outcome, data)
    found = [] if ended is None else [ended]
    for call in outcome.calls:
        finding = executor.doors.look(call, data)
        if finding is not None:
            found.append(finding)
    return found


def make_finding(target: Target, outcome: Outcome, data: bytes) -> Finding | None:
    """The finding that a run with `explain` is; None for one that ended well."""
    from dataclasses import replace

    if outcome.verdict == OK:
        return None
    make = denied if outcome.verdict == REFUSED else crash
    finding = make(target, outcome, data)
    return replace(finding, replay={"target": target.to_json()})


def _raw_key(outcome: Outcome) -> Hashable:
    first = outcome.violations[0] if outcome.violations else None
    reason = first and (first.nr, first.kind, tuple(str(p.predicate) for p in first.predicates))
    return outcome.verdict, outcome.signal, outcome.limit, reason, tuple(outcome.stack[:6])


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in name)[:60]


__all__ = ["DEFAULT_SEEDS", "Fuzzer", "make_finding"]
