/*
 * timer_create(2): clocks, kinds of events, overruns while the signal is pending, what is left, stale signals,
 * ignored ones, CPU time, fork, exec, errors.
 */
#include "show.h"
#include <sys/wait.h>
#include <time.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { MS = 1000000 };

static long create(int clock, void *event, int *id)
{
    return syscall(SYS_timer_create, clock, event, id);
}

static long set(int id, int flags, long value_ms, long interval_ms)
{
    struct itimerspec spec = {{interval_ms / 1000, interval_ms % 1000 * MS}, {value_ms / 1000, value_ms % 1000 * MS}};
    return syscall(SYS_timer_settime, id, flags, &spec, NULL);
}

static void left(const char *what, int id)
{
    struct itimerspec spec;
    memset(&spec, 9, sizeof spec);
    if (syscall(SYS_timer_gettime, id, &spec) < 0)
        show(what, -1);
    else if (spec.it_value.tv_sec == 0 && spec.it_value.tv_nsec <= 1)
        printf("%s: %ld ns left, interval %ld.%09ld\n", what, spec.it_value.tv_nsec, (long)spec.it_interval.tv_sec,
               spec.it_interval.tv_nsec);
    else
        printf("%s: running, interval %ld.%09ld\n", what, (long)spec.it_interval.tv_sec, spec.it_interval.tv_nsec);
}

static void pause_ms(long ms)
{
    struct timespec span = {ms / 1000, ms % 1000 * MS};
    nanosleep(&span, NULL);
}

static sigset_t one(int sig)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    return set;
}

static siginfo_t take(const char *what, int sig, long ms)
{
    siginfo_t info;
    struct timespec span = {ms / 1000, ms % 1000 * MS};
    sigset_t set = one(sig);
    memset(&info, 0, sizeof info);
    if (syscall(SYS_rt_sigtimedwait, &set, &info, &span, 8) < 0)
        show(what, -1);
    else
        printf("%s: signal %s, code %d, id %d, value %d\n", what, sig == info.si_signo ? "right" : "wrong", info.si_code,
               info.si_timerid, info.si_value.sival_int);
    return info;
}

static void errors(void)
{
    int id = -7;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    show("no such clock", create(99, NULL, &id));
    show("raw clock", create(CLOCK_MONOTONIC_RAW, NULL, &id));
    show("coarse clock", create(CLOCK_REALTIME_COARSE, NULL, &id));
    show("dynamic clock", create(~0 << 3 | 3, NULL, &id));
    show("bad event", create(CLOCK_MONOTONIC, (void *)8, &id));
    show("bad clock before bad event", create(99, (void *)8, &id));
    show("bad id pointer", create(CLOCK_MONOTONIC, NULL, (void *)8));
    show("CPU clock of nobody", create(~0x3fffff << 3 | 2, NULL, &id));
    event.sigev_signo = 65;
    show("signal 65", create(CLOCK_MONOTONIC, &event, &id));
    event.sigev_signo = 0;
    show("signal 0", create(CLOCK_MONOTONIC, &event, &id));
    event.sigev_notify = SIGEV_NONE;
    ok("signal 0 for none", create(CLOCK_MONOTONIC, &event, &id));
    show("delete", syscall(SYS_timer_delete, id));
    event.sigev_notify = 3;
    show("notify 3", create(CLOCK_MONOTONIC, &event, &id));
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGUSR1;
    event.sigev_notify_thread_id = 1;
    show("foreign thread", create(CLOCK_MONOTONIC, &event, &id));
    show("settime of none", set(1234, 0, 1, 0));
    show("settime of NULL", syscall(SYS_timer_settime, 1234, 0, NULL, NULL));
    show("settime of bad pointer", syscall(SYS_timer_settime, 1234, 0, 8, NULL));
    show("gettime of none", syscall(SYS_timer_gettime, 1234, NULL));
    show("getoverrun of none", syscall(SYS_timer_getoverrun, 1234));
    show("delete of none", syscall(SYS_timer_delete, 1234));
    must("create", create(CLOCK_MONOTONIC, NULL, &id));
    show("settime of 10^9 ns", syscall(SYS_timer_settime, id, 0, &(struct itimerspec){{0, 1000000000}, {1, 0}}, NULL));
    show("settime of -1 s", syscall(SYS_timer_settime, id, 0, &(struct itimerspec){{0, 0}, {-1, 0}}, NULL));
    show("gettime to bad pointer", syscall(SYS_timer_gettime, id, 8));
    show("old to bad pointer", syscall(SYS_timer_settime, id, 0, &(struct itimerspec){{0, 0}, {100, 0}}, (void *)8));
    left("set all the same", id);
    show("delete", syscall(SYS_timer_delete, id));
    show("delete again", syscall(SYS_timer_delete, id));
}

static void expiry(const char *name, int clock)
{
    int id;
    struct timespec now;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77};
    puts(name);
    must("create", create(clock, &event, &id));
    left("new", id);
    show("once", set(id, 0, 20, 0));
    siginfo_t info = take("signal", SIGUSR1, 20000);
    check("its id", info.si_timerid == id);
    show("overrun", info.si_overrun);
    left("fired", id);
    show("periodic", set(id, 0, 10, 10));
    pause_ms(65);
    info = take("late", SIGUSR1, 20000);
    check("several overruns", info.si_overrun >= 4);
    check("getoverrun says so", syscall(SYS_timer_getoverrun, id) == info.si_overrun);
    take("again", SIGUSR1, 20000);
    left("running", id);
    pause_ms(30);
    show("stop while pending", set(id, 0, 0, 10));
    show("overrun", syscall(SYS_timer_getoverrun, id));
    take("stale signal", SIGUSR1, 0);
    left("stopped", id);
    clock_gettime(clock, &now);
    struct itimerspec spec = {{0, 0}, {now.tv_sec - 1, 0}};
    if (spec.it_value.tv_sec <= 0)
        spec.it_value = (struct timespec){0, 1};
    show("absolute past", syscall(SYS_timer_settime, id, TIMER_ABSTIME, &spec, NULL));
    take("at once", SIGUSR1, 20000);
    spec.it_value.tv_sec = now.tv_sec + 1000;
    show("absolute future", syscall(SYS_timer_settime, id, TIMER_ABSTIME, &spec, NULL));
    left("far", id);
    show("delete", syscall(SYS_timer_delete, id));
}

static void burn(clockid_t clock, long ms)
{
    struct timespec start, now;
    clock_gettime(clock, &start);
    do
        clock_gettime(clock, &now);
    while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / MS < ms);
}

static void cpu_time(const char *name, clockid_t clock)
{
    int id;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1};
    puts(name);
    must("create", create(clock, &event, &id));
    left("new", id);
    show("once", set(id, 0, 30, 0));
    left("running", id);
    take("not asleep", SIGRTMIN + 1, 60);
    burn(clock, 60);
    take("used up", SIGRTMIN + 1, 20000);
    left("fired", id);
    show("periodic", set(id, 0, 20, 20));
    burn(clock, 150);
    siginfo_t info = take("late", SIGRTMIN + 1, 20000);
    check("overruns", info.si_overrun >= 3);
    struct itimerspec spec;
    must("gettime", syscall(SYS_timer_gettime, id, &spec));
    check("running", spec.it_value.tv_nsec > 0 && spec.it_interval.tv_nsec == 20 * MS);
    show("absolute past", syscall(SYS_timer_settime, id, TIMER_ABSTIME, &(struct itimerspec){{0, 0}, {0, 1}}, NULL));
    take("at once", SIGRTMIN + 1, 20000);
    left("fired", id);
    show("delete", syscall(SYS_timer_delete, id));
}

static volatile sig_atomic_t caught;

static void handler(int sig)
{
    caught = sig;
}

int main(int argc, char **argv)
{
    int id, other, status;
    if (argc > 1) {
        left("timer after exec", 0);
        sigset_t pending;
        sigpending(&pending);
        show("pending after exec", sigismember(&pending, SIGUSR1));
        return 0;
    }
    sigset_t mask = one(SIGUSR1);
    sigaddset(&mask, SIGALRM);
    sigaddset(&mask, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    errors();
    expiry("MONOTONIC", CLOCK_MONOTONIC);
    expiry("REALTIME", CLOCK_REALTIME);
    expiry("BOOTTIME", CLOCK_BOOTTIME);
    expiry("TAI", CLOCK_TAI);
    cpu_time("PROCESS_CPUTIME", CLOCK_PROCESS_CPUTIME_ID);
    cpu_time("THREAD_CPUTIME", CLOCK_THREAD_CPUTIME_ID);
    cpu_time("own pid's clock", (clockid_t)(~(unsigned)getpid() << 3 | 2));

    puts("kinds of events");
    must("create", create(CLOCK_MONOTONIC, NULL, &id));
    show("default", set(id, 0, 1, 0));
    siginfo_t info = take("SIGALRM", SIGALRM, 20000);
    check("value is the id", info.si_value.sival_int == id);
    must("delete", syscall(SYS_timer_delete, id));
    struct sigevent none = {.sigev_notify = SIGEV_NONE, .sigev_signo = SIGUSR1};
    must("create", create(CLOCK_MONOTONIC, &none, &id));
    show("none", set(id, 0, 10, 0));
    pause_ms(20);
    left("expired", id);
    show("none, periodic", set(id, 0, 10, 100000));
    pause_ms(20);
    left("goes on", id);
    show("none, stopped", set(id, 0, 0, 0));
    left("stopped", id);
    take("no signal", SIGUSR1, 0);
    must("delete", syscall(SYS_timer_delete, id));
    struct sigevent thread = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 5};
    thread.sigev_notify_thread_id = syscall(SYS_gettid);
    must("create", create(CLOCK_MONOTONIC, &thread, &id));
    show("thread", set(id, 0, 1, 0));
    take("signal", SIGUSR1, 20000);

    puts("/proc/self/timers");
    FILE *file = fopen("/proc/self/timers", "r");
    char line[100], whom[20];
    int pid = -1;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "notify: %19[a-z/].%d", whom, &pid) == 2)
            printf("notify: %s %s\n", whom, pid == getpid() ? "this one" : "another");
        else
            fputs(line, stdout);
    }
    fclose(file);

    puts("two timers, one signal");
    must("create", create(CLOCK_MONOTONIC, &thread, &other));
    check("another id", other == id + 1);
    show("first", set(id, 0, 1, 0));
    show("second", set(other, 0, 1, 0));
    pause_ms(30);
    take("one", SIGUSR1, 0);
    take("two", SIGUSR1, 0);
    take("no more", SIGUSR1, 0);

    puts("ignored");
    show("periodic", set(id, 0, 1, 1000));
    pause_ms(20);
    signal(SIGUSR1, SIG_IGN);
    take("dropped", SIGUSR1, 0);
    left("kept aside", id);
    signal(SIGUSR1, handler);
    take("back", SIGUSR1, 0);
    show("delete", syscall(SYS_timer_delete, other));

    puts("handler interrupts");
    sigset_t empty;
    sigemptyset(&empty);
    show("set", set(id, 0, 20, 0));
    show("sigsuspend", sigsuspend(&empty));
    check("caught", caught == SIGUSR1);

    puts("fork and exec");
    show("set", set(id, 0, 1, 1));
    pause_ms(20);
    must("create", create(CLOCK_MONOTONIC, NULL, &other));
    if (fork() == 0) {
        left("timer in child", id);
        take("signal in child", SIGUSR1, 0);
        must("create", create(CLOCK_MONOTONIC, NULL, &id));
        show("id in child", id);
        must("set", set(id, 0, 1, 0));
        pause_ms(20);
        execl("/proc/self/exe", argv[0], "again", (char *)NULL);
        _exit(9);
    }
    wait(&status);
    show("child", status);
    take("signal in parent", SIGUSR1, 0);
    return 0;
}
