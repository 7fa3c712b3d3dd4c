"""Memory becomes executable.

A filter on mmap's protection says nothing of mprotect and pkey_mprotect, and mmap ignores the bits
of `prot` that it does not know: `prot != 7` lets 0x107 pass, which is the same. With the
personality READ_IMPLIES_EXEC whatever is readable is executable.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.observe import Watch
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import ANY, OneOf, Put, Step, Way
from emukernel.fuzz.program import PAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from emukernel.fuzz.audit.rules import Rules
    from emukernel.kernel.kernel import Kernel
    from emukernel.kernel.task import Task

MAP = 0x600000
_VM_WRITE, _VM_EXEC = 2, 4
_READ, _WRITE, _EXEC, _SEM = 1, 2, 4, 8
_FLAGS = OneOf(0x32, 0x8032, 0x4032)
_READ_IMPLIES_EXEC = 0x400000
_PROT = ("prot",)
_INSTEAD = "prot == 0 || prot == 1 || prot == 3"
"""No part of what is usual and not executable."""


class Executable(Watch):
    """Memory at MAP that is executable, and writable as well if `writable`."""

    def __init__(self, writable: bool) -> None:
        self.wanted = _VM_EXEC | (_VM_WRITE if writable else 0)
        self.found = False

    def after(self, task: Task, nr: int, args: tuple[int, ...], result: int) -> None:
        vma = task.mm.find_vma(MAP) if task.mm is not None else None
        if vma is not None and vma.start <= MAP and vma.flags & self.wanted == self.wanted:
            self.found = True

    def end(self, kernel: Kernel) -> object:
        if not self.found:
            return None
        return {"memory": "writable and executable" if self.wanted & _VM_WRITE else "executable"}


def effects(rules: Rules) -> Iterator[Effect]:
    for what, writable, prot in (
        ("memory is writable and executable at once", True, _READ | _WRITE | _EXEC),
        ("memory that was written becomes executable", False, _READ | _EXEC),
    ):
        yield Effect(
            "executable-memory",
            what,
            threat(__name__),
            lambda writable=writable: Executable(writable),  # type: ignore[misc]
            list(_ways(prot, writable)),
        )


def _ways(prot: int, writable: bool) -> Iterator[Way]:
    also = [_READ | _WRITE | _EXEC, _WRITE | _EXEC] if writable else [_READ | _EXEC, _EXEC]
    more = [p | extra for extra in (_SEM, 0x100, 1 << 32) for p in also]
    loose = OneOf(*also[:1], *more, *also[1:])
    strict = OneOf(*also, *(p | _SEM for p in also))
    yield Way(
        "mmap", Step("mmap", MAP, PAGE, loose, _FLAGS, -1, ANY, fields=_PROT), instead=_INSTEAD
    )
    written = {MAP: b"\xc3"}
    yield Way(
        "mprotect",
        Step("mprotect", MAP, PAGE, strict, fields=_PROT),
        data=written,
        instead=_INSTEAD,
    )
    yield Way(
        "pkey_mprotect",
        Step("pkey_mprotect", MAP, PAGE, strict, -1, fields=_PROT),
        data=written,
        instead=_INSTEAD,
    )
    if writable:
        plain = OneOf(_READ | _WRITE, _READ | _WRITE | _SEM)
        yield Way(
            "mmap under READ_IMPLIES_EXEC",
            Step("personality", _READ_IMPLIES_EXEC, fields=("personality",)),
            Step("mmap", MAP, PAGE, plain, _FLAGS, -1, ANY),
            Put(MAP, b"\xc3"),
            plain=False,
        )
