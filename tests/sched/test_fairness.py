"""Who has the CPU: nobody can keep it from the others, and nice values are taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import machines
import pytest

THREADS = ("-static", "-pthread")

# Two threads that take turns at a lock which they wait for without any call. The third writes
# nothing and never gives the CPU up.
SPINLOCK = r"""
#include <pthread.h>
#include <stdio.h>

static volatile int lock, turns[2], done;

static void *worker(void *argument)
{
    int mine = argument != NULL;

    while (turns[mine] < 4) {
        while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
            ;
        turns[mine]++;
        __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
        while (turns[mine] > turns[!mine] + 1)
            ;
    }
    __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void *spinner(void *argument)
{
    while (done < 2)
        ;
    return argument;
}

int main(void)
{
    pthread_t threads[3];

    pthread_create(&threads[2], NULL, spinner, NULL);
    pthread_create(&threads[0], NULL, worker, NULL);
    pthread_create(&threads[1], NULL, worker, &lock);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    printf("%d %d\n", turns[0], turns[1]);
    return 0;
}
"""


@pytest.mark.parametrize("deterministic", [False, True])
def test_a_spinlock_makes_progress(guest_source: Callable[..., Path], deterministic: bool) -> None:
    program = guest_source(SPINLOCK, flags=THREADS)
    result = machines.run(program, deterministic=deterministic)
    assert (result.exit_status, result.stdout) == (0, b"4 4\n")


# Each read-modify-write of the two threads must count, wherever they are interrupted.
COUNTER = r"""
#include <pthread.h>
#include <stdio.h>

static long locked, plain[2];

static void *worker(void *argument)
{
    long *mine = argument;

    for (int i = 0; i < 400000; i++) {
        __asm__ volatile("lock incq %0" : "+m"(locked));
        __asm__ volatile("incq %0" : "+m"(*mine));
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, worker, &plain[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("%ld %ld %ld\n", locked, plain[0], plain[1]);
    return 0;
}
"""


@pytest.mark.parametrize("deterministic", [False, True])
def test_preemption_repeats_no_instruction(
    guest_source: Callable[..., Path], deterministic: bool
) -> None:
    program = guest_source(COUNTER, flags=THREADS)
    result = machines.run(program, deterministic=deterministic)
    assert (result.exit_status, result.stdout) == (0, b"800000 400000 400000\n")


# A child that spins must not starve one that counts what it can read from a pipe, nor the clock.
STARVING = r"""
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int rang;

static void ring(int number) { rang = number; }

int main(void)
{
    int ends[2], status;
    char byte = 0;
    pid_t spinning, writing;

    if (pipe(ends) != 0)
        return 1;
    spinning = fork();
    if (spinning == 0)
        for (;;)
            ;
    writing = fork();
    if (writing == 0) {
        for (int i = 0; i < 20; i++)
            if (write(ends[1], &byte, 1) != 1)
                _exit(1);
        _exit(0);
    }
    for (int i = 0; i < 20; i++)
        if (read(ends[0], &byte, 1) != 1)
            return 2;
    waitpid(writing, &status, 0);
    signal(SIGALRM, ring);
    ualarm(2000, 0);
    while (!rang)
        ;
    kill(spinning, SIGKILL);
    waitpid(spinning, NULL, 0);
    printf("%d %d\n", status, rang);
    printf("%d\n", nice(5));
    printf("%d\n", setpriority(PRIO_PROCESS, 0, 19));
    printf("%d\n", getpriority(PRIO_PROCESS, 0));
    return 0;
}
"""

@pytest.mark.parametrize("deterministic", [False, True])
def test_a_spinning_process_starves_nobody(
    guest_source: Callable[..., Path], deterministic: bool
) -> None:
    result = machines.run(guest_source(STARVING), deterministic=deterministic)
    assert (result.exit_status, result.stdout) == (0, b"0 14\n5\n0\n19\n")


# The parent waits for the host's input while a child spins.
INPUT = r"""
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    char text[16];
    ssize_t size;
    pid_t pid = fork();

    if (pid == 0)
        for (;;)
            ;
    usleep(1000);
    size = read(0, text, sizeof text);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    printf("%zd\n", size);
    return 0;
}
"""


@pytest.mark.parametrize("options", [[], ["--deterministic"]])
def test_input_comes_while_another_process_spins(
    guest_source: Callable[..., Path], emukernel_late_input: Callable[..., bytes],
    options: list[str],
) -> None:
    assert emukernel_late_input(guest_source(INPUT), options, b"hello") == b"5\n"
