"""Another program is run.

execve and execveat are one thing; execveat runs a descriptor, too, with an empty name. The name is
a pointer: a filter that compares it knows the address and not what is there.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.effects.pointers import rewritten
from emukernel.fuzz.audit.observe import GUEST, HELPER, Watch
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import ANY, Data, OneOf, Step, Way, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

_AT_EMPTY_PATH = 0x1000
_DESCRIPTOR = 5


class Executed(Watch):
    """The helper's image in place of the program's own."""

    def __init__(self) -> None:
        self.found = False

    def begin(self, kernel: Kernel, task: Task) -> None:
        kernel.exec_hooks.append(self._exec)

    def _exec(self, task: Task, filename: bytes) -> None:
        self.found = True

    def end(self, kernel: Kernel) -> object:
        return {"executed": HELPER.decode()} if self.found else None


def effects(rules: Rules) -> Iterator[Effect]:
    yield Effect(
        "exec",
        "another program is run",
        threat(__name__),
        Executed,
        [*_ways(), *rewritten(rules, HELPER, _execs, GUEST)],
    )


def _argv() -> Data:
    return Data(text(b"helper"), 0)


def _ways() -> Iterator[Way]:
    name = ("filename",)
    yield Way("execve", Step("execve", text(HELPER), _argv(), ANY, fields=name), classic=True)
    yield Way("execveat", Step("execveat", OneOf(-100, 0), text(HELPER), _argv(), ANY, 0))
    yield Way(
        "execveat of a descriptor",
        Step("execveat", _DESCRIPTOR, text(b""), _argv(), ANY, _AT_EMPTY_PATH),
        world={"descriptors": {str(_DESCRIPTOR): "program"}},
        plain=False,
    )


def _execs(name: Data) -> Iterator[Step]:
    yield Step("execve", name, _argv(), ANY)
    yield Step("execveat", -100, name, _argv(), ANY, 0)
