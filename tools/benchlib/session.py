"""One run of the tool: its platforms, its settings, and rounds of interleaved measurements."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from benchlib import guests, process
from benchlib.platforms import Platform
from benchlib.process import Finished, RunError

T = TypeVar("T")
SHOWN = 300
"""Characters of a failed run's message that are kept."""


class Session:
    """What a benchmark's `measure` is given.

    `platforms` are those that are there. `scale` multiplies the sizes of the work, `rounds` is how
    often each measurement is made, `timeout` bounds one process in seconds, `scratch` is a folder
    for files. `failures` counts the measurements that failed.
    """

    def __init__(
        self, platforms: Sequence[Platform], *, rounds: int, scale: float, timeout: float,
        scratch: Path, verbose: bool = False,
    ) -> None:
        self.platforms = platforms
        self.rounds = rounds
        self.scale = scale
        self.timeout = timeout
        self.scratch = scratch
        self.failures = 0
        self._verbose = verbose
        self._notes: list[str] = []

    def platform(self, name: str) -> Platform | None:
        """The platform of that name, if it is there and asked for."""
        return next((p for p in self.platforms if p.name == name), None)

    def with_tasks(self) -> list[Platform]:
        """The platforms on which programs fork and make threads: Qiling has one task."""
        return [p for p in self.platforms if p.name != "qiling"]

    def size(self, full: int, least: int = 1) -> int:
        """A size of work, scaled."""
        return max(least, round(full * self.scale))

    def run(
        self, platform: Platform, guest: str, args: Sequence[object] = (), *,
        policy: Path | None = None,
    ) -> Finished:
        """Run the guest program `guest/bench/GUEST.c`. Raises RunError."""
        program = guests.build(guest)
        command = platform.command(program, [str(arg) for arg in args], policy=policy)
        return self.run_command(platform, command)

    def run_command(self, platform: Platform, command: Sequence[str]) -> Finished:
        """Run any command in a platform's environment. Raises RunError."""
        return process.run(
            command, env=platform.env, scratch=self.scratch, timeout=self.timeout
        )

    def interleave(self, jobs: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
        """Make every measurement once a round, in turn: what disturbs the machine for a while falls
        on all. Every second round goes backwards. A job that fails is noted and left out."""
        results: dict[str, list[T]] = {name: [] for name in jobs}
        failed: set[str] = set()
        for number in range(self.rounds):
            for name in list(jobs)[:: -1 if number % 2 else 1]:
                if name in failed:
                    continue
                self._progress(f"round {number + 1} of {self.rounds}: {name}")
                try:
                    results[name].append(jobs[name]())
                except RunError as error:
                    failed.add(name)
                    self.failures += 1
                    self.note(f"{name}: {str(error)[:SHOWN]}")
        self._progress("")
        return {name: values for name, values in results.items() if name not in failed}

    def note(self, text: str) -> None:
        """Something to say under the section being measured, once."""
        if text not in self._notes:
            self._notes.append(text)

    def take_notes(self) -> list[str]:
        """The notes since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def _progress(self, text: str) -> None:
        if self._verbose:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()


def timings(output: str) -> dict[str, tuple[float, str]]:
    """What a guest printed as lines `NAME SECONDS VALUE`. Raises RunError for anything else."""
    found: dict[str, tuple[float, str]] = {}
    for line in output.splitlines():
        try:
            name, seconds, value = line.split()
            found[name] = float(seconds), value
        except ValueError:
            raise RunError(f"the guest printed {line[:80]!r}") from None
    return found
