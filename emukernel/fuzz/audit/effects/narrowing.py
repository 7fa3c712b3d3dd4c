"""The policy itself is loosened.

A program that may call prctl can add to its own filters. What was refused must stay refused,
whatever it adds.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.effects.opening import Opened
from emukernel.fuzz.audit.observe import SECRET
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import NUMBERS, Step, Way, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules

_PR_SET_SECCOMP, _MODE_FILTER, _MODE_NONE = 22, 2, 0


def effects(rules: Rules) -> Iterator[Effect]:
    if rules.entry(NUMBERS["prctl"]) is None:
        return
    for name in ("open", "openat"):
        directory = () if name == "open" else (-100,)
        fields = ("flags", "filename", "dfd")
        ways = [Way(name, Step(name, *directory, text(SECRET), 0, 0, fields=fields), classic=True)]
        for label, mode, loose in (
            ("prctl with an entry that allows it", _MODE_FILTER, f"sys_{name}: 1\n"),
            ("prctl with an entry that widens it", _MODE_FILTER, f"sys_{name}: flags >= 0\n"),
            ("prctl back to no mode", _MODE_NONE, ""),
        ):
            ways.append(
                Way(
                    f"{label}, then {name}",
                    Step("prctl", _PR_SET_SECCOMP, mode, text(loose.encode()), 0, 0),
                    Step(name, *directory, text(SECRET), 0, 0, forced=True),
                    plain=False,
                )
            )
        yield Effect("narrowing", "a file is opened", threat(__name__), _opened, ways)


def _opened() -> Opened:
    return Opened(SECRET, 1)
