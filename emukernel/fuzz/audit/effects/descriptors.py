"""Which descriptors to try, and how a file gets another number."""

from __future__ import annotations

from emukernel.fuzz.audit.ways import NUMBERS, Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emukernel.fuzz.audit.rules import Rules

MAX_DESCRIPTOR = 900
"""Greater numbers are beyond RLIMIT_NOFILE's default."""

F_DUPFD = 0


def descriptors(rules: Rules, calls: Sequence[str]) -> list[int]:
    """Numbers of descriptors at which a policy's verdict on these calls is worth a look: those that
    it names with `!=`, and the first one from 3 on that it does not name at all."""
    named: set[int] = set()
    refused: set[int] = set()
    for call in calls:
        for line in rules.lines_on(NUMBERS[call]):
            for predicate in line.filter.predicates if line.filter is not None else ():
                if "fd" in predicate.field.name:
                    low = predicate.constant & 0xFFFFFFFF
                    named.add(low)
                    if predicate.op == "!=":
                        refused.add(low)
    unnamed = next(number for number in range(3, 1000) if number not in named)
    return [*sorted(number for number in refused if number <= MAX_DESCRIPTOR), unnamed]


def renumbered(number: int) -> Iterator[tuple[str, int, list[Step]]]:
    """(name, new number, steps) of each way to have a file at another descriptor."""
    for new in sorted({0, 1, 2, 4, number + 1} - {number}):
        fields = ("fildes", "oldfd", "newfd", "fd", "cmd", "arg")
        yield f"dup2 to {new}", new, [Step("dup2", number, new, fields=fields)]
        yield f"dup3 to {new}", new, [Step("dup3", number, new, 0, fields=fields)]
        if new < 3:
            close = Step("close", new)
            yield f"dup to {new}", new, [close, Step("dup", number, fields=fields)]
            yield (
                f"fcntl F_DUPFD to {new}",
                new,
                [close, Step("fcntl", number, F_DUPFD, new, fields=fields)],
            )
        elif new == number + 1:
            yield (
                f"fcntl F_DUPFD to {new}",
                new,
                [Step("fcntl", number, F_DUPFD, new, fields=fields)],
            )
