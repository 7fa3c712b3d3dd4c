"""`emukernel syscalls`: the table of system calls, and all that is known of one."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

    from emukernel.ftrace.events import Event
    from emukernel.kernel.syscalls.signature import Parameter
    from emukernel.kernel.syscalls.table import Row

EXIT_OK = 0
EXIT_ERROR = 2

_EXAMPLES = """\
The table has, for each call: its number; the name by which policies and filters know it; the id of
its event; the support level; and its parameters, with the names that filters use for them.

  full     a test program makes the call, and does the same under emukernel as on Linux
  partial  there is code for it, and no such test
  none     ENOSYS

NAME is a call's name (openat), its name in a policy (sys_openat), that of its event
(sys_enter_openat) or its number. Every argument of an event is the whole 64-bit register; where a
call looks at fewer bits, the description of one call says so.

examples:
  emukernel syscalls
  emukernel syscalls openat
  emukernel syscalls 257 sys_newstat
  emukernel syscalls --missing
  emukernel syscalls --json openat

exit status: 0, or 2 where a NAME is unknown.
"""


def _parser() -> ArgumentParser:
    from argparse import RawDescriptionHelpFormatter

    from emukernel.cli.parser import Parser

    parser = Parser(
        prog="emukernel syscalls",
        description="Prints the table of system calls, or what is known of some of them.",
        epilog=_EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="a call, by name or number")
    parser.add_argument("--json", action="store_true", help="a JSON object per call, a line each")
    parser.add_argument("--missing", action="store_true", help="only the calls that are ENOSYS")
    return parser


def main(argv: list[str]) -> int:
    """Runs the command with these arguments; returns the exit status."""
    try:
        options = _parser().parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else EXIT_ERROR
    calls = SystemCalls()
    rows = []
    for word in options.names:
        row = calls.find(word)
        if row is None:
            from emukernel.cli.suggest import near_miss

            hint = near_miss(word.removeprefix("sys_"), calls.names())
            sys.stderr.write(f"emukernel syscalls: no system call {word!r}{hint}\n")
            return EXIT_ERROR
        rows.append(row)
    descriptions = [calls.describe(row) for row in rows or calls.rows]
    if options.missing:
        descriptions = [call for call in descriptions if call["support"] == "none"]
    if options.json:
        import json

        text = "".join(json.dumps(call) + "\n" for call in descriptions)
    elif rows and not options.missing:
        text = "\n".join([details(call) for call in descriptions])
    else:
        text = as_table(descriptions)
    sys.stdout.write(text)
    return EXIT_OK


class SystemCalls:
    """The rows of the table together with the events of the calls and what was shown of them."""

    def __init__(self) -> None:
        from emukernel.ftrace.events import table
        from emukernel.kernel.syscalls.levels import evidence
        from emukernel.kernel.syscalls.table import SYSCALLS

        self.rows = SYSCALLS
        self.events = table()
        self.evidence = evidence()

    def names(self) -> list[str]:
        """Every name of a call."""
        return [row[1] for row in self.rows] + self.events.names()

    def find(self, word: str) -> Row | None:
        """The row that a person means by `word`; None if there is none."""
        name = word.removeprefix("sys_enter_").removeprefix("sys_")
        for row in self.rows:
            if row[1] == name:
                return row
        event = self.events.find(word)
        nr = event.nr if event else None
        return next((row for row in self.rows if row[0] == nr), None)

    def describe(self, row: Row) -> dict[str, Any]:
        """All that is known of a call."""
        from emukernel.kernel.syscalls.levels import level
        from emukernel.kernel.syscalls.signature import parse

        nr, name, module, text = row
        signature = parse(text)
        event = self.events.by_nr(nr)
        filters = self._filter_names(event, len(signature.parameters))
        return {
            "nr": nr,
            "name": name,
            "metadata": event.title if event else None,
            "event": event.name if event else None,
            "event_id": event.id if event else None,
            "support": level(row, self.evidence),
            "shown_by": self.evidence.get(name, []),
            "handler": f"emukernel/kernel/{module.replace('.', '/')}.py" if module else None,
            "i386": _i386(name),
            "parameters": [
                _parameter(parameter, name)
                for parameter, name in zip(signature.parameters, filters, strict=True)
            ],
            "result": signature.result or "number",
            "linux_2_6_39": _linux_2_6_39(nr),
        }

    def _filter_names(self, event: Event | None, count: int) -> list[str | None]:
        names: list[str | None] = [field.name for field in event.arguments] if event else []
        return (names + [None] * count)[:count]


def _i386(name: str) -> dict[str, Any] | None:
    """The call of that name among those of int 0x80, and whether it does the same there."""
    from emukernel.kernel.syscalls.i386 import I386, numbers

    nr = numbers().get(name)
    if nr is None:
        return None
    return {"nr": nr, "implemented": any(number == nr for number, _, _ in I386)}


def _linux_2_6_39(nr: int) -> dict[str, Any] | None:
    """What 2.6.39 had of the call; None if it had no such call."""
    import json

    from emukernel.ftrace.events import DATA

    if not _facts:
        with open(DATA, encoding="ascii") as file:
            _facts.update((fact["nr"], fact["linux_2_6_39"]) for fact in json.load(file))
    return _facts[nr]


_facts: dict[int, dict[str, Any] | None] = {}


def _parameter(parameter: Parameter, filter_name: str | None) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "type": parameter.type,
        "field": filter_name,
        "bits": abs(parameter.width),
        "signed": parameter.width < 0,
        "kind": parameter.kind or None,
        "names": _names(parameter.kind),
    }


def _names(kind: str) -> dict[str, int] | None:
    """The names that an argument's number is made of, where there is a set of them."""
    from emukernel.strace.names import enum_set, flag_set

    word, _, name = kind.partition(" ")
    if word == "flags":
        return {flag: bits for bits, flag in flag_set(name)[1]}
    if word == "enum":
        return {flag: number for number, flag in enum_set(name)[1].items()}
    if kind in _SETS:
        return {flag: bits for bits, flag in flag_set(_SETS[kind])[1]}
    return None


_SETS = {
    "open.flags": "fs.open",
    "mmap.flags": "mm.map",
    "clone.flags": "process.clone",
    "stat.statx_flags": "fs.statx_at",
    "ipc.flags": "ipc.flags",
}
"""Kinds that are more than a set of flags, and the set that they have."""


def _declared(call: dict[str, Any]) -> str:
    """`unsigned int fd, char *buf, size_t count`, with the names that filters use."""
    texts = []
    for parameter in call["parameters"]:
        type = parameter["type"]
        space = "" if type.endswith("*") else " "
        texts.append(f"{type}{space}{parameter['field'] or parameter['name']}")
    return ", ".join(texts)


def as_table(calls: list[dict[str, Any]]) -> str:
    """A line a call, under a heading."""
    heading = ("nr", "name", "in policies", "event id", "support", "parameters")
    lines = [
        (
            str(call["nr"]),
            call["name"],
            call["metadata"] or "-",
            "-" if call["event_id"] is None else str(call["event_id"]),
            call["support"],
            _declared(call),
        )
        for call in calls
    ]
    widths = [max(len(line[i]) for line in (heading, *lines)) for i in range(5)]
    text = ""
    for nr, name, metadata, id, support, parameters in (heading, *lines):
        text += (
            f"{nr:>{widths[0]}}  {name:<{widths[1]}}  {metadata:<{widths[2]}}  {id:>{widths[3]}}  "
            f"{support:<{widths[4]}}  {parameters}".rstrip()
            + "\n"
        )
    return text


def details(call: dict[str, Any]) -> str:
    """What is known of one call, as a text of several lines."""
    from emukernel.kernel.syscalls.levels import MEANING

    support = call["support"]
    lines = [f"{call['name']} ({call['nr']})"]
    if call["metadata"]:
        lines.append(f"  in policies  {call['metadata']}")
        lines.append(f"  event        {call['event']}, id {call['event_id']}")
    shown = f" ({', '.join(call['shown_by'][:5])})" if call["shown_by"] else ""
    lines.append(f"  support      {support}: {MEANING[support]}{shown}")
    if call["handler"]:
        lines.append(f"  handler      {call['handler']}")
    i386 = call["i386"]
    if i386:
        how = "the same" if i386["implemented"] else "ENOSYS"
        lines.append(f"  int 0x80     number {i386['nr']}: {how}")
    lines.append(f"  2.6.39       {_then(call)}")
    lines.append("  parameters" if call["parameters"] else "  no parameters")
    lines += [f"    {text}" for text in _parameter_lines(call["parameters"])]
    for parameter in call["parameters"]:
        if parameter["names"]:
            lines += _name_lines(parameter["field"] or parameter["name"], parameter["names"])
    return "\n".join(lines) + "\n"


def _then(call: dict[str, Any]) -> str:
    """How 2.6.39 differs."""
    then = call["linux_2_6_39"]
    if then is None:
        return "no such call"
    texts = []
    if then.get("name"):
        texts.append(f"called {then['name']}")
    if not then["event"]:
        texts.append("no event (the kernel option ptregs_events gives it one)")
    if then["args"] is not None:
        old = {argument["name"]: argument["type"] for argument in then["args"]}
        for parameter in call["parameters"]:
            name = parameter["field"]
            if name and name != parameter["name"]:
                texts.append(f"{parameter['name']} is {name} there, and in filters")
            elif name in old and old[name].replace(" ", "") != parameter["type"].replace(" ", ""):
                texts.append(f"{name} is of type {old[name]}")
    return "; ".join(texts) or "the same"


def _parameter_lines(parameters: list[dict[str, Any]]) -> list[str]:
    names = [parameter["field"] or parameter["name"] for parameter in parameters]
    width = max(map(len, names), default=0)
    types = max((len(parameter["type"]) for parameter in parameters), default=0)
    lines = []
    for name, parameter in zip(names, parameters, strict=True):
        sign = ", signed" if parameter["signed"] else ""
        bits = f"{parameter['bits']} bits{sign}"
        if parameter["bits"] < 64:
            bits = f"the low {bits}; a filter compares all 64"
        lines.append(f"{name:<{width}}  {parameter['type']:<{types}}  {bits}")
    return lines


def _name_lines(name: str, numbers: dict[str, int]) -> list[str]:
    import textwrap

    words = [f"{word}={number:#x}" for word, number in numbers.items()]
    text = textwrap.wrap(" ".join(words), 92, break_long_words=False, break_on_hyphens=False)
    return [f"  {name}:", *[f"    {line}" for line in text]]
