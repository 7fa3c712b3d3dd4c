"""What the kernel makes of a policy: its entries after narrowing, and remarks on them."""

from __future__ import annotations

from emukernel.ftrace.diagnose import printable
from emukernel.ftrace.notes import notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.policy.policy import Policy

_EXITS = (60, 231)  # exit, exit_group
_KEYS = ("nr", "name", "event", "expression", "always", "lines", "notes")


class Row:
    """A call that has an entry.

    `name` is its metadata name, `event` its event in tracefs, `expression` what
    /proc/PID/seccomp_filter shows, `always` whether that is `1`; `lines` are those of the policy
    that made it, and `notes` say where it lets through what it does not seem to.
    """

    __slots__ = ("always", "event", "expression", "lines", "name", "notes", "nr")

    def __init__(
        self, nr: int, name: str, expression: str, always: bool, lines: list[int], notes: list[str]
    ) -> None:
        self.nr = nr
        self.name = name
        self.event = f"sys_enter_{name.removeprefix('sys_')}"
        self.expression = expression
        self.always = always
        self.lines = lines
        self.notes = notes


def rows(policy: Policy) -> list[Row]:
    """The calls that have an entry, in ascending number."""
    lines: dict[int | None, list[int]] = {}
    for written in policy.entries:
        lines.setdefault(written.nr, []).append(written.line)
    return [
        Row(
            entry.nr,
            entry.name,
            entry.text.decode("latin-1"),
            entry.filter is None,
            lines[entry.nr],
            [] if entry.filter is None else [note.message for note in notes(entry.filter)],
        )
        for entry in policy.filters
    ]


def remarks(policy: Policy) -> list[str]:
    """What there is to say about the policy as a whole: calls refused by name, no way to exit."""
    found = []
    refused = {entry.nr for entry in policy.entries if entry.expression == "0"} - {None}
    for entry in policy.entries:
        if entry.nr in refused and entry.expression == "0":
            found.append(f"line {entry.line}: {entry.name} is refused")
        elif entry.nr in refused:
            found.append(f"line {entry.line}: without effect, a line refuses {entry.name}")
    if not any(policy.filters.get(nr) for nr in _EXITS):
        found.append("neither sys_exit nor sys_exit_group has an entry: a program can't end itself")
    return found


def as_text(policy: Policy) -> str:
    """The list for people."""
    listed = rows(policy)
    calls = "1 entry" if len(listed) == 1 else f"{len(listed)} entries"
    start = "next system call" if policy.on_next_syscall else "next execve"
    state = f"enforced from the {start} on (on_next_syscall: {int(policy.on_next_syscall)})"
    out = [f"{printable(policy.file)}: {calls}; {state}"]
    head = ("NR", "NAME", "EVENT", "EXPRESSION")
    table = [(str(row.nr), row.name, row.event, row.expression) for row in listed]
    widths = [max(map(len, column)) for column in zip(head, *table, strict=True)]
    for index, cells in enumerate([head, *table] if table else []):
        nr, name, event, expression = cells
        line = f"{nr:>{widths[0]}}  {name:{widths[1]}}  {event:{widths[2]}}  {expression}"
        out.append(f"  {line}")
        if index:
            indent = " " * (widths[0] + 4)
            out += [f"{indent}note: {note}" for note in listed[index - 1].notes]
    out += [f"  note: {remark}" for remark in remarks(policy)]
    return "\n".join(out)


def as_json(policy: Policy) -> dict[str, object]:
    """The list for programs."""
    return {
        "file": policy.file,
        "ok": True,
        "on_next_syscall": policy.on_next_syscall,
        "entries": [{key: getattr(row, key) for key in _KEYS} for row in rows(policy)],
        "notes": remarks(policy),
    }
