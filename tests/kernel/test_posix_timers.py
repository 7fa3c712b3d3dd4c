"""POSIX timers where the machine's clock is set, which no program may do to the host's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import guest_run

CLOCK_IS_SET = r"""
#include <signal.h>
#include <stdio.h>
#include <time.h>

static long take(sigset_t *set)
{
    struct timespec span = {0, 20000000};
    siginfo_t info = {0};
    return sigtimedwait(set, &info, &span) < 0 ? -1 : info.si_value.sival_int;
}

int main(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    timer_t until, span;
    struct timespec now;
    struct sigevent event = {.sigev_signo = SIGALRM, .sigev_value.sival_int = 1};
    timer_create(CLOCK_REALTIME, &event, &until);
    event.sigev_value.sival_int = 2;
    timer_create(CLOCK_REALTIME, &event, &span);
    clock_gettime(CLOCK_REALTIME, &now);
    struct itimerspec setting = {{0, 0}, {now.tv_sec + 1800, 0}};
    timer_settime(until, TIMER_ABSTIME, &setting, NULL);
    setting.it_value.tv_sec = 1800;
    timer_settime(span, 0, &setting, NULL);
    printf("%ld\n", take(&set));
    now.tv_sec += 3600;
    clock_settime(CLOCK_REALTIME, &now);
    printf("%ld\n", take(&set));
    printf("%ld\n", take(&set));
    timer_gettime(span, &setting);
    printf("%d\n", setting.it_value.tv_sec > 1700);
    return 0;
}
"""


def test_a_moment_comes_when_the_clock_is_set_beyond_it(
    guest_source: Callable[..., Path], emukernel: Callable[..., guest_run.Outcome]
) -> None:
    done = emukernel(guest_source(CLOCK_IS_SET))
    assert done.out.split() == ["-1", "1", "-1", "1"], done.err
