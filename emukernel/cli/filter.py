"""``emukernel filter``: one event filter taken apart and tried out, or many through a pipe."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from emukernel.ftrace import diagnose, events
from emukernel.ftrace import filter as event_filter
from emukernel.ftrace.parse import MAX_FILTER_STR_VAL

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable
    from typing import Any, BinaryIO

    from emukernel.ftrace.events import Event, EventTable
    from emukernel.ftrace.filter import EventFilter

MAX_LINE = 65536
"""Bytes of one record; a longer line is answered as a bad record."""

CACHE_BYTES = 1 << 20
"""Text of the filters that --jsonl keeps compiled; beyond that it forgets them and starts again."""

EPILOG = """\
EVENT is write, sys_write, sys_enter_write or the call's number. TEXT is the filter, as
the kernel would get it. ARG are the call's registers in order (C numbers; negative ones
as 64-bit two's complement); without any, TEXT is only parsed. Missing ones are 0.

examples:
  emukernel filter write 'fd == 1 || fd == 2'
  emukernel filter write 'fd == 1 && count <= 4096' 1 0 8192
  emukernel filter openat 'flags == 0' -- -100 0 0
  echo '{"event": "write", "filter": "fd == 1", "args": [1]}' | emukernel filter --jsonl

--jsonl reads one record a line and answers each with one line:
  {"event": "write", "filter": "fd == 1", "nr": 1, "args": [1, 0, 5]}
  {"accept": true, "error": null, "match": true}
nr, args and common (values of the common_ fields, 0 otherwise) may be left out; match is
null without args. error is the kernel's message. A line that is no such record is
answered with accept false and an error that begins with "bad record".

exit status: 0 parsed, or evaluated and matched; 1 evaluated and not matched; 2 error.
"""


def main(argv: list[str]) -> int:
    """Run the command; the exit status."""
    parser = _parser()
    options = parser.parse_args([_hide_sign(word) for word in argv])
    dialect = _dialect(options.dialect, options.ptregs_events)
    try:
        if options.jsonl:
            if options.event is not None:
                parser.error("--jsonl takes its events and filters from standard input")
            if sys.stdin is None or sys.stdout is None:
                return _fail("--jsonl needs standard input and output; one of them is closed")
            return _jsonl(sys.stdin.buffer, sys.stdout.buffer, dialect)
        if options.text is None:
            parser.error("an EVENT and a TEXT are needed (or --jsonl)")
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        text = options.text if options.text in argv else options.text[1:]
        status = _one(options.event, text, options.args, dialect)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except OSError as error:
        # Python's own flush at exit must not meet the same trouble again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, BrokenPipeError):
            return 0
        return _fail(f"standard input or output: {error.strerror}")
    except KeyboardInterrupt:
        return 130


def _parser() -> ArgumentParser:
    from argparse import RawDescriptionHelpFormatter

    from emukernel.cli.parser import Parser

    parser = Parser(
        prog="emukernel filter",
        description="Parse an ftrace event filter, and evaluate it for a system call.",
        epilog=EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("event", nargs="?", metavar="EVENT", help="the system call")
    parser.add_argument("text", nargs="?", metavar="TEXT", help="the filter")
    parser.add_argument("args", nargs="*", metavar="ARG", help="registers to evaluate it with")
    parser.add_argument(
        "--jsonl", action="store_true", help="answer records from standard input, one a line"
    )
    parser.add_argument(
        "--no-ptregs-events",
        dest="ptregs_events",
        action="store_false",
        help="only the calls that have an event in Linux 2.6.39, and later ones",
    )
    parser.add_argument(
        "--dialect",
        choices=("2.6.39", "modern"),
        default="2.6.39",
        help="the kernel whose language TEXT is in (modern: Linux 6.18; default: 2.6.39)",
    )
    return parser


class _Dialect:
    """A kernel's filter language: its events, and what makes a filter of an event and a text."""

    __slots__ = ("create", "events")

    def __init__(
        self, events: EventTable, create: Callable[[Event, bytes | str], EventFilter]
    ) -> None:
        self.events = events
        self.create = create


def _dialect(name: str, ptregs_events: bool) -> _Dialect:
    if name == "modern":
        from emukernel.ftrace import modern

        return _Dialect(modern.ModernEventTable(), modern.create)
    return _Dialect(events.table(ptregs_events=ptregs_events), event_filter.create)


def _hide_sign(word: str) -> str:
    """A negative number must not look like an option: argparse knows decimal ones only."""
    return f" {word}" if word[:1] == "-" and word[1:2].isdigit() and word[1:].isalnum() else word


def _one(name: str, text: str, words: list[str], dialect: _Dialect) -> int:
    event = dialect.events.find(name.strip())
    if event is None:
        return _fail(diagnose.unknown_event(name, dialect.events))
    registers: list[int] = []
    for position, word in enumerate(words, 1):
        value = _register(word)
        if value is None:
            shown = diagnose.printable(word.strip()[:64])
            return _fail(f"argument {position}: '{shown}' is no number from -2^63 to 2^64 - 1")
        registers.append(value)
    if len(registers) > 6:
        return _fail(f"{len(registers)} arguments given; a system call has at most 6")
    try:
        filter = dialect.create(event, text)
    except event_filter.FilterError as error:
        return _fail(f"{event.title}: {diagnose.render(error)}")
    print(f"event:   {event.name}, system call {event.nr}, id {event.id}")
    fields = ", ".join(f"{field.name} ({field.type})" for field in event.arguments)
    print(f"fields:  {fields or 'none but nr and the common ones'}")
    print(f"filter:  {diagnose.printable(text)}")
    length = len(filter.text.strip())
    if length >= MAX_FILTER_STR_VAL:
        most = MAX_FILTER_STR_VAL - 1
        print(f"note:    {length} bytes; prctl(PR_SET_SECCOMP) takes at most {most}")
    status = _verdict(filter, registers) if registers else _predicates(filter)
    _notes(filter)
    return status


def _predicates(filter: EventFilter) -> int:
    print("predicates:")
    for predicate in filter.predicates:
        line = f"  {diagnose.printable(str(predicate)):<32} column {predicate.span.start + 1}"
        if predicate.value != predicate.constant:
            field = predicate.field
            line += f" (cut to {field.size * 8} bits: {field.name} {predicate.op} "
            line += f"{predicate.constant})"
        print(line)
    return 0


def _verdict(filter: EventFilter, registers: list[int]) -> int:
    assert filter.event.nr is not None
    registers = registers + [0] * (6 - len(registers))
    explanation = filter.explain(filter.event.nr, registers)
    arguments = zip(filter.event.arguments, registers, strict=False)
    call = ", ".join(f"{field.name}={value:#x}" for field, value in arguments)
    print(f"call:    {filter.event.title}({call})")
    print("predicates:")
    for outcome in explanation.outcomes:
        mark = "*" if outcome in explanation.because else " "
        shown = diagnose.printable(str(outcome.predicate))
        value = outcome.value
        of = f"{outcome.predicate.field.name} is {value!r}"
        if isinstance(value, int) and value > 9:
            of += f" ({value:#x})"
        print(f"{mark} {shown:<32} {str(outcome.result).lower():<6} {of}")
    print(f"match:   {'yes' if explanation.match else 'no'} (* decides)")
    return 0 if explanation.match else 1


def _notes(filter: EventFilter) -> None:
    from emukernel.ftrace.notes import notes

    for note in notes(filter):
        line, mark = diagnose.caret(filter.text, note.span.start, note.span.end)
        print(f"note:    {note.message}\n  {line}\n  {mark}")


def _register(word: str) -> int | None:
    """A C number as 64 bits, None if it is none or does not fit."""
    digits = word.strip().lower()
    negative = digits.startswith("-")
    digits = digits.removeprefix("-")
    if not digits.isascii() or not digits.isalnum() or len(digits) > 64:
        return None
    try:
        value = int(digits, 8 if len(digits) > 1 and digits.isdigit() and digits[0] == "0" else 0)
    except ValueError:
        return None
    if negative:
        value = -value
    return value & 0xFFFFFFFFFFFFFFFF if -(1 << 63) <= value < 1 << 64 else None


def _fail(message: str) -> int:
    print(f"emukernel filter: {message}", file=sys.stderr)
    return 2


def _jsonl(source: BinaryIO, sink: BinaryIO, dialect: _Dialect) -> int:
    """Answer every line of ``source`` on ``sink``; what is complete is answered at once."""
    answer = _answerer(dialect)
    too_long = _bad(f"longer than {MAX_LINE} bytes")
    rest = b""
    skipping = False
    read1 = getattr(source, "read1", source.read)
    while chunk := read1(MAX_LINE):
        *lines, rest = (rest + chunk).split(b"\n")
        answers: list[bytes] = []
        for line in lines:
            answers.append(too_long if skipping or len(line) > MAX_LINE else answer(line))
            skipping = False
        if len(rest) > MAX_LINE:
            skipping = True
            rest = b""
        if answers:
            sink.write(b"".join(answers))
            sink.flush()
    if skipping:
        sink.write(too_long)
    elif rest:
        sink.write(answer(rest))
    sink.flush()
    return 0


def _answer(accept: bool, error: str | None, match: bool | None) -> bytes:
    import json

    return json.dumps({"accept": accept, "error": error, "match": match}).encode() + b"\n"


def _bad(what: str) -> bytes:
    return _answer(False, f"bad record: {what}", None)


class _BadRecord(Exception):
    """A record that is none; the text says why."""


class _Known:
    """An event and filter that were seen before: the filter, or the answer that there is none."""

    __slots__ = ("event", "filter", "refusal")

    def __init__(self, event: Event | None, filter: EventFilter | None, refusal: bytes) -> None:
        self.event = event
        self.filter = filter
        self.refusal = refusal


def _answerer(dialect: _Dialect) -> Callable[[bytes], bytes]:
    """The function from a record's line to its answer's."""
    from json import JSONDecodeError, JSONDecoder

    decode = JSONDecoder().raw_decode
    known: dict[tuple[str, str], _Known] = {}
    size = 0
    parsed, matched, failed = (_answer(True, None, match) for match in (None, True, False))
    zeros = [(0,) * (6 - n) for n in range(7)]

    def look_up(name: object, text: object) -> _Known:
        nonlocal size
        if not isinstance(name, str) or not isinstance(text, str):
            raise _BadRecord("event and filter must be strings")
        entry = _make(dialect, name, text)
        size += len(name) + len(text) + 256
        if size > CACHE_BYTES:
            known.clear()
            size = len(name) + len(text) + 256
        known[name, text] = entry
        return entry

    def evaluate(line: bytes) -> bytes:
        text = str(line, "utf-8").strip()
        record, end = decode(text)
        if end != len(text):
            raise _BadRecord(f"something follows the record at column {end + 1}")
        if type(record) is not dict:
            raise _BadRecord("a JSON object is expected")
        name: Any = record.get("event")
        expression: Any = record.get("filter")
        try:
            entry = known[name, expression]
        except (KeyError, TypeError):
            entry = look_up(name, expression)
        filter, event = entry.filter, entry.event
        if filter is None or event is None:
            return entry.refusal
        args = record.get("args")
        if args is None:
            return parsed
        if type(args) is not list or len(args) > 6:
            raise _BadRecord("args must be a list of at most 6 numbers")
        for i, value in enumerate(args):
            if type(value) is not int or not -(1 << 63) <= value < 1 << 64:
                raise _BadRecord("args must be integers from -2^63 to 2^64 - 1")
            if value < 0:
                args[i] = value + (1 << 64)
        nr = record.get("nr", event.nr)
        if type(nr) is not int or not -(1 << 31) <= nr < 1 << 31:
            raise _BadRecord("nr must be an integer from -2^31 to 2^31 - 1")
        common = record.get("common")
        if common is None:
            match = filter.match(nr, *args, *zeros[len(args)])
        else:
            match = filter.match_record(_record(event, nr, args, common))
        return matched if match else failed

    def answer(line: bytes) -> bytes:
        try:
            return evaluate(line)
        except _BadRecord as bad:
            return _bad(str(bad))
        except UnicodeError:
            return _bad("not UTF-8")
        except RecursionError:
            return _bad("nested too deeply")
        except JSONDecodeError as error:
            return _bad(f"not JSON: {error.msg} at column {error.colno}")
        except ValueError:
            return _bad("a number has too many digits")

    return answer


def _make(dialect: _Dialect, name: str, text: str) -> _Known:
    event = dialect.events.find(name)
    if event is None:
        return _Known(None, None, _answer(False, f"unknown event '{name[:64]}'", None))
    try:
        return _Known(event, dialect.create(event, text.encode()), b"")
    except event_filter.FilterError as error:
        return _Known(event, None, _answer(False, error.message or None, None))


def _record(event: Event, nr: int, args: list[int], common: object) -> dict[str, int | bytes]:
    record: dict[str, int | bytes] = {}
    names = {field.name for field in event.common}
    if not isinstance(common, dict):
        raise _BadRecord("common must be an object")
    for name, value in common.items():
        if name not in names:
            raise _BadRecord("common has a field that no event has in common")
        if type(value) is not int:
            raise _BadRecord("common must have integers")
        record[name] = value
    record.update((field.name, nr) for field in event.fields if field.register == "nr")
    record.update((field.name, value) for field, value in zip(event.arguments, args, strict=False))
    return record
