"""A file that the program opened takes the number of a standard stream.

A filter that lets read and write have 0, 1 and 2 only means the streams that the program was given.
But open gives out the lowest free number: after close(0) that is 0, and dup2 gives any.
"""

from __future__ import annotations

from emukernel.fuzz.audit.effects import threat
from emukernel.fuzz.audit.effects.reading import Read
from emukernel.fuzz.audit.effects.writing import Written
from emukernel.fuzz.audit.observe import PAYLOAD, SECRET, SECRET_TEXT, VICTIM, Watch
from emukernel.fuzz.audit.search import Effect
from emukernel.fuzz.audit.ways import NUMBERS, Data, OneOf, Step, Way, text
from emukernel.fuzz.program import MASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emukernel.fuzz.audit.rules import Rules

_FIRST = 3
"""What the first open gets."""

_READ_ONLY = OneOf(0, 0x80000)
_FOR_WRITING = OneOf(1, 0x80001, 0x241, 0x80241, 2, 0x80002, 0x242)


def effects(rules: Rules) -> Iterator[Effect]:
    watches: tuple[tuple[str, str, Callable[[], Watch]], ...] = (
        ("read", "a file that the program opened is read", Read),
        ("write", "a file that the program opened is written to", lambda: Written(_FIRST)),
    )
    for call, what, watch in watches:
        opened = rules.regions.between(0, _FIRST, MASK)
        passing = rules.region(NUMBERS[call])
        if passing is False or rules.regions.both(passing, opened) is not False:
            continue  # files that were opened may be read, or written to
        yield Effect("renumber", what, threat(__name__), watch, list(_ways(call)))


def _ways(call: str) -> Iterator[Way]:
    for opener in ("openat", "open", "openat2"):
        yield Way(
            f"{opener} and {call}",
            _open(opener, call),
            _use(call, _FIRST),
            chief=1,
        )
    for opener in ("openat", "open", "openat2"):
        for number in (0, 1, 2):
            yield Way(
                f"close, {opener} and {call}",
                Step("close", number),
                _open(opener, call),
                _use(call, number),
                chief=2,
                plain=False,
            )
            yield Way(
                f"{opener}, dup2 and {call}",
                _open(opener, call),
                Step("dup2", _FIRST, number),
                _use(call, number),
                chief=2,
                plain=False,
            )


def _open(opener: str, call: str) -> Step:
    name = text(SECRET if call == "read" else VICTIM)
    flags = _READ_ONLY if call == "read" else _FOR_WRITING
    mode = OneOf(0, 0o644, 0o600)
    if opener == "open":
        return Step("open", name, flags, mode)
    if opener == "openat":
        return Step("openat", -100, name, flags, mode)
    return Step("openat2", -100, name, Data(flags.values[0], 0, 0), 24)


def _use(call: str, number: int) -> Step:
    # The number is a standard stream's: that the policy names it is no word on other files.
    fields = ("fd",) if number == _FIRST else ()
    data, size = (Data(size=64), len(SECRET_TEXT)) if call == "read" else (
        Data(PAYLOAD),
        len(PAYLOAD),
    )  # fmt: skip
    return Step(call, number, data, size, fields=fields)
