/* ud2 is SIGILL with the address of the instruction; a handler may step over it; then fatal (132). */
#include "show.h"
#include <ucontext.h>

static volatile int calls;

static void caught(int number, siginfo_t *info, void *context)
{
    ucontext_t *state = context;
    greg_t *rip = &state->uc_mcontext.gregs[REG_RIP];
    printf("signal %d code %s at rip %d\n", number, info->si_code == ILL_ILLOPN ? "ILL_ILLOPN" : "another",
           (greg_t)info->si_addr == *rip);
    *rip += 2;
    calls++;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
    sigaction(SIGILL, &action, NULL);
    long kept = 42;
    __asm__ volatile("ud2" : "+r"(kept));
    __asm__ volatile("ud2" : "+r"(kept));
    printf("stepped over %d, register kept %ld\n", calls, kept);
    signal(SIGILL, SIG_DFL);
    puts("without a handler");
    __builtin_trap();
}
