"""Policy texts of a wanted length for the benchmarks' guests."""

from __future__ import annotations

from collections.abc import Sequence

from emukernel.ftrace.events import table

NARROWED_BY = "nr >= 0"
"""True for every call, but unlike the expression `1` it is evaluated."""


def policy(entries: Sequence[str], lines: int) -> str:
    """A policy of `lines` lines that begins with `entries` and is enforced from the next call on.

    The rest are entries for other calls, with and without a predicate; when every call has one,
    more lines narrow entries that are there. Raises ValueError for fewer lines than are needed.
    """
    made = [*entries, "on_next_syscall: 1"]
    if len(made) > lines:
        raise ValueError(f"{lines} lines: {len(made)} are needed")
    named = {entry.partition(":")[0] for entry in entries}
    others = [name for event in table().names() if (name := f"sys_{event}") not in named]
    fill = [f"{name}: {NARROWED_BY if number % 2 else '1'}" for number, name in enumerate(others)]
    while len(made) < lines:
        made += fill[: lines - len(made)]
        fill = fill[1::2] or fill  # only an entry with a predicate can take another
    return "\n".join(made) + "\n"
