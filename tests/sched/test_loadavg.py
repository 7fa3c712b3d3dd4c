"""Load averages: what Linux's formula makes of tasks that run and sleep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emukernel.kernel.sched.loadavg import FIXED_1, LoadAverages

SECOND = 1_000_000_000

SLEEPER = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while (now.tv_sec - start.tv_sec < atoi(argv[1]));
    struct sysinfo info;
    sysinfo(&info);
    printf("%.1f", info.loads[0] / 65536.0);
    sleep(3600);
    char text[64] = "";
    read(open("/proc/loadavg", O_RDONLY), text, 14);
    printf(" %s\n", text);
}
"""


def test_a_busy_minute_and_an_idle_one() -> None:
    loads = LoadAverages()
    for second in range(1, 61):
        loads.sample(second * SECOND, 1)
    one, five, fifteen = [load / FIXED_1 for load in loads.avenrun]
    # 1 - 1/e of a full load after as long as an average is over.
    assert one == pytest.approx(0.63, abs=0.02)
    assert five == pytest.approx(0.18, abs=0.02)
    assert fifteen == pytest.approx(0.065, abs=0.02)
    loads.sample(120 * SECOND, 0)
    assert loads.avenrun[0] / FIXED_1 == pytest.approx(one / 2.718, abs=0.02)


def test_many_samples_at_once_are_as_one_by_one() -> None:
    at_once, each = LoadAverages(), LoadAverages()
    at_once.sample(600 * SECOND, 3)
    for second in range(601):
        each.sample(second * SECOND, 3)
    for one, other in zip(at_once.avenrun, each.avenrun, strict=True):
        assert one == pytest.approx(other, abs=FIXED_1 // 10)


def test_programs_see_them(
    guest_source: Callable[..., Path], emukernel: Callable[..., Any]
) -> None:
    program = guest_source(SLEEPER, name="sleeper")
    out = emukernel(program, ["0"], options=["--deterministic"]).out
    assert out == "0.0 0.00 0.00 0.00\n"
