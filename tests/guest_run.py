"""Run a program under emukernel, or natively, and tell how it ended in the shell's terms."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parent.parent
NATIVE_SECONDS = 20
EMULATED_SECONDS = 60


class Outcome(NamedTuple):
    """How a run ended: `status` is the exit status, or 128+N when signal N ended it."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self) -> str:
        return self.stdout.decode(errors="backslashreplace")

    @property
    def err(self) -> str:
        return self.stderr.decode(errors="backslashreplace")


def run_native(
    program: Path | str,
    args: Sequence[str] = (),
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
) -> Outcome:
    """Run a program on this machine's Linux, with exactly this environment."""
    return _outcome([str(program), *args], cwd, env, stdin, NATIVE_SECONDS)


def run_emulated(
    program: Path | str,
    args: Sequence[str] = (),
    *,
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    seconds: float = EMULATED_SECONDS,
) -> Outcome:
    """Run a guest by `emukernel run OPTIONS GUEST ARGS`; `env`, when given, is all it has."""
    command = [sys.executable, "-m", "emukernel", "run", *options]
    if env is not None:
        command.append("--clear-env")
        for key, value in env.items():
            command += ["--env", f"{key}={value}"]
    command += [str(program), *args]
    outcome = _outcome(command, PROJECT, os.environ, stdin, seconds)
    assert b"Traceback (most recent call last)" not in outcome.stderr, outcome.err
    return outcome


_MEASURE = """\
import resource, subprocess, sys
status = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status if status >= 0 else 128 - status)
"""


def run_measured(
    command: Sequence[str], *, seconds: float = EMULATED_SECONDS
) -> tuple[Outcome, int]:
    """Run a command of this project; how it ended, and the greatest resident set in KiB.

    There is a small process between: Linux counts for a child what its parent had at fork.
    """
    with tempfile.NamedTemporaryFile("r") as peak:
        between = [sys.executable, "-c", _MEASURE, peak.name, *command]
        outcome = _outcome(between, PROJECT, os.environ, b"", seconds)
        return outcome, int(peak.read())


def _outcome(
    command: list[str], cwd: Path, env: Mapping[str, str], stdin: bytes, seconds: float
) -> Outcome:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=dict(env),
        input=stdin,
        capture_output=True,
        timeout=seconds,
        check=False,
    )
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Outcome(status, done.stdout, done.stderr)
