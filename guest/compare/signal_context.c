/* A handler sees and changes the registers of what it interrupted; flags and SSE state survive it. */
// build: -lm
#include "show.h"
#include <fenv.h>
#include <ucontext.h>

static volatile int number_seen;

static void handler(int number, siginfo_t *info, void *context)
{
    ucontext_t *state = context;
    greg_t *regs = state->uc_mcontext.gregs;
    (void)info;
    number_seen = number;
    if (number == SIGTRAP) {
        printf("rbx %llx r12 %llx\n", regs[REG_RBX], regs[REG_R12]);
        regs[REG_RBX] = 0x1111;
        regs[REG_R12] = 0x2222;
    }
    /* Disturb all that a handler may disturb. */
    volatile double x = 1.0 / 3.0;
    volatile long double y = x * x;
    (void)y;
    fesetround(FE_UPWARD);
    __asm__ volatile("pxor %%xmm0, %%xmm0; pxor %%xmm7, %%xmm7; pxor %%xmm15, %%xmm15; std; cld" ::
                         : "xmm0", "xmm7", "xmm15");
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    register uint64_t rbx __asm__("rbx") = 0xaaaa;
    register uint64_t r12 __asm__("r12") = 0xbbbb;
    __asm__ volatile("int3" : "+r"(rbx), "+r"(r12)::"memory");
    printf("after: rbx %llx r12 %llx\n", (unsigned long long)rbx, (unsigned long long)r12);

    uint64_t in[2] = {0x0123456789abcdef, 0xfedcba9876543210}, out[2] = {0, 0};
    uint64_t carry = 0;
    __asm__ volatile("movdqu (%1), %%xmm0; movdqu (%1), %%xmm15; stc; int3; sbb %0, %0;"
                     "movq %%xmm0, (%2); movhpd %%xmm15, 8(%2)"
                     : "=&r"(carry) : "r"(in), "r"(out) : "xmm0", "xmm15", "memory", "cc");
    check("xmm0 and xmm15 kept", out[0] == in[0] && out[1] == in[1]);
    check("carry kept", carry == (uint64_t)-1);
    fesetround(FE_DOWNWARD);
    raise(SIGUSR1);
    check("rounding mode kept", fegetround() == FE_DOWNWARD);
    volatile double one = 1, three = 3;
    printf("%a\n", one / three);
    fesetround(FE_TONEAREST);
    volatile long double long_one = 1;
    long double sum = long_one / three;
    raise(SIGUSR1);
    printf("%La\n", sum);
    show("signal", number_seen);
}
