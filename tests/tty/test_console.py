"""emukernel on a terminal: the guest's keyboard, job control, window and the terminal's return."""

from __future__ import annotations

import os
import shutil
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
BASH = shutil.which("bash-static")
BUSYBOX = shutil.which("busybox")

needs_bash = pytest.mark.skipif(
    BASH is None or BUSYBOX is None, reason="bash-static or busybox is not installed"
)


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Terminal] = []

    def make(*arguments: str, program: str | None = None) -> Terminal:
        started.append(Terminal(*arguments, program=program))
        return started[-1]

    yield make
    for terminal in started:
        terminal.close()


@pytest.fixture
def shell(start: Start) -> Terminal:
    """An interactive bash with busybox beside it."""
    assert BASH is not None
    terminal = start(
        "--clear-env", "-E", "PS1=<$> ", "-E", "TERM=xterm", "--bind", f"{BUSYBOX}:/bin/busybox",
        BASH, "--norc", "--noprofile", "-i",
    )  # fmt: skip
    terminal.wait_for("<$> ")
    return terminal


@pytest.fixture
def host_shell(start: Start) -> Terminal:
    """An interactive bash of the host's, in which `E` is `emukernel run`."""
    terminal = start("--norc", "--noprofile", "-i", program=BASH)
    terminal.type(f"PS1='<''$> '; E='{sys.executable} -m emukernel run'\n")
    terminal.wait_for("<$> ")
    return terminal


def command(terminal: Terminal, text: str, answer: str) -> None:
    """Types a line, and waits for an answer after it and the next prompt."""
    terminal.output = ""
    terminal.type(text)
    terminal.wait_for(answer)
    terminal.wait_for("<$> ")


@needs_bash
def test_a_shell_edits_lines_and_remembers_them(shell: Terminal) -> None:
    command(shell, "echo helo\x1b[Dl\n", "\r\nhello\r\n")
    command(shell, "\x1b[A\n", "\r\nhello\r\n")
    command(shell, "busybox tty; busybox test -t 0 && echo yes\n", "/dev/console\r\nyes\r\n")
    shell.type("exit 7\n")
    assert shell.wait() == 7
    assert shell.unchanged()


@needs_bash
def test_job_control(shell: Terminal) -> None:
    command(shell, "busybox sleep 100 &\n", "[1] ")
    command(shell, "jobs\n", "Running")
    shell.type("fg\n")
    shell.wait_for("sleep 100\r\n")
    time.sleep(0.3)
    command(shell, "\x1a", "Stopped")
    command(shell, "bg; jobs\n", "Running")
    command(shell, "kill %1; wait; echo done\n", "done\r\n")
    shell.output = ""
    shell.type("busybox cat\n")
    time.sleep(0.5)
    shell.type("line\n")
    shell.wait_for("line\r\nline\r\n")
    command(shell, "\x04", "")
    command(shell, "while :; do :; done\n\x03", "^C")
    command(shell, "echo $?\n", "130\r\n")
    for _ in range(4):
        # The prompt stands there before the shell reads.
        time.sleep(0.3)
        command(shell, "\x03", "^C")
    command(shell, "busybox cat & wait; jobs\n", "Stopped")


@needs_bash
def test_the_window_size(shell: Terminal) -> None:
    import termios

    command(shell, "trap 'busybox stty size' WINCH; :\n", "")
    shell.output = ""
    termios.tcsetwinsize(shell.slave, (33, 77))
    os.kill(shell.process.pid, signal.SIGWINCH)
    shell.type("\n")
    shell.wait_for("33 77\r\n")
    command(shell, "busybox stty size\n", "33 77\r\n")


SPINNER = r"""
#include <unistd.h>
int main(void)
{
    write(1, "ready\n", 6);
    for (;;) __asm__ volatile("");
}
"""

READER = r"""
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
static void handler(int sig) { (void)sig; }
int main(int argc, char **argv)
{
    char text[100];
    struct termios settings;
    if (argc > 1 && !strcmp(argv[1], "raw")) {
        tcgetattr(0, &settings);
        cfmakeraw(&settings);
        tcsetattr(0, TCSANOW, &settings);
    }
    if (argc > 1 && !strcmp(argv[1], "handle")) {
        struct sigaction action = {.sa_handler = handler};
        sigaction(SIGINT, &action, NULL);
    }
    write(1, "ready\n", 6);
    for (;;) {
        long got = read(0, text, sizeof text);
        if (got == 0) return 3;
        if (text[0] == 'q') return 4;
        if (got > 0) printf("<%ld %02x>", got, text[0]);
        else printf("<error>");
        fflush(stdout);
    }
}
"""


def test_lines_are_this_kernels(start: Start, guest_source: Callable[..., Path]) -> None:
    terminal = start(str(guest_source(READER, name="reader")))
    terminal.wait_for("ready\r\n")
    terminal.type("abx\x7fc\n")
    terminal.wait_for("abx\b \bc\r\n<4 61>")
    terminal.type("\x04")
    assert terminal.wait() == 3
    assert terminal.unchanged()


def test_a_guest_that_reads_keys_has_all_of_them(
    start: Start, guest_source: Callable[..., Path]
) -> None:
    terminal = start(str(guest_source(READER, name="reader")), "raw")
    terminal.wait_for("ready\n")
    for key in "\x03\x03\x03\x03\x1a\x1c\x04\x11\x13":
        terminal.output = ""
        terminal.type(key)
        terminal.wait_for(f"<1 {ord(key):02x}>")
    terminal.type("q")
    assert terminal.wait() == 4
    assert terminal.unchanged()


def test_a_signal_ends_a_read(start: Start, guest_source: Callable[..., Path]) -> None:
    terminal = start(str(guest_source(READER, name="reader")), "handle")
    terminal.wait_for("ready\r\n")
    for _ in range(4):
        # Until it is in its read again.
        time.sleep(0.2)
        terminal.output = ""
        terminal.type("lost\x03")
        terminal.wait_for("^C")
        terminal.wait_for("<error>")
    terminal.type("q\n")
    assert terminal.wait() == 4


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_the_terminal_returns_after_a_signal(
    start: Start, guest_source: Callable[..., Path], sig: signal.Signals
) -> None:
    terminal = start(str(guest_source(SPINNER, name="spinner")))
    terminal.wait_for("ready\r\n")
    assert not terminal.unchanged()
    terminal.process.send_signal(sig)
    assert terminal.wait() == 128 + sig
    assert terminal.unchanged()


def test_a_hangup_ends_the_guest(start: Start, guest_source: Callable[..., Path]) -> None:
    terminal = start(str(guest_source(READER, name="reader")))
    terminal.wait_for("ready\r\n")
    os.close(terminal.slave)
    os.close(terminal.master)
    terminal.master, terminal.slave = os.openpty()
    assert terminal.process.wait(timeout=20) in (-signal.SIGHUP, 128 + signal.SIGHUP, 3)


def test_the_trace_of_a_terminal_has_whole_lines(
    start: Start, guest_source: Callable[..., Path]
) -> None:
    terminal = start("--trace", str(guest_source(READER, name="reader")))
    terminal.wait_for("read(0, ")
    terminal.type("q\n")
    assert terminal.wait() == 4
    assert "\n" not in terminal.output.replace("\r\n", "")


@pytest.mark.skipif(BUSYBOX is None, reason="busybox is not installed")
def test_output_to_a_stopped_terminal_waits(start: Start) -> None:
    assert BUSYBOX is not None
    terminal = start(BUSYBOX, "yes", "0123456789")
    terminal.wait_for("0123456789\r\n" * 3)
    terminal.type("\x13")
    time.sleep(0.3)
    terminal.drain()
    terminal.output = ""
    time.sleep(0.3)
    terminal.drain()
    assert not terminal.output
    terminal.type("\x11")
    terminal.wait_for("0123456789\r\n" * 3)
    terminal.type("\x03")
    assert terminal.wait() == 130
    assert terminal.unchanged()


@needs_bash
def test_control_z_stops_emukernel_where_the_guest_has_no_shell(
    host_shell: Terminal, guest_source: Callable[..., Path]
) -> None:
    program = guest_source(READER, name="reader")
    host_shell.type(f"$E {program}\n")
    host_shell.wait_for("ready\r\n")
    command(host_shell, "half\x1a", "Stopped")
    command(host_shell, "stty -a\n", " icanon")
    host_shell.output = ""
    host_shell.type("fg\n")
    host_shell.wait_for("reader\r\n")
    time.sleep(0.5)
    host_shell.type("line\n")
    host_shell.wait_for("<5 6c>")
    command(host_shell, "q\n", "<$> ")
    command(host_shell, "echo $?; stty -a\n", " icanon")
    assert "4\r\n" in host_shell.output


@needs_bash
@pytest.mark.parametrize("sig", [signal.SIGTSTP, signal.SIGSTOP])
def test_a_stop_from_outside(
    host_shell: Terminal, guest_source: Callable[..., Path], sig: signal.Signals
) -> None:
    program = guest_source(READER, name="reader")
    host_shell.type(f"$E {program}\n")
    host_shell.wait_for("ready\r\n")
    host_shell.output = ""
    os.kill(os.tcgetpgrp(host_shell.master), sig)
    host_shell.wait_for("Stopped")
    host_shell.wait_for("<$> ")
    command(host_shell, "stty -a\n", " icanon")
    host_shell.output = ""
    host_shell.type("fg\n")
    host_shell.wait_for("reader\r\n")
    time.sleep(0.5)
    host_shell.type("q\n")
    host_shell.wait_for("<$> ")
    command(host_shell, "stty -a\n", " icanon")


@needs_bash
def test_in_the_background_it_leaves_the_terminal_alone(
    host_shell: Terminal, guest_source: Callable[..., Path]
) -> None:
    spinner = guest_source(SPINNER, name="spinner")
    reader = guest_source(READER, name="reader")
    host_shell.type(f"$E {spinner} & \n")
    host_shell.wait_for("ready")
    command(host_shell, "stty -a\n", " icanon")
    command(host_shell, "kill %1; wait; echo over\n", "over\r\n")
    host_shell.output = ""
    host_shell.type(f"$E {reader} & sleep 2; jobs\n")
    host_shell.wait_for("Stopped")
    host_shell.type("fg\n")
    time.sleep(0.5)
    host_shell.type("q\n")
    time.sleep(0.5)
    command(host_shell, "echo $?; stty -a\n", " icanon")


def test_a_terminal_that_controls_nobody(guest_source: Callable[..., Path]) -> None:
    program = str(guest_source(READER, name="reader"))
    master, slave = os.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "emukernel", "run", program],
            cwd=PROJECT,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        ) as process:
            os.write(master, b"a\x7fq\n")
            assert process.wait(timeout=30) == 4
    finally:
        os.close(master)
        os.close(slave)


def test_a_terminal_as_output_alone_is_passed_through(
    start: Start, guest_source: Callable[..., Path]
) -> None:
    program = guest_source(SPINNER, name="spinner")
    terminal = start(
        "-c", f"{sys.executable} -m emukernel run {program} < /dev/null", program="/bin/sh"
    )
    terminal.wait_for("ready\r\n")
    assert terminal.unchanged()
    terminal.type("\x03")
    assert terminal.wait() == 130
