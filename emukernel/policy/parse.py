"""From the text of a policy to its entries, each applied as the kernel would apply it.

The lines are read here; what they do is decided by the kernel's own code
(`seccomp.abi.v1.Changes`). So a policy that passes is one that the kernel takes, and the work here
is to say why another isn't.
"""

from __future__ import annotations

from emukernel.ftrace.diagnose import near, reason, suggestion
from emukernel.ftrace.events import table
from emukernel.ftrace.filter import FilterError, create
from emukernel.kernel.errno import E2BIG, Errno
from emukernel.policy.error import MAX_PROBLEMS, PolicyError, Problem
from emukernel.seccomp.abi.v1 import JOINT, MAX_TEXT, ON_NEXT_SYSCALL, Changes
from emukernel.seccomp.filter_set import EMPTY, MAX_FILTER_LENGTH, WILDCARD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emukernel.ftrace.events import Event, EventTable

_SPACE = " \t\r\v\f"
_PREFIXES = ("sys_enter_", "compat_sys_", "__x64_sys_", "sys_", "SYS_", "__NR_", "stub_")


class PolicyEntry:
    """One `NAME: EXPRESSION` of a policy, as it was written.

    `line`, `name_column` and `expression_column` count from 1, columns in characters. `nr` is the
    number of the call; None for `on_next_syscall`.
    """

    __slots__ = ("expression", "expression_column", "line", "name", "name_column", "nr")

    def __init__(
        self, name: str, expression: str, line: int, name_column: int, expression_column: int
    ) -> None:
        self.name = name
        self.expression = expression
        self.line = line
        self.name_column = name_column
        self.expression_column = expression_column
        self.nr: int | None = None


class _Wrong(Exception):
    """A line is wrong: `message` about `length` characters from `column` on (1 is the first)."""

    def __init__(self, column: int, length: int, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.length = length
        self.message = message


class Parser:
    """One text being read: `entries` and `changes` so far."""

    __slots__ = ("changes", "entries", "events", "file")

    def __init__(self, file: str, events: EventTable) -> None:
        self.file = file
        self.events = events
        self.changes = Changes(events, EMPTY, enforced=False)
        self.entries: list[PolicyEntry] = []

    def parse(self, data: bytes) -> None:
        """Reads the whole text. Raises PolicyError with all that is wrong, up to MAX_PROBLEMS."""
        problems: list[Problem] = []
        for number, line in enumerate(_decode(self.file, data).split("\n"), 1):
            try:
                entry = _split(number, line)
                if entry is not None:
                    self._apply(entry)
                    self.entries.append(entry)
            except _Wrong as wrong:
                source = line.rstrip("\r")
                place = (number, wrong.column, source, wrong.length)
                problems.append(Problem(self.file, wrong.message, *place))
                if len(problems) == MAX_PROBLEMS:
                    message = "too many errors; the rest was not looked at"
                    problems.append(Problem(self.file, message))
                    break
        size = sum(len(entry.name) + len(entry.expression) + 3 for entry in self.entries)
        if size >= MAX_TEXT and not problems:
            message = f"the entries take {size} bytes; the kernel takes {MAX_TEXT - 1}"
            problems.append(Problem(self.file, message))
        if problems:
            raise PolicyError(problems)

    def _apply(self, entry: PolicyEntry) -> None:
        name = entry.name.encode()
        text = entry.expression.encode()
        if name == ON_NEXT_SYSCALL:
            if text not in (b"0", b"1"):
                message = f"on_next_syscall is 0 or 1, not {clip(entry.expression)}"
                raise _Wrong(entry.expression_column, len(text), message)
            self.changes.apply(name, text)
            return
        event = self.events.by_entry(entry.name)
        if event is None:
            message = unknown_call(self.events, entry.name)
            raise _Wrong(entry.name_column, len(name), message)
        entry.nr = event.nr
        try:
            self.changes.apply(name, text)
        except FilterError as error:
            raise self._bad_expression(event, entry, text, error) from None
        except Errno as error:
            message = self._too_long(entry, text, error)
            raise _Wrong(entry.expression_column, len(text), message) from None

    def _bad_expression(
        self, event: Event, entry: PolicyEntry, text: bytes, error: FilterError
    ) -> _Wrong:
        earlier = self._earlier(entry)
        if earlier:
            # The error is one of the joined text. Is the line by itself to blame?
            message = f"line {earlier} has an expression for {entry.name}; 1 can't narrow it"
            if text == WILDCARD:
                return _Wrong(entry.expression_column, len(text), message)
            try:
                create(event, text)
            except FilterError as alone:
                error = alone
            else:
                message = f"the kernel can't join it to that of line {earlier}: {error.message}"
                return _Wrong(entry.expression_column, len(text), message)
        column = entry.expression_column + error.start
        return _Wrong(column, max(1, error.end - error.start), reason(error))

    def _too_long(self, entry: PolicyEntry, text: bytes, error: Errno) -> str:
        limit = f"an expression has at most {MAX_FILTER_LENGTH}"
        if error.errno == E2BIG and entry.nr is not None:
            joined = JOINT % (self.changes.entries[entry.nr].text, text)
            return f"narrows line {self._earlier(entry)} to {len(joined)} bytes; {limit}"
        return f"{len(text)} bytes; {limit}"

    def _earlier(self, entry: PolicyEntry) -> int:
        """The last line that gave the call an expression other than 1; 0 if there is none."""
        lines = [e.line for e in self.entries if e.nr == entry.nr and e.expression != "1"]
        return lines[-1] if lines and entry.nr in self.changes.entries else 0


def unknown_call(events: EventTable, name: str) -> str:
    """Why no call has this metadata name, and which one was probably meant."""
    if not events.ptregs_events and table(ptregs_events=True).by_entry(name) is not None:
        return f"{name} has no event in 2.6.39, and ptregs_events is off"
    prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), "")
    word = name.removeprefix(prefix)
    for candidate in (word, word.lower()):
        event = events.find(f"sys_{candidate}") if candidate.isidentifier() else None
        if event is not None:
            return f"unknown call {clip(name)}; the kernel's name for it is {event.entry}"
    close = near(word, events.names()) if len(word) <= 64 else []
    return f"unknown call {clip(name)}{suggestion([f'sys_{call}' for call in close])}"


def clip(text: str) -> str:
    """A piece of a policy in a message: quoted, printable and short."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _split(number: int, line: str) -> PolicyEntry | None:
    """The entry of a line; None if it has none."""
    text = _without_comment(line).rstrip(_SPACE)
    if not text:
        return None
    if not text.isascii():
        column = next(index for index, char in enumerate(text) if not char.isascii())
        message = f"{clip(text[column])} is not ASCII, and only comments can have it"
        raise _Wrong(column + 1, 1, message)
    name_column = len(text) - len(text.lstrip(_SPACE)) + 1
    name, colon, rest = text.partition(":")
    if not colon:
        length = len(text) - name_column + 1
        raise _Wrong(name_column, length, "no colon: an entry is NAME: EXPRESSION")
    expression = rest.strip(_SPACE)
    name = name.strip(_SPACE)
    if not name:
        raise _Wrong(name_column, 1, "no name before the colon")
    if not expression:
        message = f"no expression for {clip(name)}: 1 allows every call, 0 refuses it"
        raise _Wrong(len(text), 1, message)
    return PolicyEntry(name, expression, number, name_column, len(text) - len(expression) + 1)


def _without_comment(line: str) -> str:
    """The line up to a `#` that is not within double quotes."""
    quoted = False
    for index, char in enumerate(line):
        if char == '"':
            quoted = not quoted
        elif char == "#" and not quoted:
            return line[:index]
    return line


def _decode(file: str, data: bytes) -> str:
    data = data.removeprefix(b"\xef\xbb\xbf")
    nul = data.find(b"\0")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if nul < 0 or error.start < nul:
            message = f"byte {data[error.start]:#04x} is not UTF-8; a policy is a text file"
            raise PolicyError([_at(file, data, error.start, message)]) from None
    if nul >= 0:
        raise PolicyError([_at(file, data, nul, "a NUL byte; a policy is a text file")])
    return text


def _at(file: str, data: bytes, offset: int, message: str) -> Problem:
    """A problem at a byte of what is no text."""
    start = data.rfind(b"\n", 0, offset) + 1
    end = data.find(b"\n", offset)
    source = data[start : end if end >= 0 else len(data)].decode(errors="replace")
    column = len(data[start:offset].decode(errors="replace")) + 1
    return Problem(file, message, data.count(b"\n", 0, offset) + 1, column, source)
