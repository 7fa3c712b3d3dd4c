"""What tasks took is given back when they are gone: frames, tasks, Python's own objects."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import machines

from emukernel.kernel.kernel import Kernel

ROUNDS = r"""
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void mark(long number) { syscall(1000, number); }

static int turns[2];

static void *thread(void *argument)
{
    char byte;

    for (int i = 0; i < 20; i++)
        if (read(turns[0], &byte, 1) != 1)
            abort();
    return argument;
}

static void round_of_processes(void)
{
    int ends[2];
    pid_t pid;

    if (pipe(ends) != 0)
        abort();
    pid = fork();
    if (pid == 0) {
        int private = MAP_PRIVATE | MAP_ANONYMOUS;
        char *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, private, -1, 0);
        char byte = 'x';

        memset(memory, 1, 1 << 20);
        for (int i = 0; i < 20; i++)
            if (write(ends[1], &byte, 1) != 1)
                _exit(1);
        _exit(0);
    }
    close(ends[1]);
    for (char byte; read(ends[0], &byte, 1) == 1;)
        ;
    close(ends[0]);
    if (waitpid(pid, NULL, 0) != pid)
        abort();
}

static void round_of_threads(void)
{
    pthread_t other;

    if (pipe(turns) != 0 || pthread_create(&other, NULL, thread, NULL) != 0)
        abort();
    for (int i = 0; i < 20; i++)
        if (write(turns[1], "x", 1) != 1)
            abort();
    pthread_join(other, NULL);
    close(turns[0]);
    close(turns[1]);
}

int main(void)
{
    for (int i = 0; i < 60; i++) {
        if (i % 20 == 10)
            mark(i / 20);
        round_of_processes();
        round_of_threads();
    }
    return 0;
}
"""


def test_what_ended_tasks_had_is_given_back(guest_source: Callable[..., Path]) -> None:
    frames: list[int] = []
    objects: list[Counter[str]] = []
    kept: list[tuple[int, int, int]] = []

    def look(kernel: Kernel, _number: int) -> None:
        gc.collect()
        frames.append(kernel.memory.free_frames)
        objects.append(Counter(type(thing).__name__ for thing in gc.get_objects()))
        kept.append((len(kernel.tasks), len(kernel.sched.timers), len(kernel.futex_queues)))

    result = machines.run(
        guest_source(ROUNDS, flags=("-static", "-pthread")), at_mark=look
    )
    assert result.exit_status == 0
    assert len(frames) == 3
    assert frames[1:] == frames[:1] * 2
    assert kept == [(1, 0, 0)] * 3
    for name in ("Task", "Mm", "PageTable", "SignalStruct", "FilesStruct", "WaitQueue"):
        assert objects[2][name] <= objects[1][name], name
    # Forty tasks slept and ended in between: what one leaves behind would show many times.
    assert sum(objects[2].values()) - sum(objects[1].values()) < 40


FAULTS = r"""
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static sigjmp_buf back;

static void handler(int number) { siglongjmp(back, number); }

int main(void)
{
    volatile char *nowhere = (char *)8;

    signal(SIGSEGV, handler);
    for (volatile int i = 0; i < 900; i++) {
        if (i % 300 == 150)
            syscall(1000, i);
        if (!sigsetjmp(back, 1))
            *nowhere = 1;
    }
    return 0;
}
"""


def test_refused_page_faults_leave_nothing_behind(guest_source: Callable[..., Path]) -> None:
    objects: list[int] = []

    def look(_kernel: Kernel, _number: int) -> None:
        gc.collect()
        objects.append(len(gc.get_objects()))

    assert machines.run(guest_source(FAULTS), at_mark=look).exit_status == 0
    assert len(objects) == 3
    assert objects[2] - objects[1] < 40
