"""The output folder of a campaign, laid out as AFL's: one file an item, each written in one go.

    queue/ crashes/ hangs/      inputs, id:000012,src:000003,execs:4711,op:havoc
    denied/                     inputs whose runs ended at a refused call and reached new code
    findings/                   KIND-….json, a `Finding` each
    fuzzer_stats plot_data      what AFL's tools read
    campaign.json               the target and the options: what --resume goes on with
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress

from emukernel.fuzz.finding import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from typing import Any

    from emukernel.fuzz.machine import Call

QUEUE, CRASHES, HANGS, DENIED = "queue", "crashes", "hangs", "denied"
FINDINGS = "findings"
_FOLDERS = (QUEUE, CRASHES, HANGS, DENIED, FINDINGS)
#: What a campaign writes before its first run.
_STARTED = ("campaign.json", "plot_data", "fuzzer_stats")
_ID = re.compile(r"id:(\d{6,})")

#: Which folder the inputs of a finding of that kind go to.
FOLDER_OF = {"crash": CRASHES, "abort": CRASHES, "oom": CRASHES, "hang": HANGS, "denied": DENIED}

#: Larger seeds are cut by `max_len` anyway.
_MAX_FILE = 1 << 24


def write_file(path: str, data: bytes) -> None:
    """Writes a file so that nobody ever sees a part of it."""
    part = f"{path}.{os.getpid()}.part"
    with open(part, "wb") as file:
        file.write(data)
    os.replace(part, path)


class Folder:
    """A campaign's output folder. Several processes may write to it at once.

    `job` of `jobs` is whose item numbers are used: those with that remainder.
    """

    def __init__(self, path: str, *, job: int = 0, jobs: int = 1) -> None:
        self.path = path
        self.job = job
        self.jobs = jobs
        self._next = job
        self._seen: set[str] = set()

    def create(self) -> None:
        """Makes the folder and those in it. OSError."""
        for name in _FOLDERS:
            os.makedirs(os.path.join(self.path, name), exist_ok=True)

    def forsake(self) -> None:
        """Takes back what `create` and the start of a campaign made; not if it found anything."""
        if any(_names(os.path.join(self.path, name)) for name in _FOLDERS):
            return
        for name in _names(self.path):
            path = os.path.join(self.path, name)
            with suppress(OSError):
                if name in _FOLDERS:
                    os.rmdir(path)
                elif name in _STARTED or name.startswith(".job-"):
                    os.unlink(path)
        with suppress(OSError):
            os.rmdir(self.path)

    def exists(self) -> bool:
        """Whether a campaign lies here."""
        return os.path.isfile(os.path.join(self.path, "campaign.json"))

    # -- items -------------------------------------------------------------------------------

    def add(self, folder: str, data: bytes, note: str) -> str:
        """Writes an input as the next item; its name."""
        name = f"id:{self._next:06},{note}"
        self._next += self.jobs
        self._seen.add(f"{folder}/{name}")
        write_file(os.path.join(self.path, folder, name), data)
        return name

    def count(self, folder: str) -> int:
        """How many items there are."""
        names = _names(os.path.join(self.path, folder))
        return sum(1 for name in names if _ID.match(name) and not name.endswith(".part"))

    def new_items(self, folder: str) -> list[tuple[str, bytes]]:
        """(name, input) of the items that this object has not seen yet, in order of number."""
        found = []
        for name in sorted(_names(os.path.join(self.path, folder))):
            key = f"{folder}/{name}"
            match = _ID.match(name)
            if key in self._seen or match is None or name.endswith(".part"):
                continue
            try:
                with open(os.path.join(self.path, folder, name), "rb") as file:
                    found.append((name, file.read(_MAX_FILE)))
            except OSError:
                continue
            self._seen.add(key)
            number = int(match[1])
            if number >= self._next:
                steps = (number - self.job) // self.jobs + 1
                self._next = self.job + steps * self.jobs
        return found

    # -- findings ----------------------------------------------------------------------------

    def add_finding(self, finding: Finding) -> str:
        """Writes a finding; its file's path."""
        path = os.path.join(self.path, FINDINGS, f"{finding.id}.json")
        write_file(path, finding.to_json().encode() + b"\n")
        return path

    def findings(self) -> list[Finding]:
        """All findings, in order of kind and name; files that are none are passed over."""
        found = []
        for name in sorted(_names(os.path.join(self.path, FINDINGS))):
            if name.endswith(".json"):
                try:
                    with open(
                        os.path.join(self.path, FINDINGS, name), encoding="utf-8"
                    ) as file:
                        found.append(Finding.from_json(file.read()))
                except (OSError, ValueError):
                    continue
        return found

    def drop_findings(self, rules: Container[str], but: Container[str]) -> None:
        """Removes the findings of some rules whose ids are not among `but`."""
        for finding in self.findings():
            if finding.rule in rules and finding.id not in but:
                os.unlink(os.path.join(self.path, FINDINGS, f"{finding.id}.json"))

    def needed(self) -> list[Call]:
        """The calls that the jobs' runs needed, beside those of the queue."""
        calls: list[Call] = []
        for name in sorted(_names(self.path)):
            if name.startswith(".needed-") and name.endswith(".json"):
                try:
                    calls += [tuple(call) for call in self.read_json(name)]
                except (ValueError, TypeError):
                    continue
        return calls

    # -- other files -------------------------------------------------------------------------

    def write_json(self, name: str, record: Any) -> None:
        """Writes a JSON file."""
        write_file(os.path.join(self.path, name), json.dumps(record, indent=1).encode() + b"\n")

    def read_json(self, name: str) -> Any:
        """What is in a JSON file; None without one. ValueError."""
        try:
            with open(os.path.join(self.path, name), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return None

    def write_text(self, name: str, text: str) -> None:
        """Writes a text file."""
        write_file(os.path.join(self.path, name), text.encode())

    def append_text(self, name: str, text: str) -> None:
        """Adds a line to a text file."""
        with open(os.path.join(self.path, name), "a", encoding="utf-8") as file:
            file.write(text)

    def read_stats(self) -> dict[str, str]:
        """`fuzzer_stats` as a mapping; empty without one."""
        try:
            with open(os.path.join(self.path, "fuzzer_stats"), encoding="utf-8") as file:
                pairs = (line.partition(":") for line in file)
                return {key.strip(): value.strip() for key, _, value in pairs}
        except (OSError, UnicodeDecodeError):
            return {}


def _names(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def read_seeds(path: str) -> Iterator[tuple[str, bytes]]:
    """(name, contents) of every file of a folder, also of a queue of AFL++ or a corpus of
    libFuzzer. OSError."""
    for folder, folders, names in os.walk(path, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                with open(os.path.join(folder, name), "rb") as file:
                    yield name, file.read(_MAX_FILE)


def _raise(error: OSError) -> None:
    raise error


def export(folder: Folder, path: str) -> int:
    """Writes the queue as libFuzzer has a corpus, files named by SHA-1; how many. OSError."""
    from hashlib import sha1

    os.makedirs(path, exist_ok=True)
    count = 0
    for _name, data in Folder(folder.path).new_items(QUEUE):
        write_file(os.path.join(path, sha1(data, usedforsecurity=False).hexdigest()), data)
        count += 1
    return count
