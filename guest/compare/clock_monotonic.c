/* Clocks go forwards, agree with one another and refuse what does not exist. */
#include "show.h"
#include <sys/time.h>
#include <time.h>

static int64_t now(clockid_t clock)
{
    struct timespec at;
    if (syscall(SYS_clock_gettime, clock, &at) < 0)
        return -1;
    return at.tv_nsec < 0 || at.tv_nsec > 999999999 ? -2 : at.tv_sec * 1000000000LL + at.tv_nsec;
}

int main(void)
{
    struct timespec at;
    struct timeval tv;
    clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
                          CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME};
    for (size_t i = 0; i < COUNT(clocks); i++) {
        int64_t last = now(clocks[i]);
        int forwards = last >= 0;
        for (int k = 0; k < 200; k++) {
            int64_t next = now(clocks[i]);
            forwards &= next >= last;
            last = next;
        }
        printf("clock %d goes forwards %d\n", clocks[i], forwards);
        must("clock_getres", clock_getres(clocks[i], &at));
        int coarse = clocks[i] == CLOCK_REALTIME_COARSE || clocks[i] == CLOCK_MONOTONIC_COARSE;
        printf("resolution %s\n", coarse ? at.tv_nsec >= 1000000 ? "of a tick" : "too fine"
               : at.tv_sec == 0 && at.tv_nsec == 1 ? "1 ns" : "too coarse");
    }
    gettimeofday(&tv, NULL);
    int64_t real = now(CLOCK_REALTIME) / 1000;
    check("gettimeofday agrees", real - (tv.tv_sec * 1000000LL + tv.tv_usec) < 2000000);
    time_t seconds = time(NULL);
    check("time agrees", seconds >= tv.tv_sec && seconds - tv.tv_sec < 3);
    time_t stored;
    check("time stores", syscall(SYS_time, &stored) == stored);
    check("past 2020", seconds > 1577836800);
    show("unknown clock", now(99));
    show("negative clock", syscall(SYS_clock_gettime, -1000000, &at) == -1 ? -1 : 0);
    show("bad pointer", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8));
    show("getres, null", syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
    show("getres, unknown", syscall(SYS_clock_getres, 99, &at));
    show("gettimeofday, bad pointer", syscall(SYS_gettimeofday, 8, NULL));
    show("time, bad pointer", syscall(SYS_time, 8));
    at = (struct timespec){0, 1000000000};
    show("settime, bad value", syscall(SYS_clock_settime, CLOCK_REALTIME, &at));
    show("settime, monotonic", syscall(SYS_clock_settime, CLOCK_MONOTONIC, &at));
    volatile unsigned long work = 0;
    int64_t cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    while (work < 20000000)
        work++;
    check("work uses CPU time", now(CLOCK_PROCESS_CPUTIME_ID) > cpu);
}
