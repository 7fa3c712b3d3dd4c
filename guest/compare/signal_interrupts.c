/* setitimer and alarm interrupt nanosleep and pause with EINTR; the rest of the time is told. */
#include "show.h"
#include <sys/time.h>
#include <time.h>

static volatile int ticks;

static void handler(int number)
{
    (void)number;
    ticks++;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {{0, 0}, {0, 100000}}, now;
    show("setitimer", setitimer(ITIMER_REAL, &timer, NULL));
    getitimer(ITIMER_REAL, &now);
    check("runs", now.it_value.tv_usec > 0 && now.it_value.tv_usec <= 100000);
    struct timespec ask = {10, 0}, left = {0, 0};
    show("nanosleep", nanosleep(&ask, &left));
    show("ticks", ticks);
    check("the rest", left.tv_sec == 9 && left.tv_nsec > 0);
    timer.it_value.tv_usec = 5000;
    timer.it_interval.tv_usec = 5000;
    show("setitimer", setitimer(ITIMER_REAL, &timer, NULL));
    for (int i = 0; i < 3; i++)
        show("pause", pause());
    show("ticks", ticks >= 4);
    timer = (struct itimerval){{0, 0}, {0, 0}};
    show("stop", setitimer(ITIMER_REAL, &timer, &now));
    check("interval told", now.it_interval.tv_usec == 5000);
    ticks = 0;
    timer.it_value.tv_usec = 10000;
    setitimer(ITIMER_REAL, &timer, NULL);
    while (ticks == 0)
        ;
    puts("interrupted an endless loop");
    show("alarm", alarm(100));
    show("alarm again", alarm(0));
    show("bad microseconds", setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 1000000}}, NULL));
    show("unknown timer", setitimer(9, &timer, NULL));
    show("bad pointer", syscall(SYS_setitimer, ITIMER_REAL, 8, NULL));
}
