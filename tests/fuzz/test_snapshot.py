"""Snapshots: a machine goes back to what it was, exactly, whatever was run meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fuzz_guests import EVERYTHING, THREADS

from emukernel.api import Run
from emukernel.fuzz.executor import CRASH, OK, Executor
from emukernel.kernel.options import Options

Make = Callable[..., Executor]
Build = Callable[..., Path]


@pytest.fixture(scope="module", params=["musl", "glibc"])
def everything(request: pytest.FixtureRequest, guest_source: Build) -> Path:
    return guest_source(EVERYTHING, name="everything", libc=request.param)


def behaviour(executor: Executor, data: bytes) -> object:
    outcome = executor.run(data)
    clock = executor.machine.clock.monotonic()
    return outcome.verdict, outcome.status, outcome.calls, executor.output(), clock


def test_every_part_of_the_kernel_is_restored(everything: Path, executor: Make) -> None:
    guest = executor(everything)
    first = {}
    for choice in (0, 1, 2, 3, 8, 9, 16, 17, 19, 32, 96, 33, 59, 123, 128, 251):
        first[choice] = behaviour(guest, bytes([choice]))
        assert guest.differences() == [], choice
    for choice in reversed(first):
        assert behaviour(guest, bytes([choice])) == first[choice], choice
    assert guest.differences() == []


def test_a_child_that_runs_another_program_leaves_nothing(everything: Path, executor: Make) -> None:
    guest = executor(everything)
    before = behaviour(guest, b"\x06")
    assert guest.differences() == []
    assert behaviour(guest, b"\x00") != before
    assert behaviour(guest, b"\x06") == before


def test_runs_that_end_with_all_clearing_up(everything: Path, executor: Make) -> None:
    guest = executor(everything)
    guest.to_the_end = True
    for choice in (0, 19, 59, 128):
        behaviour(guest, bytes([choice]))
        assert guest.differences() == [], choice


def test_a_fresh_machine_behaves_the_same(everything: Path, executor: Make) -> None:
    one, other = executor(everything), executor(everything)
    for choice in (5, 18, 60):
        one.run(bytes([choice]))
    for choice in (0, 59, 128):
        assert behaviour(one, bytes([choice])) == behaviour(other, bytes([choice]))


def test_sleeping_threads_are_part_of_the_snapshot(guest_source: Build, executor: Make) -> None:
    guest = executor(guest_source(THREADS, name="threads", libc="musl"))
    first = behaviour(guest, b"x")
    assert first[:2] == (OK, 9 << 8)  # type: ignore[index]
    for _ in range(5):
        assert behaviour(guest, b"x") == first
    assert guest.differences() == []


def test_memory_of_a_run_does_not_stay(everything: Path, executor: Make) -> None:
    guest = executor(everything)
    guest.run(b"\x10")
    guest.differences()
    free = guest.machine.memory.free_frames
    for _ in range(20):
        guest.run(b"\x10")
    guest.differences()
    assert guest.machine.memory.free_frames == free


def test_crashes_are_told_from_other_ends(everything: Path, executor: Make) -> None:
    guest = executor(everything)
    outcome = guest.run(b"\x80", explain=True)
    assert (outcome.verdict, outcome.signal) == (CRASH, 11)
    assert "main" in " ".join(outcome.frames)


def test_a_run_of_the_api_goes_again_from_a_snapshot(everything: Path) -> None:
    options = Options(program=str(everything), stdin=b"\x01", capture=True, deterministic=True)
    run = Run(options)
    try:
        run.load([b"guest"], [])
        snapshot = run.snapshot()
        first = run.go()
        assert first.exit_status == 1
        for _ in range(3):
            snapshot.restore()
            again = run.go()
            assert (again.status, again.stdout, again.dmesg) == (1, first.stdout, first.dmesg)
        snapshot.restore()
        assert snapshot.differences() == []
    finally:
        run.close()


def test_restoring_takes_time_by_the_pages_that_changed(
    guest_source: Build, executor: Make
) -> None:
    source = r"""
    #include <stdlib.h>
    #include <unistd.h>
    int main(int argc, char **argv)
    {
        volatile char *heap = malloc(64 << 20);
        char b[4];
        for (int i = 0; i < 16384; i++) heap[(long)i << 12] = 1;
        int n = read(0, b, 4);
        for (int i = 0; i < n * 100; i++) heap[(long)i << 12] = 2;
        return n;
    }
    """
    guest = executor(guest_source(source, name="pages"))
    guest.run(b"abcd")
    assert guest.differences() == []
    image = guest._snapshot._memory
    # 400 pages of the heap and a few of the stack and the program's data, not 16,384.
    assert 400 <= len(image._hot) < 450
