"""Errors in filters, told to people: the reason, the place under a caret, what was expected,
near misses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emukernel.ftrace.parse import FIELD_NOT_FOUND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emukernel.ftrace.events import EventTable
    from emukernel.ftrace.expression import FilterError

WIDTH = 100
"""Columns of the excerpt that shows a place."""


def near(word: str, names: Iterable[str], *, limit: int = 3) -> list[str]:
    """Those of ``names`` that ``word`` could be a slip of, the likeliest first."""
    from difflib import get_close_matches

    known = list(names)
    by_case = [name for name in known if name.lower() == word.lower()]
    close = get_close_matches(word[:64], known, n=limit, cutoff=0.6)
    prefixed = [
        name for name in known if len(word) > 2 and (name.startswith(word) or name.endswith(word))
    ]
    return list(dict.fromkeys(by_case + close + prefixed))[:limit]


def suggestion(words: list[str]) -> str:
    """``words`` as a question, with the blank before it: `` (did you mean 'a' or 'b'?)``; ""
    for none."""
    quoted = [f"'{word}'" for word in words]
    if not quoted:
        return ""
    listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
    return f" (did you mean {listed}?)"


def printable(text: str) -> str:
    """``text`` with control characters, and bytes that are not UTF-8, as escapes."""
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def reason(error: FilterError) -> str:
    """One line: the kernel's message and what is known beyond it."""
    event = error.event
    if error.message == FIELD_NOT_FOUND and event is not None:
        name = printable(error.subject if len(error.subject) <= 64 else error.subject[:61] + "...")
        known = [field.name for field in event.arguments] or event.field_names()
        guess = suggestion(near(error.subject, event.field_names()))
        return (
            f"{error.message}: {event.title} has no field '{name}'{guess}; "
            f"fields: {', '.join(known)}"
        )
    parts = (error.message, f"expected {error.expected}" if error.expected else "")
    return ": ".join(part for part in parts if part)


def caret(text: bytes, start: int, end: int) -> tuple[str, str]:
    """A line that shows ``text`` around a span of bytes, and the line with carets to put under it.

    Long texts are cut to WIDTH columns around the span; what can't be printed is shown as an
    escape.
    """
    before = printable(text[:start].decode("utf-8", "surrogateescape"))
    marked = printable(text[start:end].decode("utf-8", "surrogateescape"))
    after = printable(text[end:].decode("utf-8", "surrogateescape"))
    if len(before) + len(marked) + len(after) > WIDTH:
        if len(before) > WIDTH // 2:
            before = "..." + before[len(before) - WIDTH // 2 + 3 :]
        room = WIDTH - len(before)
        if len(marked) > room:
            marked = marked[: room - 3] + "..."
            after = ""
        elif len(marked) + len(after) > room:
            after = after[: max(room - len(marked) - 3, 0)] + "..."
    return before + marked + after, " " * len(before) + "^" * max(len(marked), 1)


def render(error: FilterError) -> str:
    """The whole diagnosis of an error in a text that stands alone: three lines without the last
    newline."""
    line, mark = caret(error.text, error.start, error.end)
    return f"column {error.column + 1}: {reason(error)}\n  {line}\n  {mark}"


def unknown_event(word: str, events: EventTable) -> str:
    """One line about an event or system call that does not exist."""
    shown = printable(word if len(word) <= 64 else word[:61] + "...")
    if word[:1].isdigit():
        return f"no system call has the number {shown} and an event"
    prefix = next((p for p in ("sys_enter_", "sys_") if word.startswith(p)), "")
    close = near(word.removeprefix(prefix), events.names())
    return f"no event '{shown}'{suggestion([prefix + name for name in close])}"
