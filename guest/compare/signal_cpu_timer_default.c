/* ITIMER_VIRTUAL ends a program that has no handler and makes no call. */
#include "show.h"
#include <sys/time.h>

int main(void)
{
    struct itimerval timer = {{0, 0}, {0, 50000}};
    show("setitimer", setitimer(ITIMER_VIRTUAL, &timer, NULL));
    for (;;)
        continue;
}
