"""--deterministic: which task runs when is a function of the seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import machines

# Three threads write down who had how many turns while a timer's signals come in between. The
# clock, the signals and the places where threads lose the CPU are all in what it prints.
PROGRAM = r"""
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long count[3];
static volatile int rings, log_length;
static long log_of[64];

static void ring(int number)
{
    (void)number;
    rings++;
    if (log_length < 64)
        log_of[log_length++] = count[0] + 1000003 * count[1] + 7000001 * count[2];
}

static void *worker(void *argument)
{
    volatile long *mine = argument;

    for (int i = 0; i < 30000; i++) {
        (*mine)++;
        if (i % 10000 == 0)
            usleep(50);
    }
    return NULL;
}

int main(void)
{
    struct itimerval every = { { 0, 300 }, { 0, 300 } };
    struct timespec now;
    pthread_t threads[3];

    signal(SIGALRM, ring);
    setitimer(ITIMER_REAL, &every, NULL);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, worker, (void *)&count[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("%d %ld.%09ld\n", rings, (long)now.tv_sec, now.tv_nsec);
    for (int i = 0; i < log_length; i++)
        printf("%ld\n", log_of[i]);
    return 0;
}
"""


def test_the_interleaving_is_a_function_of_the_seed(guest_source: Callable[..., Path]) -> None:
    program = guest_source(PROGRAM, flags=("-static", "-pthread"))
    printed = []
    for seed in (1, 1, 1, 2, 3):
        result = machines.run(program, deterministic=True, seed=seed)
        assert result.exit_status == 0
        printed.append(result.stdout)
    assert printed[0] == printed[1] == printed[2]
    assert len({*printed}) == 3
    # The timer rang while threads ran, at more than one place.
    assert len(set(printed[0].splitlines()[1:])) > 2


# A loop without a call: time goes on all the same.
ALARM = r"""
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static volatile int rang;

static void ring(int number) { rang = number; }

int main(void)
{
    volatile long turns = 0;

    signal(SIGALRM, ring);
    ualarm(5000, 0);
    while (!rang)
        turns++;
    printf("%ld\n", turns);
    return 0;
}
"""


def test_an_alarm_comes_to_a_loop_without_calls(guest_source: Callable[..., Path]) -> None:
    program = guest_source(ALARM)
    first, second = (machines.run(program, deterministic=True).stdout for _ in range(2))
    assert first == second
    assert int(first) > 1000
