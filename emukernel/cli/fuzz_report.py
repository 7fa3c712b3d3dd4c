"""`emukernel fuzz report`, and the reports that every campaign writes at its end."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from emukernel.fuzz.corpus import Folder
    from emukernel.fuzz.finding import Finding
    from emukernel.fuzz.target import Target
    from emukernel.policy import Policy

EXIT_USAGE = 2

#: Seconds that running the corpus once more may take: this part of the campaign's time, within
#: these bounds; where someone waits after Ctrl-C the least.
_SHARE, _LEAST, _MOST = 0.1, 1.0, 10.0

_EPILOG = """\
The report is one file that needs nothing beside it: DIR/report.html unless --html says another.
For the syscall matrix and the traces the corpus is run once more, unless that has been done since
the campaign ended.
"""


def _parser() -> ArgumentParser:
    from argparse import RawDescriptionHelpFormatter

    from emukernel.cli.parser import Parser

    parser = Parser(
        prog="emukernel fuzz report",
        description="Writes reports on the campaign in DIR.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("dir", metavar="DIR", help="a campaign's output folder")
    parser.add_argument("--html", metavar="FILE", help="the HTML report (DIR/report.html)")
    parser.add_argument("--sarif", metavar="FILE", help="the findings as SARIF 2.1.0")
    parser.add_argument("--junit", metavar="FILE", help="the findings as JUnit's XML")
    parser.add_argument(
        "--record-time", metavar="SECONDS", default="10",
        help="how long the corpus may be run; 0 for not at all (10)",
    )
    return parser


def main(argv: list[str]) -> int:
    """Writes the reports on a folder."""
    arguments = _parser().parse_args(argv)
    from emukernel.fuzz.campaign import Settings
    from emukernel.fuzz.corpus import Folder
    from emukernel.fuzz.report import REPORT, write_html

    folder = Folder(arguments.dir)
    if not folder.exists():
        return _say(f"{arguments.dir}: no campaign is there (no campaign.json)")
    try:
        seconds = float(arguments.record_time)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds <= 1e6:
        return _say(f"--record-time: {arguments.record_time!r} is not a number of seconds")
    try:
        settings = Settings.from_json(folder.read_json("campaign.json"))
    except (ValueError, KeyError, TypeError) as error:
        return _say(f"{arguments.dir}: campaign.json is damaged: {error}")
    path = arguments.html or os.path.join(folder.path, REPORT)
    try:
        if seconds and not _is_recorded(folder):
            record_quietly(folder, settings.target, seconds)
        write_html(folder, path)
        write_findings(
            folder.findings(), _policies(settings.target), sarif=arguments.sarif,
            junit=arguments.junit, command=settings.command,
        )
    except OSError as error:
        return _say(f"{error.filename}: {error.strerror}")
    sys.stdout.write(f"{path}\n")
    return 0


def _say(text: str) -> int:
    sys.stderr.write(f"emukernel fuzz report: {text}\n")
    return EXIT_USAGE


def _is_recorded(folder: Folder) -> bool:
    from emukernel.fuzz.report.record import MATRIX

    def changed(name: str) -> float:
        try:
            return os.stat(os.path.join(folder.path, name)).st_mtime
        except OSError:
            return 0.0

    return changed(MATRIX) >= max(changed("fuzzer_stats"), changed("findings")) > 0.0


def record_quietly(folder: Folder, target: Target, seconds: float) -> None:
    """Runs the corpus for the matrix and the traces; where that can't be, says why and goes on."""
    from emukernel.api import UsageError
    from emukernel.fuzz.report.record import record
    from emukernel.machine.libunicorn import MachineError

    try:
        record(folder, target, seconds)
    except (UsageError, MachineError, OSError) as error:
        sys.stderr.write(f"the report has no syscall matrix and no traces: {error}\n")


def add_options(parser: ArgumentParser) -> None:
    """The options of `emukernel fuzz` about reports."""
    group = parser.add_argument_group("reports")
    group.add_argument("--no-report", action="store_true", help="no report.html at the end")
    group.add_argument("--sarif", metavar="FILE", help="the findings as SARIF 2.1.0")
    group.add_argument("--junit", metavar="FILE", help="the findings as JUnit's XML")


def after_campaign(
    folder: Folder,
    target: Target,
    findings: Sequence[Finding],
    arguments: Namespace,
    *,
    seconds: float,
    interrupted: bool,
    command: str = "",
    fail_on: frozenset[str] = frozenset(),
) -> None:
    """Writes what the options of `add_options` ask for, after a campaign of so many seconds.
    OSError."""
    if not arguments.no_report:
        from emukernel.fuzz.report import REPORT, write_html

        most = _LEAST if interrupted else min(_MOST, max(_LEAST, seconds * _SHARE))
        record_quietly(folder, target, most)
        path = os.path.join(folder.path, REPORT)
        write_html(folder, path)
        sys.stderr.write(f"report: {path}\n")
    write_findings(
        findings, _policies(target), sarif=arguments.sarif, junit=arguments.junit, command=command,
        fail_on=fail_on, seconds=seconds,
    )


def _policies(target: Target) -> list[Policy]:
    return [] if target.policy is None else [target.policy]


def write_findings(
    findings: Sequence[Finding],
    policies: Sequence[Policy],
    *,
    sarif: str | None,
    junit: str | None,
    command: str = "",
    fail_on: frozenset[str] = frozenset(),
    kinds: Sequence[str] | None = None,
    seconds: float = 0.0,
) -> None:
    """Writes the findings on `policies` and programs as SARIF and as JUnit's XML to the files that
    are not None. `kinds` are those that were looked for, None: all. OSError."""
    from emukernel.fuzz.finding import KINDS

    if sarif is not None:
        from emukernel.fuzz.report.sarif import sarif_text

        _write(sarif, sarif_text(findings, command=command))
    if junit is not None:
        from emukernel.fuzz.report.junit import junit as junit_text

        _write(
            junit,
            junit_text(
                findings, policies, kinds=KINDS if kinds is None else kinds, fail_on=fail_on,
                seconds=seconds,
            ),
        )


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
