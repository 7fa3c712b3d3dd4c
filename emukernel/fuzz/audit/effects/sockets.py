"""A socket of a family that the policy refuses.

A filter on socket's family compares the whole register, and the call looks at half of it; i386's
socketcall makes any socket, with its arguments in memory (profiles of containers have been passed
by so).
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.observe import Watch
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import NUMBERS, Data, OneOf, Step, Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

_FAMILIES = {1: "AF_UNIX", 2: "AF_INET", 10: "AF_INET6"}
_STREAM, _DGRAM = 1, 2
_CLOEXEC, _NONBLOCK = 0x80000, 0x800


class Made(Watch):
    """A descriptor that is a socket of that family."""

    def __init__(self, family: int) -> None:
        self.family = family
        self.found = False

    def after(self, task: Task, nr: int, args: tuple[int, ...], result: int) -> None:
        socks = [getattr(file, "sk", None) for file in task.files.table.values()]
        self.found = self.found or any(
            sock is not None and sock.family == self.family for sock in socks
        )

    def end(self, kernel: Kernel) -> object:
        return {"socket": _FAMILIES[self.family]} if self.found else None


def effects(rules: Rules) -> Iterator[Effect]:
    if not rules.lines_on(NUMBERS["socket"]) and not rules.lines_on(NUMBERS["socketpair"]):
        return
    kinds = OneOf(
        *(kind | extra for extra in (0, _CLOEXEC, _NONBLOCK, _CLOEXEC | _NONBLOCK)
          for kind in (_STREAM, _DGRAM))
    )  # fmt: skip
    for family, name in _FAMILIES.items():
        ways = [Way("socket", Step("socket", family, kinds, 0, fields=("family",)))]
        if family == 1:
            pair = Step("socketpair", family, kinds, 0, Data(size=8), fields=("family",))
            ways.append(Way("socketpair", pair))
        yield Effect(
            "socket",
            f"a socket of the family {name} is made",
            threat(__name__),
            lambda family=family: Made(family),  # type: ignore[misc]
            ways,
        )
