/* int3 is SIGTRAP with the address after it; without a handler fatal (status 133). */
#include "show.h"
#include <ucontext.h>

extern const char after_int3[];

static void caught(int number, siginfo_t *info, void *context)
{
    ucontext_t *state = context;
    printf("signal %d code %s rip is after it %d\n", number, info->si_code == SI_KERNEL ? "SI_KERNEL" : "another",
           state->uc_mcontext.gregs[REG_RIP] == (greg_t)after_int3);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
    __asm__ volatile("int3\n.globl after_int3\nafter_int3:" ::: "memory");
    puts("went on");
    signal(SIGTRAP, SIG_DFL);
    __asm__ volatile("int3");
    puts("not reached");
}
