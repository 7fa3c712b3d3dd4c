"""A file is opened, or opened for writing.

open, openat, openat2, creat are four doors to one room. A filter on the flags of one of them says
nothing of the others; openat2 has its flags in memory, where no filter can look, and creat has none
to look at. Of the flags many are ignored, so that a comparison with `!=` refuses one number of many
that mean the same. And the name is a pointer: what lies there can change after the check.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.effects.pointers import rewritten
from emukernel.fuzz.audit.observe import SECRET, VICTIM, Watch
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import ANY, Data, OneOf, Step, Way, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.task import Task

_O_CLOEXEC, _O_NOCTTY, _O_LARGEFILE, _O_NOATIME, _UNKNOWN = 0x80000, 0x100, 0x8000, 0x40000, 1 << 30
_HARMLESS = (0, _O_CLOEXEC, _O_NOCTTY, _O_LARGEFILE, _O_NOATIME, _UNKNOWN)
_FMODE_READ, _FMODE_WRITE = 1, 2


class Opened(Watch):
    """An open file of that name and mode among the program's descriptors."""

    def __init__(self, name: bytes, mode: int) -> None:
        self.name = name.rsplit(b"/", 1)[-1]
        self.mode = mode
        self.found = False

    def after(self, task: Task, nr: int, args: tuple[int, ...], result: int) -> None:
        self.found = self.found or any(
            file.path.dentry.name == self.name and file.mode & self.mode
            for file in task.files.table.values()
        )

    def end(self, kernel: object) -> object:
        if not self.found:
            return None
        what = "opened for writing" if self.mode == _FMODE_WRITE else "opened"
        return {what: self.name.decode()}


def effects(rules: Rules) -> Iterator[Effect]:
    yield Effect(
        "open-for-writing",
        "a file is opened for writing",
        threat(__name__),
        lambda: Opened(VICTIM, _FMODE_WRITE),
        list(_writing()),
    )
    yield Effect(
        "open",
        "a file is opened",
        threat(__name__),
        lambda: Opened(SECRET, _FMODE_READ),
        [*_reading(), *rewritten(rules, SECRET, _opens, VICTIM)],
    )


def _variants(*flags: int) -> OneOf:
    return OneOf(*flags, *(flag | extra for extra in _HARMLESS[1:] for flag in flags))


def _writing() -> Iterator[Way]:
    for flags in ((1, 2, 0x241), (2, 1, 0x241), (0x241, 0x42, 1)):
        wanted = _variants(*flags)
        yield Way("open", Step("open", text(VICTIM), wanted, OneOf(0, 0o644), fields=("flags",)))
        yield Way(
            "openat",
            Step("openat", -100, text(VICTIM), wanted, OneOf(0, 0o644), fields=("flags",)),
        )
    yield Way("creat", Step("creat", text(VICTIM), OneOf(0o644, 0o600)))
    yield Way("openat2", Step("openat2", -100, text(VICTIM), Data(1, 0, 0), 24))


def _reading() -> Iterator[Way]:
    fields = ("flags", "filename")
    flags = _variants(0, _O_CLOEXEC)
    step = Step("open", text(SECRET), flags, ANY, fields=fields)
    yield Way("open", step, classic=True)
    step = Step("openat", -100, text(SECRET), flags, ANY, fields=fields)
    yield Way("openat", step, classic=True)
    yield Way("openat2", Step("openat2", -100, text(SECRET), Data(0, 0, 0), 24))


def _opens(name: Data) -> Iterator[Step]:
    flags = _variants(0, _O_CLOEXEC)
    yield Step("open", name, flags, ANY)
    yield Step("openat", -100, name, flags, ANY)
