/* times and getrusage: they grow with work and stay sane; errors. */
#include "show.h"
#include <sys/resource.h>
#include <sys/times.h>

int main(void)
{
    struct tms before, after;
    struct rusage usage, later;
    clock_t start = times(&before);
    check("times", start != (clock_t)-1);
    must("getrusage", getrusage(RUSAGE_SELF, &usage));
    volatile unsigned long work = 0;
    while (work < 30000000)
        work++;
    clock_t end = times(&after);
    check("goes forwards", end >= start && after.tms_utime >= before.tms_utime);
    check("no children", after.tms_cutime == 0 && after.tms_cstime == 0);
    must("getrusage", getrusage(RUSAGE_SELF, &later));
    check("user time grew", later.ru_utime.tv_sec > usage.ru_utime.tv_sec ||
          later.ru_utime.tv_usec > usage.ru_utime.tv_usec);
    check("microseconds", later.ru_utime.tv_usec < 1000000 && later.ru_stime.tv_usec < 1000000);
    check("resident set", later.ru_maxrss > 0);
    long faults = later.ru_minflt;
    char *map = pages(100);
    madvise(map, 100 * PAGE, MADV_NOHUGEPAGE);
    for (int i = 0; i < 100; i++)
        map[i * PAGE] = 1;
    must("getrusage", getrusage(RUSAGE_SELF, &later));
    check("a page fault per page", later.ru_minflt - faults >= 100 && later.ru_minflt - faults < 120);
    show("children", getrusage(RUSAGE_CHILDREN, &usage));
    check("none", usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec == 0 && usage.ru_maxrss == 0);
    show("thread", getrusage(RUSAGE_THREAD, &usage));
    show("unknown", getrusage(77, &usage));
    show("bad pointer", syscall(SYS_getrusage, RUSAGE_SELF, 8));
    show("times, bad pointer", syscall(SYS_times, 8));
    check("times, null", syscall(SYS_times, NULL) >= end);
}
