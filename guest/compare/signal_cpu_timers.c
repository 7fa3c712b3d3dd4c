/* ITIMER_VIRTUAL and ITIMER_PROF count CPU time; RLIMIT_CPU sends SIGXCPU, then SIGKILL (status 137). */
#include "show.h"
#include <sys/resource.h>
#include <sys/time.h>

static volatile int virtual_ticks, prof_ticks, limit_ticks;

static void handler(int number)
{
    if (number == SIGVTALRM)
        virtual_ticks++;
    else if (number == SIGPROF)
        prof_ticks++;
    else if (++limit_ticks == 1)
        write(1, "SIGXCPU\n", 8);
}

int main(void)
{
    struct itimerval timer = {{0, 10000}, {0, 10000}}, now, off = {{0, 0}, {0, 0}};
    signal(SIGVTALRM, handler);
    signal(SIGPROF, handler);
    signal(SIGXCPU, handler);
    show("none", getitimer(ITIMER_VIRTUAL, &now));
    check("not set", now.it_value.tv_usec == 0 && now.it_value.tv_sec == 0);
    show("virtual", setitimer(ITIMER_VIRTUAL, &timer, NULL));
    while (virtual_ticks < 3)
        continue;
    show("stop", setitimer(ITIMER_VIRTUAL, &off, &now));
    check("interval told", now.it_interval.tv_usec == 10000);
    show("prof", setitimer(ITIMER_PROF, &timer, NULL));
    while (prof_ticks < 3)
        getppid();
    show("stop", setitimer(ITIMER_PROF, &off, NULL));
    /* Sleeping uses up nothing. */
    timer.it_interval.tv_usec = 0;
    setitimer(ITIMER_PROF, &timer, NULL);
    prof_ticks = 0;
    usleep(50000);
    show("while asleep", prof_ticks);
    setitimer(ITIMER_PROF, &off, NULL);

    struct rlimit limit = {1, 2};
    show("setrlimit", setrlimit(RLIMIT_CPU, &limit));
    for (;;)
        continue;
}
