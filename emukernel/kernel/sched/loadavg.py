"""The load averages of /proc/loadavg and sysinfo(2) (kernel/sched/loadavg.c).

Linux samples the number of runnable tasks every five seconds. Here nothing wakes up for that: who
sleeps, wakes or asks says how many there were since the last time, and the samples that were due
meanwhile are made up for.
"""

from __future__ import annotations

FSHIFT = 11
FIXED_1 = 1 << FSHIFT
#: What remains of a load after a sample, for averages over 1, 5 and 15 minutes.
_EXP = (1884, 2014, 2037)
_LOAD_FREQ_NS = 5_000_000_000


class LoadAverages:
    """`avenrun` has the three averages, in 1/2048 of a task."""

    __slots__ = ("_sampled", "avenrun")

    def __init__(self) -> None:
        self.avenrun = [0, 0, 0]
        self._sampled = 0

    def sample(self, now: int, active: int) -> None:
        """`active` tasks were runnable since the last call; `now` is in ns of the monotonic
        clock."""
        due = (now - self._sampled) // _LOAD_FREQ_NS
        if due > 0:
            self._sampled += due * _LOAD_FREQ_NS
            self.avenrun = [
                _calc_load(load, _fixed_power(exp, due), active * FIXED_1)
                for load, exp in zip(self.avenrun, _EXP, strict=True)
            ]


def _calc_load(load: int, exp: int, active: int) -> int:
    new = load * exp + active * (FIXED_1 - exp)
    if active >= load:
        new += FIXED_1 - 1
    return new // FIXED_1


def _fixed_power(x: int, n: int) -> int:
    """x to the power of n, in fixed point."""
    result = FIXED_1
    while n:
        if n & 1:
            result = (result * x + FIXED_1 // 2) >> FSHIFT
        x = (x * x + FIXED_1 // 2) >> FSHIFT
        n >>= 1
    return result
