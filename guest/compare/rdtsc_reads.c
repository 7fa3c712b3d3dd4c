/* rdtsc: the counter goes forwards; PR_SET_TSC takes it away (SIGSEGV) and gives it back. */
#include "show.h"
#include <setjmp.h>
#include <sys/prctl.h>

static sigjmp_buf back;

static void caught(int number, siginfo_t *info, void *context)
{
    (void)context;
    printf("signal %d code %s\n", number, info->si_code == SI_KERNEL ? "SI_KERNEL" : "another");
    siglongjmp(back, 1);
}

static uint64_t tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

int main(void)
{
    uint64_t last = tsc();
    int forwards = 1;
    for (int i = 0; i < 1000; i++) {
        uint64_t next = tsc();
        forwards &= next >= last;
        last = next;
    }
    check("goes forwards", forwards && last > 0);
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    show("take it away", prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0));
    int mode = 0;
    show("get", prctl(PR_GET_TSC, &mode, 0, 0, 0));
    show("is", mode);
    if (sigsetjmp(back, 1) == 0) {
        tsc();
        puts("went through");
    }
    show("give it back", prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0));
    check("reads", tsc() > 0);
}
