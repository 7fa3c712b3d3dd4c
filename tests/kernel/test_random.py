"""Random numbers, seeded and not."""

from __future__ import annotations

from kernel_tasks import BUFFER, SIZE

from emukernel.kernel.random import RandomSource, sys_getrandom
from emukernel.kernel.task import Task
from emukernel.kernel.uaccess import copy_from_user


def test_a_seed_says_everything() -> None:
    first, second, third = RandomSource(7), RandomSource(7), RandomSource(8)
    sizes = (1, 16, 0, 4096)
    numbers = [first.bytes(size) for size in sizes]
    assert numbers == [second.bytes(size) for size in sizes]
    assert numbers != [third.bytes(size) for size in sizes]
    assert [len(number) for number in numbers] == list(sizes)
    assert first.bytes(32) != first.bytes(32)


def test_without_a_seed_nothing_comes_twice() -> None:
    assert RandomSource().bytes(32) != RandomSource().bytes(32)


def test_a_long_answer_ends_where_the_memory_does(task: Task) -> None:
    assert sys_getrandom(task, BUFFER + SIZE - 100_000, 1 << 40, 0) == 100_000
    assert len(set(copy_from_user(task, BUFFER + SIZE - 100_000, 100_000))) == 256


def test_a_signal_ends_a_long_answer(task: Task) -> None:
    task.sigpending = True
    assert sys_getrandom(task, BUFFER, SIZE, 0) == 1 << 16
