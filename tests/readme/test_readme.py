"""Every command of the README is run; output that stands there is the output."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S)
SHELL = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
CONSOLE = [text for kind, text in BLOCKS if kind == "console"]
PYTHON = [text for kind, text in BLOCKS if kind == "python"]
SETUP = [line for line in SHELL if "pip install" in line]
COMMANDS = [line for line in SHELL if line not in SETUP]


def run(command: str) -> subprocess.CompletedProcess[str]:
    """A line of shell, in the project's folder, with this interpreter's emukernel."""
    function = f'emukernel() {{ "{sys.executable}" -m emukernel "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", function + command],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_two_commands_set_everything_up() -> None:
    assert len(SETUP) == 2
    main, tests = SETUP
    assert main.startswith("python3 -m venv .venv && .venv/bin/pip install -q -e . && ")
    assert tests.startswith(".venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest ")
    # What CI runs is the README's command for the tests.
    ci = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    assert tests.rsplit(" && ", 1)[1] in ci


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works(command: str) -> None:
    done = run(command)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("block", CONSOLE)
def test_output_is_as_shown(block: str) -> None:
    first, _, expected = block.partition("\n")
    assert first.startswith("$ ")
    done = run(first[2:])
    assert done.stdout == expected
    assert done.returncode == 0


@pytest.mark.parametrize("code", PYTHON)
def test_python_code_runs(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("137 sys_open(")
