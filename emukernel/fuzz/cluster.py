"""A campaign on a Dask cluster: the coordinator here, slices of fuzzing on the workers.

The coordinator alone owns the output folder. Workers need emukernel and no file of this machine:
a slice's task brings what its worker lacks of the program, the policy and the corpus, and its
answer has what is new. A worker that dies takes only what it had not answered yet with it. One that
does not answer in time gets no more slices, and its share goes to others; should its answer come
after all, it is folded in, as any other, once: items are told apart by content, findings by id.
"""

from __future__ import annotations

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import cast

from emukernel import __version__
from emukernel.api import UsageError
from emukernel.fuzz.campaign import TICK, Campaign
from emukernel.fuzz.corpus import CRASHES, DENIED, HANGS, QUEUE
from emukernel.fuzz.finding import Finding
from emukernel.fuzz.lane import digest, item_number
from emukernel.fuzz.target import CALLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from distributed import Client, Future

    from emukernel.fuzz.campaign import Settings
    from emukernel.fuzz.machine import Call
    from emukernel.fuzz.progress import Progress

#: Seconds of a slice: short at first, so that what is found early is soon known everywhere.
_SHORTEST, _LONGEST = 1.0, 10.0
#: Seconds after the campaign's time in which answers may still come.
_GRACE = 10.0
#: Bytes of inputs in one task.
_MAX_TASK = 8 << 20
#: Slices that fail one after the other before the campaign gives up.
_MAX_FAILURES = 20
_MAX_NEEDED = 1 << 18
#: Tokens of folded slices that tasks name.
_FOLDED = 200
#: Seconds for the first contact with the scheduler, and that it may be out of reach later.
_CONNECT_SECONDS, _SCHEDULER_SECONDS = 8.0, 60.0
_SOURCE = re.compile(r"src:(x[0-9a-f]{5})")
_ALL = 1 << 62


@dataclass(slots=True)
class _Slice:
    """A slice that was given to a worker. `deadline` is when it is given up, `late` whether it has
    been; `execs` are the runs that are set aside for it."""

    token: int
    worker: str
    future: Future
    deadline: float
    execs: int
    late: bool = False


class ClusterCampaign(Campaign):
    """A campaign whose jobs are slices on the cluster of the scheduler at `scheduler`.

    `settings.jobs` slices are under way at a time; 0 is one for each thread of the cluster, however
    many there are at the moment. A slice is given up `patience` seconds after it should have ended.
    UsageError for what the cluster can't do, also from `run`.
    """

    def __init__(
        self,
        settings: Settings,
        scheduler: str,
        progress: Progress | None = None,
        *,
        resume: bool = False,
        patience: float = 30.0,
    ) -> None:
        super().__init__(settings, progress, resume=resume)
        self.scheduler = scheduler
        self.patience = patience
        self.base = base_of(settings)
        #: Items in the order in which they came: (folder, name, data).
        self._corpus: list[tuple[str, str, bytes]] = []
        self._digests: dict[bytes, str] = {}
        #: What lanes call an item -> its number here.
        self._numbers: dict[str, str] = {}
        self._slices: dict[int, _Slice] = {}
        self._answers: SimpleQueue[tuple[int, dict[str, Any] | BaseException]] = SimpleQueue()
        self._have: dict[str, int] = {}
        self._threads: dict[str, int] = {}
        self._looked = 0.0
        self._reached = 0.0
        self._tokens = 0
        self._execs = 0
        self._failures = 0
        self._edges: set[bytes] = set()
        self._features: set[bytes] = set()
        self._policy: dict[str, dict[str, Any]] = {}
        self._needed: set[Call] = set()
        self._folded: list[int] = []
        self._name = os.urandom(8).hex()

    def _fuzz(self) -> None:
        client = connect(self.scheduler)
        pool = ThreadPoolExecutor(16, thread_name_prefix="answers")
        try:
            self._load()
            self._coordinate(client, pool)
        finally:
            for part in self._slices.values():
                part.future.cancel()
            client.close(timeout=5)
            pool.shutdown(wait=False, cancel_futures=True)
            self._write_coverage()

    def _load(self) -> None:
        for folder in (QUEUE, CRASHES, HANGS, DENIED):
            for name, data in self.folder.new_items(folder):
                self._digests[digest(folder, data)] = name
                if folder != HANGS:
                    self._corpus.append((folder, name, data))
        for finding in self.findings():
            self._known.add(finding.id)
            self.stats.findings[finding.kind] = self.stats.findings.get(finding.kind, 0) + 1
        self._needed.update(self.folder.needed())

    # -- the loop ----------------------------------------------------------------------------

    def _coordinate(self, client: Client, pool: ThreadPoolExecutor) -> None:
        began = self._reached = time.monotonic()
        seconds = self.settings.seconds
        published = 0.0
        while not self.interrupted:
            now = time.monotonic()
            over = seconds is not None and now - began >= seconds
            if not over:
                self._look_at_workers(client, now)
                left = _LONGEST if seconds is None else began + seconds - now
                length = min(left, _LONGEST, max(_SHORTEST, (now - began) / 5))
                self._fill(client, pool, now, length)
            waiting = [part for part in self._slices.values() if not part.late]
            if not waiting and (over or self._left() <= 0):
                break
            if seconds is not None and now - began >= seconds + min(_GRACE, self.patience):
                break
            self._take()
            self._give_up(time.monotonic())
            if now - published >= TICK:
                published = now
                self._tell()
        self._tell()

    def _left(self) -> int:
        """Runs that are not done and not set aside."""
        if self.settings.execs is None:
            return _ALL
        aside = sum(part.execs for part in self._slices.values() if not part.late)
        return self.settings.execs - self._execs_before - self._execs - aside

    def _look_at_workers(self, client: Client, now: float) -> None:
        if now - self._looked < 1.0:
            return
        self._looked = now
        try:
            self._threads = dict(client.nthreads())
            self._reached = now
        except (OSError, TimeoutError):
            if now - self._reached > _SCHEDULER_SECONDS:
                raise UsageError(f"--scheduler: {self.scheduler} is gone") from None
            return
        for part in list(self._slices.values()):
            if part.worker not in self._threads:
                # It died, or has left: nothing will come.
                del self._slices[part.token]
                part.future.cancel()
        for worker in self._have.keys() - self._threads.keys():
            del self._have[worker]

    def _fill(self, client: Client, pool: ThreadPoolExecutor, now: float, length: float) -> None:
        """Gives every free thread a slice, as far as `jobs` goes."""
        busy: dict[str, int] = {}
        stalled = set()
        for part in self._slices.values():
            busy[part.worker] = busy.get(part.worker, 0) + 1
            if part.late:
                stalled.add(part.worker)
        jobs = self.settings.jobs or sum(self._threads.values())
        running = sum(not part.late for part in self._slices.values())
        for worker, threads in self._threads.items():
            while worker not in stalled and busy.get(worker, 0) < threads and running < jobs:
                execs = self._left()
                if execs <= 0:
                    return
                if execs < _ALL:
                    # Small enough for all to have a share, and for ends to come together.
                    execs = min(execs, max(200, execs // (2 * jobs)))
                self._give(client, pool, worker, now, length, execs)
                busy[worker] = busy.get(worker, 0) + 1
                running += 1
        self.stats.jobs = running

    def _give(
        self, client: Client, pool: ThreadPoolExecutor, worker: str, now: float, length: float,
        execs: int,
    ) -> None:
        from emukernel.fuzz.lanes import run_slice

        token = self._tokens = self._tokens + 1
        have = self._have.get(worker)
        start = have or 0
        items: list[tuple[str, str, bytes]] = []
        size = 0
        for item in self._corpus[start:]:
            size += len(item[2])
            if items and size > _MAX_TASK:
                break
            items.append(item)
        task: dict[str, Any] = {
            "version": __version__,
            "campaign": self._name,
            "token": token,
            "seconds": length,
            "execs": execs,
            # A lane that takes longer yet is stuck.
            "deadline": length + 4 * self.patience,
            "from": start,
            "items": items,
            "findings": sorted(self._known),
            "folded": self._folded,
        }
        if have is None:
            task["base"] = self.base
        future = client.submit(
            run_slice, task, key=f"emukernel-{self._name}-{token}", workers=[worker],
            allow_other_workers=False, pure=False, retries=0,
        )
        deadline = now + length + self.patience
        self._slices[token] = _Slice(token, worker, future, deadline, execs)

        def fetch() -> None:
            # Waits for whoever has it: that may be for ever, so not in the loop.
            try:
                self._answers.put((token, future.result(timeout=3600)))
            except BaseException as error:
                self._answers.put((token, error))

        def done(_future: Future) -> None:
            try:
                pool.submit(fetch)
            except RuntimeError:
                # The campaign is over.
                return

        future.add_done_callback(done)

    def _take(self) -> None:
        """Folds in the answers that are there; waits a little for the first."""
        wait = TICK / 5
        while True:
            try:
                token, answer = self._answers.get(timeout=wait) if wait else (
                    self._answers.get_nowait()
                )
            except Empty:
                return
            wait = 0.0
            part = self._slices.pop(token, None)
            if part is None:
                # Its worker was gone, or so it seemed; what it found is welcome.
                if isinstance(answer, dict) and "execs" in answer:
                    self._fold(answer)
                continue
            if isinstance(answer, BaseException):
                self._failed(part, str(answer) or type(answer).__name__, answer)
            elif "need" in answer:
                self._have.pop(part.worker, None)
            elif "error" in answer:
                if answer["lane"] and not self._execs:
                    raise UsageError(f"a worker can't start it: {answer['error']}")
                self._failed(part, answer["error"])
            else:
                self._failures = 0
                self._have[part.worker] = max(answer["have"], self._have.get(part.worker, 0))
                self._folded = [*self._folded[-_FOLDED:], token]
                self._fold(answer)

    def _failed(self, part: _Slice, text: str, error: BaseException | None = None) -> None:
        self._failures += 1
        if isinstance(error, ImportError):
            raise UsageError(f"--scheduler: the workers lack emukernel: {text}")
        if self._failures > _MAX_FAILURES:
            raise UsageError(f"--scheduler: slice after slice fails: {part.worker}: {text}")

    def _give_up(self, now: float) -> None:
        for part in self._slices.values():
            if now >= part.deadline:
                part.late = True

    # -- answers -----------------------------------------------------------------------------

    def _fold(self, answer: dict[str, Any]) -> None:
        now = time.time() - self._began + self._seconds_before
        self._execs += answer["execs"]
        for folder, data, note in answer["items"]:
            key = digest(folder, data)
            if key in self._digests:
                continue
            name = self.folder.add(folder, data, self._renumbered(note))
            self._digests[key] = name
            if folder != HANGS:
                self._corpus.append((folder, name, data))
            self._numbers[item_number(key)[3:]] = name[3:].partition(",")[0]
            self.stats.last_new = now
        for text in answer["findings"]:
            finding = self._own(Finding.from_json(text))
            if finding.id not in self._known:
                self._known.add(finding.id)
                self.folder.add_finding(finding)
                self.stats.findings[finding.kind] = self.stats.findings.get(finding.kind, 0) + 1
                self.stats.last_finding = now
                self.progress.found(finding)
        self._edges.update(_eights(answer["edges"]))
        self._features.update(_eights(answer["features"]))
        if len(self._needed) < _MAX_NEEDED:
            self._needed.update(cast("list[Call]", [tuple(call) for call in answer["needed"]]))
        for hit in answer["policy"]:
            _merge(self._policy.setdefault(hit["name"], hit), hit)
        stats = self.stats
        stats.pending, stats.cycles = answer["pending"], answer["cycles"]
        stats.max_depth = max(stats.max_depth, answer["max_depth"])

    def _own(self, finding: Finding) -> Finding:
        """The finding as one of this machine: the program was a copy there."""
        from dataclasses import replace

        if "target" not in finding.replay:
            return finding
        return replace(
            finding, replay=finding.replay | {"target": self.settings.target.to_json()}
        )

    def _renumbered(self, note: str) -> str:
        """The note with the parent's number here, or none if that is not known."""
        match = _SOURCE.search(note)
        if match is None:
            return note
        number = self._numbers.get(match[1])
        if number is None:
            return note.replace(f"{match[0]},", "")
        return note.replace(match[0], f"src:{number}")

    def _tell(self) -> None:
        stats = self.stats
        stats.execs = self._execs_before + self._execs
        stats.queue = sum(folder == QUEUE for folder, _name, _data in self._corpus)
        stats.edges, stats.features = len(self._edges), len(self._features)
        stats.current = self._corpus[-1][1] if self._corpus else ""
        stats.unexercised = [
            name
            for name, hit in self._policy.items()
            if not hit["allowed"] and not hit["refused"]
        ]
        self._publish(time.time() - self._began)

    def _write_coverage(self) -> None:
        self.folder.write_json(
            "coverage.json",
            {
                "edges": len(self._edges),
                "features": len(self._features),
                "policy": list(self._policy.values()),
            },
        )
        self.folder.write_json(".needed-0.json", sorted(self._needed))


def connect(address: str) -> Client:
    """A client of the scheduler there. UsageError."""
    from distributed import Client
    from distributed.comm import get_address_host

    try:
        # A client whose address is none takes half a minute to give up.
        get_address_host(address)
        return Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise UsageError(f"--scheduler: {address}: {reason}") from None


def base_of(settings: Settings) -> dict[str, Any]:
    """What a worker needs of the campaign's files, by content. UsageError, OSError."""
    from emukernel.fuzz.campaign import seeds_of

    target = settings.target
    if target.root is not None or target.binds:
        raise UsageError("--scheduler: --root and --bind name directories that workers don't have")
    program = None
    if target.mode != CALLS:
        try:
            with open(target.program, "rb") as file:
                program = file.read()
        except OSError as error:
            raise UsageError(f"{target.program}: {error.strerror}") from None
    record = settings.to_json()
    files = {}
    for option in ("dictionary", "mutator", "grammar", "generator"):
        path = record[option]
        if path is not None:
            with open(path, "rb") as file:
                files[option] = file.read()
    record["seeds"] = None
    return {
        "settings": record,
        "name": os.path.basename(target.program),
        "program": program,
        "files": files,
        "seeds": seeds_of(settings),
    }


def _eights(data: bytes) -> set[bytes]:
    return {data[at : at + 8] for at in range(0, len(data), 8)}


def _merge(old: dict[str, Any], new: dict[str, Any]) -> None:
    for key in ("allowed", "refused"):
        old[key] = old[key] or new[key]
    for before, after in zip(old["predicates"], new["predicates"], strict=True):
        for key in ("true", "false"):
            before[key] = before[key] or after[key]
