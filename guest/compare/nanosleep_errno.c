/* nanosleep and clock_nanosleep: they last as long as asked, absolutely too, and check what they get. */
#include "show.h"
#include <time.h>

static int64_t now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

int main(void)
{
    struct timespec ask = {0, 20000000}, left = {7, 7};
    int64_t start = now();
    show("20 ms", nanosleep(&ask, &left));
    check("at least 20 ms passed", now() - start >= 20000000);
    check("what is left is untouched", left.tv_sec == 7 && left.tv_nsec == 7);
    ask.tv_nsec = 0;
    show("nothing", nanosleep(&ask, NULL));
    struct timespec bad[] = {{0, 1000000000}, {0, -1}, {-1, 0}, {-1, -1}};
    for (size_t i = 0; i < COUNT(bad); i++)
        show("bad value", nanosleep(&bad[i], NULL));
    show("null", syscall(SYS_nanosleep, NULL, NULL));
    show("bad pointer", syscall(SYS_nanosleep, 8, NULL));
    show("bad pointer for the rest, not used", syscall(SYS_nanosleep, &ask, 8));

    start = now();
    struct timespec until = {(start + 15000000) / 1000000000, (start + 15000000) % 1000000000};
    show("absolute", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
    check("not before", now() >= start + 15000000);
    start = now();
    show("absolute, passed already", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
    check("at once", now() - start < 500000000);
    ask.tv_nsec = 1000000;
    show("realtime", syscall(SYS_clock_nanosleep, CLOCK_REALTIME, 0, &ask, NULL));
    show("boottime", syscall(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &ask, NULL));
    show("thread CPU clock", syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &ask, NULL));
    show("unknown clock", syscall(SYS_clock_nanosleep, 99, 0, &ask, NULL));
    show("bad value", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &bad[0], NULL));
    show("usleep", usleep(1000));
    show("sleep 0", sleep(0));
}
