"""Names that change after the check.

A filter sees the address of a name, never the name. `filename == 0x402010` means the name that the
program has there today, but memory can be given another content by whoever may map over it or make
it writable, before the call or between the check and the kernel's look.
"""

from __future__ import annotations

from emukernel.fuzz.audit.ways import Data, Put, Step, Way
from emukernel.fuzz.program import PAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emukernel.fuzz.audit.rules import Rules

_LOWEST, _HIGHEST = 0x10000, 0x7FFF_0000_0000
_RW, _PRIVATE_FIXED_ANONYMOUS = 3, 0x32


def rewritten(
    rules: Rules, name: bytes, calls: Callable[[Data], Iterator[Step]], usual: bytes
) -> Iterator[Way]:
    """Calls with `name` at an address that the policy singles out by `==`, where `usual` stands in
    memory that can't be written until the program changes that."""
    for step in calls(Data(b"")):
        for line in rules.lines_on(step.nr):
            for predicate in line.filter.predicates if line.filter is not None else ():
                address = predicate.constant
                if (
                    "*" not in predicate.field.type
                    or predicate.op != "=="
                    or not _LOWEST <= address < _HIGHEST
                ):
                    continue
                for label, changes in _changes(address, name):
                    yield _way(step, address, label, changes, usual)


def _changes(address: int, name: bytes) -> Iterator[tuple[str, list[Step | Put]]]:
    page = address & -PAGE
    put = Put(address, name + b"\0")
    yield "after mprotect", [Step("mprotect", page, PAGE, _RW), put]
    yield (
        "after mmap",
        [Step("mmap", page, PAGE, _RW, _PRIVATE_FIXED_ANONYMOUS, -1, 0), put],
    )


def _way(step: Step, address: int, label: str, changes: list[Step | Put], usual: bytes) -> Way:
    args = [address if isinstance(arg, Data) and arg.parts == (b"",) else arg for arg in step.args]
    return Way(
        f"{step.name} of a name that was changed {label}",
        *changes,
        Step(step.name, *args),
        chief=len(changes),
        plain=False,
        constant={address: usual + b"\0"},
    )
