/* Out of handlers by siglongjmp, a thousand times; the mask is restored or not, as sigsetjmp was told. */
#include "show.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile int caught;

static void handler(int number)
{
    caught++;
    siglongjmp(back, number);
}

static int blocked(int number)
{
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    return sigismember(&now, number);
}

int main(void)
{
    volatile int rounds;
    volatile double kept = 1.5;
    signal(SIGUSR1, handler);
    struct sigaction fault = {.sa_handler = handler};
    sigaction(SIGSEGV, &fault, NULL);
    for (rounds = 0; rounds < 1000; rounds++)
        if (sigsetjmp(back, 1) == 0)
            raise(SIGUSR1);
    printf("by raise: rounds %d caught %d\n", rounds, caught);
    caught = 0;
    for (rounds = 0; rounds < 1000; rounds++) {
        kept += 1;
        if (sigsetjmp(back, 1) == 0)
            *(volatile int *)8 = 1;
    }
    printf("by fault: rounds %d caught %d kept %g\n", rounds, caught, kept);
    printf("value %d\n", sigsetjmp(back, 1) ?: (raise(SIGUSR1), 0));
    show("SIGUSR1 blocked", blocked(SIGUSR1));
    if (sigsetjmp(back, 0) == 0)
        raise(SIGUSR1);
    show("mask not saved: blocked", blocked(SIGUSR1));
    sigset_t set;
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    jmp_buf plain;
    volatile int times = 0;
    int value = setjmp(plain);
    times++;
    if (value < 5)
        longjmp(plain, value + 1);
    printf("setjmp: times %d value %d\n", times, value);
    if ((value = setjmp(plain)) == 0)
        longjmp(plain, 0);
    printf("longjmp with 0 gives %d\n", value);
}
