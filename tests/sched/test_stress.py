"""Many processes of several threads with pipes, futexes and signals: nothing hangs or is lost."""

from __future__ import annotations

import gc
import subprocess
from collections.abc import Callable
from pathlib import Path

import machines
import pytest

from emukernel.kernel.fs.file import File
from emukernel.kernel.kernel import Kernel
from emukernel.kernel.task import Task

# Each process has threads that hand numbers on under a mutex and a condition variable, that are
# signalled meanwhile, and a pipe to the parent for the sum of what they did.
STRESS = r"""
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 12, THREADS = 5, TURNS = 12, ROUNDS = 4 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long turn, sum;
static int inner[2];
static volatile sig_atomic_t rings;

static void ring(int number) { rings += number != 0; }

static void *worker(void *argument)
{
    long mine = (long)argument;

    for (int i = 0; i < TURNS; i++) {
        char *memory = malloc(20000);
        char byte = 0;

        memset(memory, 1, 20000);
        pthread_mutex_lock(&mutex);
        while (turn % THREADS != mine)
            pthread_cond_wait(&changed, &mutex);
        turn++;
        sum += turn * (mine + 1);
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
        if (write(inner[1], &byte, 1) != 1 || (i % 3 == 0 && sched_yield() != 0))
            abort();
        if (i % 4 == 0)
            kill(getpid(), SIGUSR1);
        while (read(inner[0], &byte, 1) != 1)
            if (errno != EINTR)
                abort();
        free(memory);
    }
    return NULL;
}

static void process(int out)
{
    struct sigaction action = { .sa_handler = ring };
    pthread_t threads[THREADS];

    sigaction(SIGUSR1, &action, NULL);
    if (pipe(inner) != 0)
        abort();
    for (long i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, worker, (void *)i) != 0)
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (rings == 0)
        abort();
    while (write(out, &sum, sizeof sum) != sizeof sum)
        ;
    exit(0);
}

int main(void)
{
    syscall(1000, 0);
    for (int round = 0; round < ROUNDS; round++) {
        long total = 0, one;
        int ends[2], status, bad = 0;

        if (pipe(ends) != 0)
            return 1;
        for (int i = 0; i < PROCESSES; i++)
            if (fork() == 0)
                process(ends[1]);
        close(ends[1]);
        while (read(ends[0], &one, sizeof one) == sizeof one)
            total += one;
        close(ends[0]);
        while (wait(&status) > 0)
            bad += status != 0;
        printf("%ld %d\n", total, bad);
        fflush(stdout);
        syscall(1000, round + 1);
    }
    return 0;
}
"""


@pytest.mark.parametrize("deterministic", [False, True])
def test_what_many_tasks_took_is_given_back(
    guest_source: Callable[..., Path], deterministic: bool
) -> None:
    program = guest_source(STRESS, flags=("-static", "-pthread"))
    counts: list[tuple[int, int, int, int]] = []

    def look(kernel: Kernel, _number: int) -> None:
        gc.collect()
        things = gc.get_objects()
        counts.append((
            kernel.memory.free_frames,
            len(kernel.tasks),
            sum(isinstance(thing, File) for thing in things),
            sum(type(thing) is Task and thing.kernel is kernel for thing in things),
        ))

    result = machines.run(program, at_mark=look, deterministic=deterministic, timeout=60)
    native = subprocess.run([program], capture_output=True, timeout=60, check=True)
    assert (result.exit_status, result.stdout) == (0, native.stdout)
    # The first round leaves pages of the parent's own that it wrote to, and caches.
    assert counts[2:] == counts[1:2] * 3
    assert counts[-1][1] == 1
