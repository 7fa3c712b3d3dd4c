"""Fuzzing the kernel itself: lists of system calls under a policy, and no program.

Two things are looked for: calls that the policy lets pass and whose effect it refuses (`bypass`),
and calls at which emukernel itself fails, be it with an exception of Python (kind `engine`).
"""

from __future__ import annotations

import struct
import traceback

from emukernel.fuzz.executor import HANG, OK, Outcome
from emukernel.fuzz.finding import Finding
from emukernel.fuzz.fuzzer import Fuzzer
from emukernel.fuzz.generate import Generator
from emukernel.fuzz.sequence import MAX_CALLS, RESULTS, CallList
from emukernel.fuzz.target import CALLS, Target
from emukernel.kernel.syscalls.dispatch import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from emukernel.policy.policy import Policy

#: A run of a few dozen calls that takes longer than this sleeps or turns in circles.
_EXEC_TIMEOUT = 0.5
_MAX_LEN = 1 << 16
_MEMORY = 64 << 20


def calls_target(policy: Policy | None, *, seed: int = 0, **fields: Any) -> Target:
    """The target whose inputs are lists of calls."""
    return Target(
        program="",
        argv=("calls",),
        mode=CALLS,
        policy=policy,
        memory=_MEMORY,
        seed=seed,
        max_len=_MAX_LEN,
        exec_timeout=_EXEC_TIMEOUT,
        **fields,
    )


class SyscallFuzzer(Fuzzer):
    """One job of `emukernel fuzz --syscalls`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Made-up arguments are always new: what calls come to is what counts.
        self.coverage.by_argument = False
        policy = self.target.policy
        numbers = list(ROWS)
        constants: list[int] = []
        if policy is not None:
            numbers = [entry.nr for entry in policy.filters]
            constants = [
                predicate.constant
                for entry in policy.filters
                if entry.filter is not None
                for predicate in entry.filter.predicates
            ]
        self.generator = Generator(self.random, numbers, constants)
        self._failure: Finding | None = None

    def seed(self, seeds: Iterable[tuple[str, bytes]]) -> None:
        """Makes the first lists."""
        for at in range(16):
            if self._stop():
                return
            self.attempt(self.generator.new().pack(), None, f"orig:new{at}")
        if not self.queue.items:
            self._keep(CallList(()).pack(), None, "orig:empty", 0, OK)

    def turn(self) -> None:
        """One list's turn."""
        self.turns += 1
        item = self.queue.choose()
        base = CallList.unpack(item.data)
        for _ in range(self.queue.energy(item)):
            if self._stop():
                return
            if self.random.random() < 0.1:
                self.attempt(self.generator.new().pack(), item, "op:new")
                continue
            other = self.queue.other(item)
            taken = None if other is None else CallList.unpack(other)
            taken = taken if taken is not None and taken.steps else None
            self.attempt(self.generator.mutate(base, taken).pack(), item, "op:calls")

    def _execute(self, data: bytes) -> tuple[Outcome, int]:
        self._failure = None
        try:
            outcome, news = super()._execute(data)
        except Exception as error:
            self._failure = self._engine_finding(error, data)
            return Outcome(), 0
        return outcome, news + self.coverage.add(self._results(data))

    def _results(self, data: bytes) -> list[tuple[str, int, int]]:
        """What each call came to: an error, or 0 for all else."""
        from emukernel.fuzz.stack import read_memory

        task = self.executor.machine.tasks.get(100)
        if task is None or task.mm is None:
            return []
        steps = CallList.unpack(data).steps
        memory = read_memory(task.mm, RESULTS, 8 * MAX_CALLS)
        return [
            ("result", step.nr, result if -4096 < result < 0 else 0)
            for step, (result,) in zip(
                steps, struct.iter_unpack("<q", memory[: len(memory) & -8]), strict=False
            )
        ]

    def attempt(self, data: bytes, parent: Any, note: str) -> Outcome:
        """Runs a list; keeps it if it is new and went through."""
        outcome, news = self._execute(data)
        failure = self._failure
        if failure is not None:
            if failure.id not in self.findings:
                self._report(failure, data)
            return outcome
        if self.coverage.fresh:
            self._look_at_calls(data, outcome, self.coverage.fresh)
        if news and outcome.verdict != HANG:
            self._keep(data, parent, note, news, OK)
        return outcome

    def _again(self, wanted: Finding, data: bytes) -> Finding | None:
        outcome, _news = self._execute(data)
        found: list[Finding | None] = [self._failure]
        found += [self.executor.doors.look(call, data) for call in outcome.calls]
        return next((f for f in found if f is not None and f.id == wanted.id), None)

    def _minimized(self, finding: Finding, data: bytes) -> Finding:
        calls = CallList.unpack(data)
        at = len(calls.steps) - 1
        while at >= 0:
            fewer = calls.without(at)
            smaller = self._again(finding, fewer.pack())
            if smaller is not None:
                calls, finding = fewer, smaller
            at -= 1
        return finding

    def _engine_finding(self, error: Exception, data: bytes) -> Finding:
        return engine_finding(self.target, error, data)


def engine_finding(target: Target, error: Exception, data: bytes) -> Finding:
    """The finding for an exception out of the emulated kernel."""
    frames = traceback.extract_tb(error.__traceback__)
    inner = [frame for frame in frames if "emukernel" in frame.filename] or list(frames)
    last = inner[-1]
    path = last.filename.rpartition("emukernel/")[2]
    where = f"{path}:{last.lineno} ({last.name})"
    told = [f"{type(error).__name__}: {error}"]
    told += [f"  {f.filename.rpartition('emukernel/')[2]}:{f.lineno} {f.name}" for f in inner]
    return Finding(
        kind="engine",
        rule="engine-exception",
        key=f"{type(error).__name__}|{path}|{last.name}",
        title=f"emukernel fails with {type(error).__name__} in {where}",
        text="\n".join(told),
        evidence={"calls": describe_calls(data), "exception": repr(error)},
        replay={"target": target.to_json()},
        input=data,
    )


def describe_calls(data: bytes) -> list[str]:
    """A packed list for a person: `r3 = openat(r1, 0x502000, 0x2, 0x0)`."""
    lines = []
    for at, step in enumerate(CallList.unpack(data).steps):
        row = ROWS.get(step.nr)
        name = row[1] if row is not None else f"syscall_{step.nr}"
        arguments = [
            f"r{result}" if result >= 0 else f"{value:#x}"
            for value, result in zip(step.args, step.results, strict=True)
        ]
        lines.append(f"r{at} = {name}({', '.join(arguments)})")
    return lines

