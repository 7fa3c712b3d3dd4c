"""A new process is made.

fork, vfork, clone and clone3 make processes. A filter on clone's flags that allows threads only
says nothing of the other three, and clone3 has its flags in memory, where no filter can look. Of
clone's flags some are ignored, and half of the register is.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.observe import Watch
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import ANY, Data, OneOf, Step, Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

SIGCHLD = 17
_CLONE_DETACHED, _CLONE_IO, _CLONE_UNTRACED = 0x400000, 0x80000000, 0x800000
_THREAD = "clone_flags == 0x3d0f00"
"""What the C libraries make threads with."""

_FLAGS = OneOf(
    SIGCHLD,
    SIGCHLD | _CLONE_UNTRACED,
    SIGCHLD | _CLONE_DETACHED,
    SIGCHLD | _CLONE_IO,
    SIGCHLD | 1 << 32,
    SIGCHLD | 1 << 63,
    0,
)


class Forked(Watch):
    """A task with a thread group of its own."""

    def __init__(self) -> None:
        self.found = False

    def begin(self, kernel: Kernel, task: Task) -> None:
        kernel.fork_hooks.append(self._fork)

    def _fork(self, parent: Task, child: Task) -> None:
        self.found = self.found or child.tgid != parent.tgid

    def end(self, kernel: Kernel) -> object:
        return {"processes made": 1} if self.found else None


def effects(rules: Rules) -> Iterator[Effect]:
    yield Effect("process", "a new process is made", threat(__name__), Forked, list(_ways()))


def _ways() -> Iterator[Way]:
    yield Way(
        "clone",
        Step("clone", _FLAGS, 0, ANY, ANY, ANY, fields=("clone_flags",)),
        instead=_THREAD,
        classic=True,
    )
    yield Way("fork", Step("fork"), classic=True)
    yield Way("vfork", Step("vfork"))
    yield Way("clone3", Step("clone3", Data(0, 0, 0, 0, SIGCHLD, 0, 0, 0), OneOf(64, 88, 80)))
