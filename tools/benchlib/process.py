"""Run one process to its end and tell what it took."""

from __future__ import annotations

import os
import resource
import select
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class RunError(Exception):
    """A run that gives nothing to measure; the text says why in one line."""


class Finished(NamedTuple):
    """A process that ended with status 0.

    `seconds` is from before its start to after its end. `max_rss` is the most memory it held, in
    bytes; None where it can't be told: Linux counts what the process that started it held before
    the exec as well, so one that is smaller than this tool does not show. `cpu_seconds` is what it
    and the children that it waited for used of the CPU.
    """

    seconds: float
    max_rss: int | None
    stdout: str
    cpu_seconds: float


def run(
    command: Sequence[str], *, env: Mapping[str, str], scratch: Path, timeout: float
) -> Finished:
    """Run a command without input; `scratch` is a folder for its output, `timeout` is in seconds.

    Raises RunError for a program that does not start, fails, or is not done in time.
    """
    outputs = [str(scratch / "stdout"), str(scratch / "stderr")]
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    actions += [(os.POSIX_SPAWN_OPEN, fd, path, write, 0o600) for fd, path in enumerate(outputs, 1)]
    start = time.perf_counter()
    try:
        pid = os.posix_spawnp(command[0], list(command), env, file_actions=actions)
    except OSError as error:
        raise RunError(f"{command[0]}: {error.strerror}") from None
    status, usage, seconds = _wait(pid, start, timeout)
    stdout, stderr = (Path(path).read_text(errors="backslashreplace") for path in outputs)
    if status != 0:
        lines = [line for line in stderr.splitlines() if line.strip()]
        raise RunError(f"{_ending(status)}{': ' if lines else ''}{lines[-1] if lines else ''}")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    max_rss = usage.ru_maxrss * 1024 if usage.ru_maxrss > own else None
    return Finished(seconds, max_rss, stdout, usage.ru_utime + usage.ru_stime)


def _wait(pid: int, start: float, timeout: float) -> tuple[int, resource.struct_rusage, float]:
    """Exit status (-N for signal N), resource usage and seconds; kills and reaps a late process."""
    try:
        pidfd = os.pidfd_open(pid)
        try:
            late = not select.select([pidfd], [], [], timeout)[0]
        finally:
            os.close(pidfd)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    if late:
        os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - start
    if late:
        raise RunError(f"not done after {timeout:g} s")
    return os.waitstatus_to_exitcode(status), usage, seconds


def _ending(status: int) -> str:
    return f"exit status {status}" if status > 0 else f"killed by {signal.Signals(-status).name}"
