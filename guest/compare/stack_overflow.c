/* Recursion without end: SIGSEGV, caught once on the alternate stack, then fatal (status 139). */
#include "show.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile int depth;

static void caught(int number, siginfo_t *info, void *context)
{
    (void)context;
    printf("signal %d code %d on the alternate stack\n", number, info->si_code);
    siglongjmp(back, 1);
}

__attribute__((noinline)) static int recurse(volatile char *above)
{
    volatile char here[1000];
    here[0] = above[0];
    depth++;
    return recurse(here) + here[0];
}

int main(void)
{
    static char alternate[65536];
    volatile char top[1] = {0};
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    must("sigaltstack", sigaltstack(&stack, NULL));
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND};
    must("sigaction", sigaction(SIGSEGV, &action, NULL));
    if (sigsetjmp(back, 1) == 0)
        recurse(top);
    check("some thousand frames deep", depth > 5000 && depth < 10000);
    puts("once more, without a handler");
    recurse(top);
    puts("not reached");
}
