"""Campaign folders made by hand, for tests of what is made of them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from emukernel.fuzz.campaign import Settings
from emukernel.fuzz.corpus import QUEUE, Folder
from emukernel.fuzz.finding import Finding, Place
from emukernel.fuzz.progress import PLOT_HEADER, Stats
from emukernel.fuzz.target import Target
from emukernel.policy import Policy

DATA = Path(__file__).resolve().parents[2] / "emukernel" / "data"
DEMO = DATA / "demo.elf"

#: What must never come out of a report as it went in.
HOSTILE = "<script>alert('x')</script>\"&\x1b[31m\u202e"

POLICY = (
    "# <script>alert(1)</script>\n"
    "sys_read: fd == 0 || fd == 3\n"
    "sys_open: 1\n"
    "sys_exit_group: 1\n"
)


def settings(out: Path, policy: str | None = POLICY, **fields: Any) -> Settings:
    """The demo's parser as a target."""
    parsed = None
    if policy is not None:
        file = out.parent / "a <b>.policy"
        file.write_text(policy)
        parsed = Policy.from_file(str(file))
    target = Target(str(DEMO), ("demo",), policy=parsed, max_len=64)
    return Settings(target, str(out), command="emukernel fuzz --out <out>", **fields)


def loose(number: int = 0, **fields: Any) -> Finding:
    """A finding about the second line of POLICY."""
    finding = Finding(
        kind="loose",
        rule="unused-arm",
        key=f"sys_read|{number}",
        title="sys_read: fd == 3 was never needed",
        text="No run needed it.",
        place=Place("a.policy", 2, 22, 7),
        evidence={"name": "sys_read", "entry": "fd == 0 || fd == 3", "replacement": "fd == 0"},
    )
    return replace(finding, **fields)


def crash(number: int = 0, **fields: Any) -> Finding:
    """A finding about the program."""
    finding = Finding(
        kind="crash",
        rule="signal-sigsegv",
        key=f"SIGSEGV|f{number}",
        title=f"SIGSEGV in f{number} (guest.c:{number + 1})",
        text="The program ends by SIGSEGV at 0x401000.",
        evidence={
            "signal": 11,
            "stack": [
                {"address": 0x401000, "function": "memcpy+0x1", "source": ""},
                {"address": 0x401100, "function": f"f{number}+0x2", "source": f"guest.c:{number}1"},
            ],
        },
        replay={"target": {"program": "/bin/guest"}},
        input=bytes(range(256)) * 2,
    )
    return replace(finding, **fields)


def make_folder(
    out: Path, findings: list[Finding], *, items: int = 3, rows: int = 20, **fields: Any
) -> Folder:
    """A folder as a campaign leaves it."""
    folder = Folder(str(out))
    folder.create()
    folder.write_json("campaign.json", settings(out, **fields).to_json())
    stats = Stats(execs=1000 * rows, queue=items, edges=50, features=7, execs_per_sec=200.0)
    lines = [PLOT_HEADER]
    for row in range(rows):
        stats.seconds, stats.execs, stats.edges = row * 5.0, row * 1000, 10 + row
        lines.append(stats.plot_row())
    folder.write_text("plot_data", "".join(lines))
    folder.write_text("fuzzer_stats", stats.fuzzer_stats(1_700_000_000, "command", 1.0))
    for item in range(items):
        (out / QUEUE / f"id:{item:06},op:havoc,+cov").write_bytes(b"%d" % item)
    for finding in findings:
        folder.add_finding(finding)
    return folder


def run_command(*words: object) -> subprocess.CompletedProcess[str]:
    """`emukernel WORDS`."""
    command = [sys.executable, "-m", "emukernel", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
