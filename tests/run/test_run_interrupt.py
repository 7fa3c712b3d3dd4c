"""Ctrl-C at any moment: the guest gets SIGINT, the prompt comes back, the terminal is as it was."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from guest_run import PROJECT
from terminal import Terminal

Start = Callable[..., Terminal]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Terminal] = []

    def make(*arguments: str) -> Terminal:
        started.append(Terminal(*arguments))
        return started[-1]

    yield make
    for terminal in started:
        terminal.close()


@pytest.mark.parametrize("how", ["spin", "sleep", "read"])
@pytest.mark.parametrize(
    "options",
    [[], ["--trace"], ["--deterministic"], ["--max-instructions", str(1 << 50)]],
    ids=["plain", "trace", "deterministic", "limited"],
)
def test_ctrl_c_ends_a_guest(start: Start, ends: Path, how: str, options: list[str]) -> None:
    if how == "sleep" and "--deterministic" in options:
        pytest.skip("a virtual clock does not wait: the guest sleeps for ever in no time")
    terminal = start(*options, str(ends), how, "say")
    terminal.wait_for("ready\r\n")
    terminal.type("\x03")
    begin = time.monotonic()
    assert terminal.wait() == 130
    assert time.monotonic() - begin < 5
    assert terminal.output.endswith("killed by SIGINT\r\n")
    assert "Traceback" not in terminal.output
    assert terminal.unchanged()


IGNORES = r"""
#include <signal.h>
#include <unistd.h>
static void handler(int sig) { (void)sig; write(1, "caught\n", 7); }
int main(int argc, char **argv)
{
    (void)argv;
    signal(SIGINT, argc > 1 ? SIG_IGN : handler);
    write(1, "ready\n", 6);
    for (;;) __asm__ volatile("");
}
"""


def test_a_guest_may_handle_ctrl_c_until_the_third_in_a_row(
    start: Start, guest_source: Callable[..., Path]
) -> None:
    program = str(guest_source(IGNORES, name="ignores"))
    for arguments, shown in (([], "caught\r\n"), (["ignore"], "")):
        terminal = start(program, *arguments)
        terminal.wait_for("ready\r\n")
        for count in (1, 2):
            terminal.type("\x03")
            terminal.wait_for(("^C" + shown) * count)
            time.sleep(0.1)
            assert terminal.process.poll() is None
        terminal.type("\x03")
        assert terminal.wait() == 130


RAW = r"""
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct termios settings;
    tcgetattr(0, &settings);
    settings.c_lflag &= ~(ICANON | ECHO);
    tcsetattr(0, TCSANOW, &settings);
    settings.c_oflag &= ~OPOST;
    tcsetattr(1, TCSANOW, &settings);
    write(1, "raw\n", 4);
    if (argc > 1 && !strcmp(argv[1], "abort")) abort();
    if (argc > 1) for (;;) __asm__ volatile("");
    return 0;
}
"""


@pytest.mark.parametrize(
    ("options", "arguments", "key", "status"),
    [
        ([], [], "", 0),
        ([], ["abort"], "", 134),
        ([], ["spin"], "\x03", 130),
        (["--timeout", "0.5"], ["spin"], "", 124),
        (["--max-instructions", "1000000"], ["spin"], "", 124),
    ],
    ids=["exit", "abort", "ctrl-c", "timeout", "instructions"],
)
def test_the_terminal_is_as_it_was(
    start: Start,
    guest_source: Callable[..., Path],
    options: list[str],
    arguments: list[str],
    key: str,
    status: int,
) -> None:
    terminal = start(*options, str(guest_source(RAW, name="raw")), *arguments)
    terminal.wait_for("raw\n")
    if key:
        terminal.type(key)
    assert terminal.wait() == status
    assert terminal.unchanged()
    last = terminal.output.split("raw\n")[-1].replace("^C", "")
    assert not last or last.endswith("\r\n"), "the last line came while the terminal was raw"


def last_words(process: subprocess.Popen[str]) -> str:
    """What it wrote to stderr; it must end now."""
    try:
        return process.communicate(timeout=30)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        raise


@pytest.mark.parametrize("milliseconds", range(40, 200, 20))
def test_an_interrupt_while_the_machine_starts(ends: Path, milliseconds: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "emukernel", "run", str(ends), "spin"],
        cwd=PROJECT,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        time.sleep(milliseconds / 1000)
        process.send_signal(signal.SIGINT)
        error = last_words(process)
    assert process.returncode in (130, -2, 1)
    if "emukernel/" in error:
        assert "Traceback" not in error


def test_sigterm_is_the_guests_too(ends: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "emukernel", "run", str(ends), "spin", "say"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        error = last_words(process)
    assert (process.returncode, error) == (143, "killed by SIGTERM\n")
