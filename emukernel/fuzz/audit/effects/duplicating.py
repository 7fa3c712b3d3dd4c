"""A descriptor gets a second number.

dup, dup2, dup3 and fcntl's F_DUPFD and F_DUPFD_CLOEXEC are one thing. Where the policy's entries
tell descriptors apart by their numbers, each of them moves a file to a number of the program's
choice.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.observe import VICTIM, Watch
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import OneOf, Step, Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.task import Task

_FD, _NEW = 3, 5
_F_DUPFD, _F_DUPFD_CLOEXEC = 0, 1030


class Duplicated(Watch):
    """Two descriptors of one file."""

    def __init__(self) -> None:
        self.found = False

    def after(self, task: Task, nr: int, args: tuple[int, ...], result: int) -> None:
        name = VICTIM.rsplit(b"/", 1)[-1]
        files = [f for f in task.files.table.values() if f.path.dentry.name == name]
        self.found = self.found or len(files) > 1

    def end(self, kernel: object) -> object:
        return {"descriptors of one file": 2} if self.found else None


def effects(rules: Rules) -> Iterator[Effect]:
    new = OneOf(_NEW, 0, 1, 2)
    yield Effect(
        "duplicate",
        "a descriptor gets a second number",
        threat(__name__),
        Duplicated,
        [
            Way("dup", Step("dup", _FD, fields=("fildes",)), classic=True),
            Way("dup2", Step("dup2", _FD, new, fields=("oldfd", "newfd")), classic=True),
            Way("dup3", Step("dup3", _FD, new, OneOf(0, 0x80000), fields=("oldfd", "newfd"))),
            Way(
                "fcntl F_DUPFD",
                Step("fcntl", _FD, OneOf(_F_DUPFD, _F_DUPFD_CLOEXEC), new, fields=("cmd", "fd")),
            ),
        ],
        {"descriptors": {str(_FD): "victim"}},
    )
