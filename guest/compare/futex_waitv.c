/*
 * futex_waitv(2): which of several futexes woke, values that differ, time limits on both clocks, signals, errors.
 */
#include "show.h"
#include <sys/wait.h>
#include <time.h>

struct waiter {
    uint64_t value, address;
    uint32_t flags, reserved;
};

static uint32_t *words;

static long waitv(struct waiter *waiters, unsigned count, unsigned flags, struct timespec *timeout, int clock)
{
    return syscall(449, waiters, count, flags, timeout, clock);
}

static long wake(int word, int count)
{
    return syscall(SYS_futex, &words[word], 1, count, NULL, NULL, 0);
}

static void set(struct waiter *waiters, int count, uint32_t flags)
{
    for (int i = 0; i < count; i++)
        waiters[i] = (struct waiter){i, (uintptr_t)&words[i], flags, 0};
}

/* A child that waits for COUNT words; its exit status is what it got. */
static void child(int count, struct waiter *waiters)
{
    if (fork() == 0)
        _exit(waitv(waiters, count, 0, NULL, 0) & 0xff);
}

static void ended(const char *what)
{
    int status = -1;
    wait(&status);
    printf("%s: %d\n", what, WEXITSTATUS(status));
}

static void handler(int sig)
{
    (void)sig;
}

static struct timespec in_ms(int clock, long ms)
{
    struct timespec when;
    clock_gettime(clock, &when);
    when.tv_nsec += ms * 1000000;
    when.tv_sec += when.tv_nsec / 1000000000;
    when.tv_nsec %= 1000000000;
    return when;
}

int main(void)
{
    struct waiter waiters[130];
    struct timespec when, bad = {0, -1};
    words = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 130; i++)
        words[i] = i;
    set(waiters, 130, 2);
    show("flags", waitv(waiters, 1, 1, NULL, 0));
    show("no futexes", waitv(waiters, 0, 0, NULL, 0));
    show("129", waitv(waiters, 129, 0, NULL, 0));
    show("NULL", waitv(NULL, 1, 0, NULL, 0));
    show("bad pointer", waitv((void *)8, 1, 0, NULL, 0));
    show("bad clock", waitv(waiters, 1, 0, &bad, 7));
    show("bad clock without a time", waitv((void *)8, 1, 0, NULL, 7));
    show("bad time", waitv(waiters, 1, 0, &bad, 0));
    show("time at bad pointer", waitv(waiters, 1, 0, (void *)8, 0));
    waiters[1].reserved = 1;
    show("reserved", waitv(waiters, 2, 0, NULL, 0));
    waiters[1].reserved = 0;
    waiters[1].flags = 1;
    show("16 bits", waitv(waiters, 2, 0, NULL, 0));
    waiters[1].flags = 2 | 16;
    show("unknown flag", waitv(waiters, 2, 0, NULL, 0));
    waiters[1].flags = 2;
    waiters[1].value = (uint64_t)1 << 32;
    show("value of 33 bits", waitv(waiters, 2, 0, NULL, 0));
    waiters[1].value = 1;
    waiters[1].address += 1;
    show("unaligned", waitv(waiters, 2, 0, NULL, 0));
    waiters[1].address = 8;
    show("bad futex", waitv(waiters, 2, 0, NULL, 0));
    set(waiters, 130, 2);
    waiters[127].value = 5;
    show("another value", waitv(waiters, 128, 0, NULL, 0));
    set(waiters, 130, 2);
    when = in_ms(CLOCK_MONOTONIC, 20);
    show("20 ms", waitv(waiters, 128, 0, &when, CLOCK_MONOTONIC));
    when = in_ms(CLOCK_REALTIME, 20);
    show("20 ms of CLOCK_REALTIME", waitv(waiters, 3, 0, &when, CLOCK_REALTIME));
    show("past", waitv(waiters, 3, 0, &(struct timespec){0, 0}, CLOCK_REALTIME));
    show("nobody waits any more", wake(0, 10));

    child(128, waiters);
    while (wake(100, 1) == 0)
        usleep(1000);
    ended("woken by");
    show("nobody waits any more", wake(0, 10));
    child(2, waiters);
    while (wake(0, 1) == 0)
        usleep(1000);
    ended("woken by");

    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 20000);
    show("interrupted", waitv(waiters, 3, 0, NULL, 0));
    ualarm(0, 0);
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    when = in_ms(CLOCK_MONOTONIC, 60);
    show("started again", waitv(waiters, 3, 0, &when, CLOCK_MONOTONIC));
    set(waiters, 3, 2 | 128);
    when = in_ms(CLOCK_MONOTONIC, 20);
    show("private", waitv(waiters, 3, 0, &when, CLOCK_MONOTONIC));
    return 0;
}
