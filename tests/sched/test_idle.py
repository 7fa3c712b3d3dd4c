"""When every task sleeps: the host's CPU is left alone, and a sleep without end is reported."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import machines

WAITS = r"""
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int word = 7;
static int ends[2];

static void *thread(void *argument)
{
    syscall(SYS_futex, &word, 128, 7, NULL, NULL, 0);
    return argument;
}

int main(void)
{
    struct pollfd polled = { .events = POLLIN };
    pthread_t other;
    char byte;

    if (pipe(ends) != 0)
        return 1;
    polled.fd = ends[0];
    if (fork() == 0)
        for (;;)
            poll(&polled, 1, -1);
    if (fork() == 0)
        for (;;)
            read(ends[0], &byte, 1);
    if (fork() == 0)
        for (;;)
            raise(SIGSTOP);
    pthread_create(&other, NULL, thread, NULL);
    waitpid(101, NULL, 0);
    return 0;
}
"""


def test_a_deadlock_says_which_task_waits_for_what(guest_source: Callable[..., Path]) -> None:
    result = machines.run(guest_source(WAITS, name="waits", flags=("-static", "-pthread")))
    assert (result.limit, result.exit_status) == ("deadlock", 125)
    tasks = result.detail.split(", task ")
    assert len(tasks) == 5
    assert tasks[0].startswith("task 100 (waits) in wait4(101, ")
    assert tasks[1].startswith("101 (waits) in poll([{fd=3, events=POLLIN}]")
    assert re.fullmatch(r"102 \(waits\) in read\(3, .*\) on pipe:\[\d+\]", tasks[2])
    assert tasks[3] == "103 (waits) stopped by a signal"
    assert tasks[4].startswith("104 (waits) in futex(0x")
    assert "FUTEX_WAIT" in tasks[4]
    assert any("deadlock: nothing can wake task 100" in line for line in result.dmesg)


SLEEPERS = r"""
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COUNT = 500 };

int main(void)
{
    static pid_t pids[COUNT];
    struct timespec half = { 0, 500000000 };

    for (int i = 0; i < COUNT; i++) {
        pids[i] = fork();
        if (pids[i] < 0)
            return 1;
        if (pids[i] == 0)
            for (;;)
                pause();
    }
    syscall(1000, 1);
    nanosleep(&half, NULL);
    syscall(1000, 2);
    for (int i = 0; i < COUNT; i++)
        kill(pids[i], SIGKILL);
    for (int i = 0; i < COUNT; i++)
        if (waitpid(pids[i], NULL, 0) != pids[i])
            return 2;
    syscall(1000, 3);
    return 0;
}
"""


def test_sleeping_processes_cost_no_cpu_time(guest_source: Callable[..., Path]) -> None:
    used: dict[int, float] = {}
    frames: dict[int, int] = {}

    def look(kernel: object, number: int) -> None:
        used[number] = time.process_time()
        frames[number] = kernel.memory.free_frames  # type: ignore[attr-defined]

    result = machines.run(guest_source(SLEEPERS), at_mark=look)
    assert result.exit_status == 0
    # Half a second of sleep: a busy loop would have taken all of it.
    assert used[2] - used[1] < 0.1
    # What each holds of the emulated RAM is page tables and the few pages that it wrote to.
    assert (frames[3] - frames[2]) / 500 < 24
