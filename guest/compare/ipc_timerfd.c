/*
 * timerfd_create(2): once, periodic, absolute, missed ticks, what is left, blocking reads, errors.
 */
#include "show.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>

enum { MS = 1000000 };

static void set(const char *what, int fd, int flags, long value, long interval)
{
    struct itimerspec spec = {{interval / 1000, interval % 1000 * MS}, {value / 1000, value % 1000 * MS}}, old;
    memset(&old, 9, sizeof old);
    long result = timerfd_settime(fd, flags, &spec, &old);
    if (result < 0)
        show(what, result);
    else
        printf("%s: was %s, interval %ld.%09ld\n", what, old.it_value.tv_sec || old.it_value.tv_nsec ? "running" : "still",
               (long)old.it_interval.tv_sec, old.it_interval.tv_nsec);
}

static void get(const char *what, int fd)
{
    uint64_t ticks = 0;
    ssize_t n = read(fd, &ticks, 8);
    if (n < 0)
        show(what, n);
    else
        printf("%s: %zd, %llu\n", what, n, (unsigned long long)ticks);
}

static void left(const char *what, int fd)
{
    struct itimerspec spec;
    if (timerfd_gettime(fd, &spec) < 0) {
        show(what, -1);
        return;
    }
    long ms = spec.it_value.tv_sec * 1000 + spec.it_value.tv_nsec / MS;
    printf("%s: about %ld s, interval %ld.%09ld\n", what, (ms + 500) / 1000, (long)spec.it_interval.tv_sec,
           spec.it_interval.tv_nsec);
}

static void pause_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * MS};
    nanosleep(&time, NULL);
}

int main(void)
{
    int fd = must("timerfd_create", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    struct pollfd p = {fd, POLLIN, 0};
    get("not set", fd);
    left("not set", fd);
    set("once", fd, 0, 100, 0);
    get("not yet", fd);
    show("poll", poll(&p, 1, 5000));
    printf("revents %#x\n", p.revents);
    get("fired", fd);
    get("again", fd);
    left("over", fd);
    set("long", fd, 0, 100000, 7000);
    left("long", fd);
    set("stop", fd, 0, 0, 0);
    left("stopped", fd);
    set("interval alone", fd, 0, 0, 5);
    left("does not run", fd);

    set("past", fd, TFD_TIMER_ABSTIME, 1, 0);
    get("at once", fd);
    set("periodic from the past", fd, TFD_TIMER_ABSTIME, 1, 1000000000);
    get("one tick", fd);
    set("periodic", fd, 0, 20, 20);
    pause_ms(110);
    uint64_t ticks = 0;
    read(fd, &ticks, 8);
    check("5 ticks or so", ticks >= 4);
    get("none now", fd);
    set("set anew", fd, 0, 10, 0);
    pause_ms(60);
    set("fired, set anew", fd, 0, 100000, 0);
    get("ticks are gone", fd);

    fcntl(fd, F_SETFL, 0);
    set("blocking", fd, 0, 10, 0);
    get("read sleeps", fd);

    int real = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct itimerspec at = {{0, 0}, {now.tv_sec + 100, now.tv_nsec}};
    show("absolute", timerfd_settime(real, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL));
    left("absolute", real);
    ok("CLOCK_BOOTTIME", timerfd_create(CLOCK_BOOTTIME, 0));
    show("CLOCK_TAI", timerfd_create(CLOCK_TAI, 0));
    show("CPU clock", timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
    show("bad flags", timerfd_create(CLOCK_MONOTONIC, 1));
    show("read 7", read(fd, &ticks, 7));
    show("write", write(fd, &ticks, 8));
    set("bad fd", 99, 0, 1, 0);
    set("not a timer", 0, 0, 1, 0);
    set("bad flags", fd, 4, 1, 0);
    set("bad flags, bad fd", 99, 4, 1, 0);
    struct itimerspec bad = {{0, 1000000000}, {0, 0}};
    show("bad interval", timerfd_settime(fd, 0, &bad, NULL));
    bad = (struct itimerspec){{0, 0}, {-1, 0}};
    show("negative", timerfd_settime(fd, 0, &bad, NULL));
    show("null", timerfd_settime(fd, 0, NULL, NULL));
    show("null, bad fd", timerfd_settime(99, 0, NULL, NULL));
    show("gettime: null", timerfd_gettime(fd, NULL));
    show("gettime: bad fd", timerfd_gettime(99, NULL));
    at = (struct itimerspec){{0, 0}, {50, 0}};
    show("bad old", timerfd_settime(fd, 0, &at, (void *)8));
    left("is set all the same", fd);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    set("far away", fd, 0, 1000000000000, 0);
    get("bad buffer, nothing", fd);
}
