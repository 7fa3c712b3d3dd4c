"""The program becomes another user, or group, or gets another limit.

setuid, setreuid, setresuid are one thing to root, as are their siblings for groups; prlimit64 does
what setrlimit does.
"""

from __future__ import annotations

import struct

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.observe import Watch
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import Data, OneOf, Step, Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

ID = 1000
_NOFILE = 7
_LIMIT = struct.pack("<QQ", 20, 30)


class Identity(Watch):
    """What the program is after each call: `what` is euid, egid or limit."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.found = False

    def after(self, task: Task, nr: int, args: tuple[int, ...], result: int) -> None:
        if self.what == "limit":
            self.found = self.found or tuple(task.rlimits[_NOFILE]) == (20, 30)
        else:
            self.found = self.found or getattr(task.cred, self.what) == ID

    def end(self, kernel: Kernel) -> object:
        return {self.what: ID if self.what != "limit" else "20, 30"} if self.found else None


def effects(rules: Rules) -> Iterator[Effect]:
    why = threat(__name__)
    keep = OneOf(ID, -1, 0)
    for what, sentence, letter in (
        ("euid", "the program becomes another user", "u"),
        ("egid", "the program becomes a member of another group", "g"),
    ):
        one, three = (f"{letter}id",), (f"e{letter}id",)
        yield Effect(
            "identity",
            sentence,
            why,
            lambda what=what: Identity(what),  # type: ignore[misc]
            [
                Way(f"set{letter}id", Step(f"set{letter}id", ID, fields=one), classic=True),
                Way(f"setre{letter}id", Step(f"setre{letter}id", keep, ID, fields=three)),
                Way(f"setres{letter}id", Step(f"setres{letter}id", keep, ID, keep, fields=three)),
            ],
        )
    yield Effect(
        "limit",
        "the program gets another limit",
        why,
        lambda: Identity("limit"),
        [
            Way(
                "setrlimit",
                Step("setrlimit", _NOFILE, Data(_LIMIT), fields=("resource",)),
                classic=True,
            ),
            Way(
                "prlimit64",
                Step("prlimit64", OneOf(0, 100), _NOFILE, Data(_LIMIT), 0, fields=("resource",)),
            ),
        ],
    )
