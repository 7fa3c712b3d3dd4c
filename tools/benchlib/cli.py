"""The command line of `tools/bench`."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchlib import PROJECT, benchmarks, guests, platforms, qiling_setup
from benchlib.process import RunError
from benchlib.report import Section, as_json, table
from benchlib.session import Session

EPILOG = """\
The other columns of the table have, beside the value, how many times emukernel's it is. Every
value is the median of -n rounds in which the platforms take turns. Targets are numbers to reach;
they compare values of this run only. A platform that is not installed is left out.

All benchmarks at full size take about three minutes, most of it Qiling's share of cpu.

examples:
  tools/bench                              everything
  tools/bench cpu getppid --json out.json  two of them, and JSON
  tools/bench -n 1 --scale 0.1             a first impression
  tools/bench --setup-qiling               install Qiling for comparison

exit status: 0; 1 if something could not be measured on a platform that is there; 2 for bad usage
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; the result is its exit status."""
    options = _parser().parse_args(arguments)
    if str(PROJECT) not in sys.path:
        sys.path.insert(0, str(PROJECT))  # policies are made from emukernel's table of calls
    if options.list:
        for name in benchmarks.names():
            print(f"{name:10} {benchmarks.load(name).TITLE}")
        return 0
    if options.setup_qiling:
        try:
            return qiling_setup.install(options.python)
        except OSError as error:
            print(f"tools/bench: {error}", file=sys.stderr)
            return 2
    try:
        with tempfile.TemporaryDirectory(prefix="emukernel-bench-") as scratch:
            return _measure(options, Path(scratch))
    except KeyboardInterrupt:
        return 130


def _measure(options: argparse.Namespace, scratch: Path) -> int:
    found = platforms.find(options.platforms, python=options.python, scratch=scratch)
    session = Session(
        [platform for platform in found if platform.absent is None],
        rounds=options.rounds, scale=options.scale, timeout=options.timeout, scratch=scratch,
        verbose=sys.stderr.isatty(),
    )
    for platform in found:
        print(f"{platform.title}: {platform.version or f'left out: {platform.absent}'}")
    compiler = guests.compiler()
    print(f"rounds {options.rounds}, scale {options.scale:g}, guests by {compiler}\n")
    sections: dict[str, Section] = {}
    for name in options.names or benchmarks.names():
        benchmark = benchmarks.load(name)
        try:
            section = benchmark.measure(session)
        except RunError as error:
            session.failures += 1
            session.note(str(error))
            section = Section(benchmark.TITLE)
        section.notes += session.take_notes()
        sections[name] = section
        print(table(name, section, session.platforms), flush=True)
    if options.json is not None:
        document = _document(options, found, sections)
        try:
            with open(options.json, "w", encoding="utf-8") as file:
                json.dump(document, file, indent=2, ensure_ascii=False)
                file.write("\n")
        except OSError as error:
            print(f"tools/bench: {options.json}: {error.strerror}", file=sys.stderr)
            return 2
    return 1 if session.failures else 0


def _document(
    options: argparse.Namespace,
    found: Sequence[platforms.Platform],
    sections: dict[str, Section],
) -> dict[str, Any]:
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {
            "cpu": _cpu_model(),
            "cpus": os.cpu_count(),
            "kernel": os.uname().release,
            "load": os.getloadavg(),
        },
        "settings": {
            "rounds": options.rounds,
            "scale": options.scale,
            "compiler": guests.compiler(),
        },
        "platforms": {p.name: {"version": p.version, "absent": p.absent} for p in found},
        "benchmarks": {name: as_json(section) for name, section in sections.items()},
    }


def _cpu_model() -> str | None:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            models = (line.partition(":")[2] for line in file if line.startswith("model name"))
            return next(models, "").strip() or None
    except OSError:
        return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/bench",
        description="Measure emukernel side by side with Qiling, qemu-user and native Linux.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = benchmarks.names()
    parser.add_argument(
        "names", nargs="*", metavar="NAME", type=_one_of("benchmark", known),
        help=f"what to measure: {', '.join(known)} (all when none is named)",
    )
    parser.add_argument(
        "-n", "--rounds", type=_positive_int, default=3, metavar="N",
        help="rounds; every value is the median over them (3)",
    )
    parser.add_argument(
        "--scale", type=_positive, default=1.0, metavar="X",
        help="sizes of the work, times X (1)",
    )
    parser.add_argument("--json", metavar="FILE", help="write everything measured to FILE")
    parser.add_argument(
        "--platforms", type=_platforms, default=list(platforms.NAMES), metavar="NAME,…",
        help=f"what to run on, of: {','.join(platforms.NAMES)} (all)",
    )
    parser.add_argument(
        "--python", default=sys.executable, metavar="PATH",
        help="the interpreter for emukernel, and the base of Qiling's environment (this one)",
    )
    parser.add_argument(
        "--timeout", type=_positive, default=300.0, metavar="SECONDS",
        help="the longest that one process may take (300)",
    )
    parser.add_argument("--list", action="store_true", help="list the benchmarks and end")
    parser.add_argument(
        "--setup-qiling", action="store_true",
        help=f"install Qiling {qiling_setup.VERSION} in an environment of its own and end",
    )
    return parser


class _one_of:
    """An argparse type that takes one of the known words."""

    def __init__(self, kind: str, known: Sequence[str]) -> None:
        self.kind = kind
        self.known = known

    def __call__(self, text: str) -> str:
        if text not in self.known:
            expected = ", ".join(self.known)
            raise argparse.ArgumentTypeError(f"no {self.kind} {text!r}; there are: {expected}")
        return text


def _platforms(text: str) -> list[str]:
    return [_one_of("platform", platforms.NAMES)(name) for name in text.split(",")]


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: a positive number was expected")
    return value


def _positive_int(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r}: a positive whole number was expected")
    return int(text)
