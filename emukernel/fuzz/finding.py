"""One thing that was found: what it is, the evidence for it, and how to see it again."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: What can be found, in the order in which reports list it.
KINDS = ("denied", "crash", "abort", "hang", "oom", "loose", "bypass", "engine")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a policy's text; `line` and `column` count from 1, `length` in characters."""

    file: str
    line: int
    column: int
    length: int = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of one of KINDS.

    `rule` names the check that made it, `title` is one line, `text` the whole for a person.
    `evidence` is plain JSON (call, arguments, predicate, stack, ...), `replay` the plain JSON that
    `emukernel replay` needs to repeat it besides `input`, the minimised input. Findings with the
    same `key` are the same finding.
    """

    kind: str
    rule: str
    key: str
    title: str
    text: str
    place: Place | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    replay: dict[str, Any] = field(default_factory=dict)
    input: bytes | None = None

    @property
    def id(self) -> str:
        """A short name, the same in every campaign that finds this."""
        name = f"{self.kind}\0{self.rule}\0{self.key}".encode(errors="surrogatepass")
        return f"{self.kind}-{hashlib.sha256(name).hexdigest()[:12]}"

    def to_json(self) -> str:
        """One line of JSON, from which `from_json` makes an equal finding."""
        place = self.place
        record = {
            "kind": self.kind,
            "rule": self.rule,
            "key": self.key,
            "title": self.title,
            "text": self.text,
            "place": place and [place.file, place.line, place.column, place.length],
            "evidence": self.evidence,
            "replay": self.replay,
            "input": None if self.input is None else b64encode(self.input).decode(),
        }
        # All ASCII: names of files need not be UTF-8.
        return json.dumps(record)

    @classmethod
    def from_json(cls, text: str) -> Finding:
        """The finding that `to_json` wrote. ValueError for anything else."""
        try:
            try:
                record = json.loads(text)
            except json.JSONDecodeError as error:
                raise ValueError(f"not a finding: {error}") from None
            place, data = record["place"], record["input"]
            if record["kind"] not in KINDS:
                raise ValueError(f"no kind of finding: {record['kind']!r}")
            return cls(
                kind=record["kind"],
                rule=str(record["rule"]),
                key=str(record["key"]),
                title=str(record["title"]),
                text=str(record["text"]),
                place=None if place is None else Place(*place),
                evidence=dict(record["evidence"]),
                replay=dict(record["replay"]),
                input=None if data is None else b64decode(data, validate=True),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a finding: {error}") from None
