/* What a handler does to calls that wait, with and without SA_RESTART: EINTR, or made again. */
#include "show.h"
#include <sys/time.h>
#include <time.h>

static volatile int ticks;

static void handler(int number)
{
    (void)number;
    ticks++;
}

static void after(int milliseconds)
{
    struct itimerval timer = {{0, 0}, {0, milliseconds * 1000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* Not the C library's: that of musl goes on after EINTR. */
static long take(sigset_t *set, siginfo_t *info, struct timespec *timeout)
{
    return syscall(SYS_rt_sigtimedwait, set, info, timeout, 8);
}

static void waits(const char *what, int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    struct timespec long_time = {10, 0}, left, now;
    sigset_t set, none;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    printf("-- %s\n", what);
    ticks = 0;
    sigaction(SIGALRM, &action, NULL);
    after(40);
    show("nanosleep", nanosleep(&long_time, NULL));
    after(40);
    show("clock_nanosleep", clock_nanosleep(CLOCK_MONOTONIC, 0, &long_time, &left) ? -(errno = EINTR, 1) : 0);
    clock_gettime(CLOCK_MONOTONIC, &now);
    now.tv_sec += 10;
    after(40);
    show("clock_nanosleep, absolute",
         syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL));
    after(40);
    show("pause", pause());
    after(40);
    show("sigsuspend", sigsuspend(&none));
    after(40);
    show("sigtimedwait", take(&set, NULL, &long_time));
    after(40);
    show("sigwaitinfo", take(&set, NULL, NULL));
    show("ticks", ticks);
}

int main(void)
{
    sigset_t set, old, now;
    struct timespec long_time = {10, 0}, shortly = {0, 3000000};
    siginfo_t info;
    waits("no flags", 0);
    waits("SA_RESTART", SA_RESTART);
    /* A signal that is waited for comes without its handler, blocked or not. */
    ticks = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    after(40);
    show("sigtimedwait, blocked not", take(&set, &info, &long_time));
    printf("si_signo %d si_code %d\n", info.si_signo, info.si_code);
    sigprocmask(SIG_BLOCK, &set, &old);
    after(40);
    show("sigtimedwait, blocked", take(&set, &info, &long_time));
    show("timeout", take(&set, &info, &shortly));
    sigprocmask(SIG_SETMASK, NULL, &now);
    check("the mask is as before", sigismember(&now, SIGALRM) && !sigismember(&now, SIGUSR1));
    show("handler ran", ticks);
    /* What is ignored wakes nobody. */
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGALRM, SIG_IGN);
    after(3);
    struct timespec sleep = {0, 20000000};
    show("nanosleep, ignored signal", nanosleep(&sleep, NULL));
    show("restart_syscall without a cause", syscall(SYS_restart_syscall));
}
