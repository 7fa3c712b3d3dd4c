"""`python -m emukernel.fuzz.lane DIR`: fuzzes slices of a campaign that is led from elsewhere.

Tasks come on standard input, answers go to standard output, both pickled dictionaries of plain
data; `lanes` is at the other end. The machine, the queue and all coverage stay from one slice to
the next. A lane ends when its input does, when its parent is gone, or when nothing comes for long.
DIR is where it has its files; it goes with it.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from hashlib import blake2b
from select import select
from shutil import rmtree

from emukernel.fuzz.campaign import Settings, make_fuzzer
from emukernel.fuzz.corpus import Folder
from emukernel.fuzz.finding import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from typing import Any

    from emukernel.fuzz.machine import Call

#: Seconds without a task after which a lane ends.
IDLE_SECONDS = 300.0
#: Calls of one answer.
_MAX_NEEDED = 20_000


def digest(folder: str, data: bytes) -> bytes:
    """What tells items apart, whoever names them."""
    return blake2b(f"{folder}\0".encode() + data, digest_size=16).digest()


class MemoryFolder(Folder):
    """A campaign's folder that is nowhere.

    `feed` gives items that the campaign has; they are there to be read once. `items` are those that
    were added here and that the campaign has not given back yet, as (folder, data, note).
    """

    def __init__(self) -> None:
        super().__init__("")
        self.items: dict[bytes, tuple[str, bytes, str]] = {}
        self.found: dict[str, str] = {}
        self._inbound: dict[str, list[tuple[str, bytes]]] = {}
        self._given: set[bytes] = set()

    def feed(self, items: Iterable[tuple[str, str, bytes]]) -> None:
        """(folder, name, data) of items that the campaign has."""
        for folder, name, data in items:
            key = digest(folder, data)
            self._given.add(key)
            # What was found here needs no run to be known.
            if self.items.pop(key, None) is None:
                self._inbound.setdefault(folder, []).append((name, data))

    def add(self, folder: str, data: bytes, note: str) -> str:
        key = digest(folder, data)
        if key not in self._given:
            self.items[key] = (folder, data, note)
        return f"{item_number(key)},{note}"

    def new_items(self, folder: str) -> list[tuple[str, bytes]]:
        return self._inbound.pop(folder, [])

    def add_finding(self, finding: Finding) -> str:
        self.found[finding.id] = finding.to_json()
        return finding.id

    def findings(self) -> list[Finding]:
        return []


def item_number(key: bytes) -> str:
    """How an item's name begins until the campaign has given it a number."""
    return f"id:x{key.hex()[:5]}"


class Lane:
    """One fuzzer and the slices that it ran. `base` is what `cluster.base_of` made."""

    def __init__(self, base: dict[str, Any], directory: str) -> None:
        record = dict(base["settings"])
        for name, data in base["files"].items():
            with open(os.path.join(directory, name), "wb") as file:
                file.write(data)
        for option in ("dictionary", "mutator", "grammar", "generator"):
            if record[option] is not None:
                record[option] = os.path.join(directory, option)
        if base["program"] is not None:
            program = os.path.join(directory, "program", base["name"])
            os.mkdir(os.path.dirname(program))
            with open(program, "wb") as file:
                file.write(base["program"])
            os.chmod(program, 0o755)
            record["target"] = record["target"] | {"program": program}
        record["out"] = directory
        self.folder = MemoryFolder()
        self._seeds: list[tuple[str, bytes]] = base["seeds"]
        self._parent = os.getppid()
        self._end = 0.0
        self._limit = 0
        self._sent: dict[int, set[Call]] = {}
        self._confirmed: set[Call] = set()
        self._names: dict[Hashable, bytes] = {}
        job = int.from_bytes(os.urandom(4), "little")
        settings = Settings.from_json(record)
        self.fuzzer = make_fuzzer(settings, self.folder, job, self._stop, lambda finding: None)

    def _stop(self) -> bool:
        return (
            time.monotonic() >= self._end
            or self.fuzzer.execs >= self._limit
            or os.getppid() != self._parent
        )

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Fuzzes for `task["seconds"]` or `task["execs"]` runs; what is new to the campaign."""
        fuzzer, folder = self.fuzzer, self.folder
        before = fuzzer.execs
        self._limit = before + task["execs"]
        self._end = time.monotonic() + task["seconds"]
        for token in task["folded"]:
            self._confirmed |= self._sent.pop(token, set())
        for known in task["findings"]:
            folder.found.pop(known, None)
            if known not in fuzzer.findings:
                kind = known.partition("-")[0]
                fuzzer.findings[known] = Finding(kind, "", "", "", "")
        folder.feed(task["items"])
        fuzzer.sync()
        if not fuzzer.queue.items:
            fuzzer.seed(self._seeds)
        while not self._stop():
            fuzzer.turn()
        coverage, queue = fuzzer.coverage, fuzzer.queue
        needed = set(sorted(fuzzer.needed - self._confirmed)[:_MAX_NEEDED])
        self._sent[task["token"]] = needed
        return {
            "execs": fuzzer.execs - before,
            "items": list(folder.items.values()),
            "findings": list(folder.found.values()),
            "edges": self._packed(coverage.edges),
            "features": self._packed(coverage.features),
            "policy": list(coverage.policy_hits().values()),
            "needed": list(needed),
            "pending": queue.pending,
            "cycles": queue.cycles,
            "max_depth": queue.max_depth,
        }

    def _packed(self, things: Iterable[Hashable]) -> bytes:
        """Eight bytes for each; the same in all processes, other than hash()."""
        names = self._names
        parts = []
        for thing in things:
            name = names.get(thing)
            if name is None:
                name = names[thing] = blake2b(repr(thing).encode(), digest_size=8).digest()
            parts.append(name)
        return b"".join(parts)


def main(directory: str) -> int:
    """Answers tasks until no more come."""
    tasks = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # Nothing else is to be read or written there.
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    parent = os.getppid()
    lane: Lane | None = None
    try:
        while os.getppid() == parent and select([tasks], [], [], IDLE_SECONDS)[0]:
            task = pickle.load(tasks)
            try:
                if lane is None:
                    lane = Lane(task["base"], directory)
                answer = lane.run(task)
            except Exception as error:
                # The campaign shall hear of it; whether to go on is its affair.
                answer = {"error": f"{type(error).__name__}: {error}", "lane": lane is None}
            pickle.dump(answer, answers)
            answers.flush()
    except (EOFError, BrokenPipeError):
        # Nobody is at the other end any more.
        return 0
    finally:
        rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
