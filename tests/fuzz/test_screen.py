"""The live screen: what it shows, how it fits, and that the terminal is given back."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from campaign_folders import DEMO, HOSTILE, POLICY, crash, settings

from emukernel.fuzz.campaign import Campaign, Settings
from emukernel.fuzz.progress import PlainProgress, Stats
from emukernel.fuzz.screen import Screen, make_progress, sparkline
from emukernel.fuzz.target import Target
from emukernel.fuzz.units import duration, short
from emukernel.policy import Policy

pytest.importorskip("rich")

#: What C libraries call before main.
STARTUP = (
    "sys_arch_prctl", "sys_set_tid_address", "sys_brk", "sys_set_robust_list", "sys_rseq",
    "sys_prlimit64", "sys_readlink", "sys_readlinkat", "sys_getrandom", "sys_mprotect",
)

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def screen(tmp_path: Path, width: int, height: int, **fields: Any) -> tuple[Screen, Terminal]:
    from rich.console import Console

    stream = Terminal()
    console = Console(
        file=stream, width=width, height=height, force_terminal=True, color_system=None,
        legacy_windows=False, _environ={"TERM": "xterm"},
    )
    chosen = settings(tmp_path / "out", **fields)
    return Screen(chosen, stream, console, clock=lambda: 10.0), stream


def last_frame(stream: Terminal) -> list[str]:
    """The lines that were drawn last."""
    frames = re.split(r"\x1b\[H", stream.getvalue())
    return [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in frames[-1].split("\n")]


STATS = Stats(
    seconds=3725.0, execs=1_234_567, execs_per_sec=331.0, queue=77, pending=5, edges=426,
    features=142, cycles=2, max_depth=19, last_new=3720.0, last_finding=3600.0,
    findings={"denied": 2, "crash": 1}, unexercised=["sys_open"], jobs=2,
)


@pytest.mark.parametrize(("width", "height"), [(120, 40), (84, 24), (70, 24), (40, 12), (20, 3)])
def test_it_fits_and_shows_all_that_there_is_room_for(
    tmp_path: Path, width: int, height: int
) -> None:
    shown, stream = screen(tmp_path, width, height, seconds=60.0, jobs=2)
    shown.found(crash(7))
    shown.update(STATS)
    lines = last_frame(stream)
    shown.close()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    if height >= 24:
        for word in ("01:02:05", "00:01:00 left", "1,234,567", "426", "142", "77", "5 not yet",
                     "00:00:05 ago", "00:02:05 ago", "2 of 3 entries exercised", "sys_open"):
            assert word in text
    if width >= 84:
        assert "2 denied" in text
        assert "1 crash" in text
        assert "SIGSEGV in f7 (guest.c:8)" in text
    if height >= 40:
        assert "edges ─" in text


def test_the_first_screen_comes_back_with_what_was_found(tmp_path: Path) -> None:
    shown, stream = screen(tmp_path, 100, 30)
    shown.update(STATS)
    shown.found(crash(7))
    shown.close()
    shown.close()
    text = stream.getvalue()
    assert text.count(ENTER) == text.count(LEAVE) == 1
    after = text[text.index(LEAVE):]
    assert "\x1b[?25h" in text
    assert f"crash: SIGSEGV in f7 (guest.c:8) ({crash(7).id})\n" in after
    assert "1234567 runs" in after


def test_hostile_titles_and_names_do_not_reach_the_terminal(tmp_path: Path) -> None:
    shown, stream = screen(tmp_path, 100, 30)
    shown.found(crash(title=HOSTILE + "[bold]x[/]"))
    stats = Stats(unexercised=[HOSTILE], findings={"crash": 1})
    shown.update(stats)
    lines = "\n".join(last_frame(stream))
    shown.close()
    assert "\x1b[31m" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()
    assert "[bold]x[/]" in lines


def test_without_rich_it_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rich", None)
    stream = Terminal()
    assert type(make_progress(settings(tmp_path / "out"), stream)) is PlainProgress
    assert stream.getvalue().count("\n") == 1
    assert "rich is not installed" in stream.getvalue()


def test_no_terminal_gets_plain_lines(tmp_path: Path) -> None:
    stream = io.StringIO()
    assert type(make_progress(settings(tmp_path / "out"), stream)) is PlainProgress
    assert stream.getvalue() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_promptly_and_restore_the_terminal(
    tmp_path: Path, number: signal.Signals
) -> None:
    policy = tmp_path / "p"
    policy.write_text(POLICY)
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "emukernel", "fuzz", "--filter", policy, "--out",
               tmp_path / "out", "--time", "100", DEMO]
    child = subprocess.Popen(
        list(map(str, command)), stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
    )
    os.close(slave)
    text = b""
    end = time.monotonic() + 60
    while b"entries exercised" not in text and time.monotonic() < end:
        text += os.read(master, 65536)
    child.send_signal(number)
    try:
        while chunk := os.read(master, 65536):
            text += chunk
    except OSError:
        # The other end is closed: it has ended.
        pass
    os.close(master)
    assert child.wait(20) == 0
    assert time.monotonic() < end
    assert text.count(ENTER.encode()) == text.count(LEAVE.encode()) == 1
    assert b"report.html" in text[text.index(LEAVE.encode()):]


def test_sparklines_and_units() -> None:
    assert sparkline([], 10) == ""
    assert sparkline([0, 0], 10) == "▁▁"
    assert sparkline([0, 7], 10) == "▁█"
    assert sparkline(list(range(100)), 4) == "▂▄▆█"
    assert duration(0.9) == "00:00:00"
    assert duration(90_061) == "1 d 01:01:01"
    assert [short(n) for n in (0, 999, 1234, 5e6)] == ["0", "999", "1.23k", "5M"]


def test_entries_that_the_start_of_the_program_needs_are_exercised(
    guest_source: Callable[..., Path], tmp_path: Path
) -> None:
    program = guest_source(
        "#include <unistd.h>\nint main(void) { char c; getppid(); read(0, &c, 1); return c; }\n",
        name="early",
    )
    policy = "sys_getppid: 1\nsys_getpid: 1\nsys_read: 1\nsys_exit_group: 1\n"
    policy += "".join(f"{name}: 1\n" for name in STARTUP)
    target = Target(str(program), ("early",), policy=Policy.from_text(policy))
    campaign = Campaign(Settings(target, str(tmp_path / "out"), execs=50))
    stats = campaign.run()
    assert "sys_getpid" in stats.unexercised
    assert not {"sys_getppid", "sys_read"} & set(stats.unexercised)
