"""What is behind a descriptor gets into the program's hands.

A filter on read's descriptor says nothing of the other calls that read: readv, pread64, preadv2, a
mapping of the file, sendfile and splice to a descriptor that the program may write to. A file gets
another number by dup2. And read itself looks at the low half of the register only.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.effects.descriptors import descriptors, renumbered
from emukernel.fuzz.audit.observe import SECRET_TEXT, Watch, read_user
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import DATA, Data, OneOf, Step, Way
from emukernel.fuzz.program import PAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

CALLS = ("read", "pread64", "readv", "preadv", "preadv2", "mmap")
_MAP = 0x600000
_FD = ("fd", "in_fd", "fd_in")


class Read(Watch):
    """The secret in the program's memory, or on its standard output or error."""

    def __init__(self) -> None:
        self.seen = False

    def after(self, task: Task, nr: int, args: tuple[int, ...], result: int) -> None:
        if not self.seen and result > 0:
            places = [read_user(task, start, PAGE) for start in (DATA, _MAP, *_pages(args))]
            self.seen = any(SECRET_TEXT in place for place in places)

    def end(self, kernel: Kernel) -> object:
        from emukernel.kernel.fs.init import captured_output

        out = captured_output(kernel)
        if self.seen or any(SECRET_TEXT in stream for stream in out or ()):
            return {"read": SECRET_TEXT.decode()}
        return None


def _pages(args: tuple[int, ...]) -> list[int]:
    return [value & -PAGE for value in args if 0x10000 <= value < 1 << 47]


def effects(rules: Rules) -> Iterator[Effect]:
    for number in descriptors(rules, CALLS[:-1]):
        yield Effect(
            "read",
            f"what is behind descriptor {number} gets into the program's hands",
            threat(__name__),
            Read,
            list(_ways(number)),
            {"descriptors": {str(number): "secret"}},
        )


def _ways(number: int) -> Iterator[Way]:
    size = len(SECRET_TEXT)
    buffer = Data(size=64)
    iov = Data(buffer, size)
    yield Way("read", Step("read", number, buffer, size, fields=_FD))
    yield Way("pread64", Step("pread64", number, buffer, size, 0, fields=_FD))
    yield Way("readv", Step("readv", number, iov, 1, fields=_FD))
    yield Way("preadv", Step("preadv", number, iov, 1, 0, 0, fields=_FD))
    yield Way("preadv2", Step("preadv2", number, iov, 1, 0, 0, 0, fields=_FD))
    yield Way(
        "a mapping of it",
        Step("mmap", _MAP, PAGE, OneOf(1, 3), OneOf(0x12, 0x11), number, 0, fields=("fd",)),
        plain=False,
        instead="flags == 0x22",
    )
    for out in (1, 2):
        yield Way(
            f"sendfile to {out}",
            Step("sendfile", out, number, 0, size, fields=_FD),
            plain=False,
        )
    for label, new, steps in renumbered(number):
        yield Way(
            label,
            *steps,
            Step("read", new, buffer, size),
            chief=len(steps) - 1,
            plain=False,
        )
