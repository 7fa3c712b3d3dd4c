/* Division by zero and overflow of a quotient: SIGFPE with its codes, then fatal (status 136). */
#include "show.h"
#include <setjmp.h>

static sigjmp_buf back;

static void caught(int number, siginfo_t *info, void *context)
{
    (void)context;
    printf("signal %d code %s\n", number, info->si_code == FPE_INTDIV ? "FPE_INTDIV" : "another");
    siglongjmp(back, 1);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
    sigaction(SIGFPE, &action, NULL);
    volatile int zero = 0, one = 1, least = INT32_MIN, minus = -1;
    volatile long long zero64 = 0, one64 = 1, least64 = INT64_MIN;
    if (sigsetjmp(back, 1) == 0)
        printf("%d\n", one / zero);
    if (sigsetjmp(back, 1) == 0)
        printf("%d\n", one % zero);
    if (sigsetjmp(back, 1) == 0)
        printf("%d\n", least / minus);
    if (sigsetjmp(back, 1) == 0)
        printf("%lld\n", one64 / zero64);
    if (sigsetjmp(back, 1) == 0)
        printf("%lld\n", least64 / minus);
    volatile double nothing = 0;
    printf("floating point goes on: %f\n", 1 / nothing);
    signal(SIGFPE, SIG_DFL);
    puts("without a handler");
    printf("%d\n", one / zero);
}
