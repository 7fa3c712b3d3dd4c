/* Exception flags of SSE arithmetic, and that an unmasked exception is SIGFPE. */
// unequal: unicorn 2.1.4 raises no SSE exceptions, neither as flags of MXCSR nor as traps
// build: -lm -frounding-math
#include "show.h"
#include <fenv.h>
#include <math.h>
#include <setjmp.h>

static sigjmp_buf back;

static void caught(int number, siginfo_t *info, void *context)
{
    (void)context;
    printf("signal %d code %s\n", number, info->si_code == FPE_FLTDIV ? "FPE_FLTDIV" :
           info->si_code == FPE_FLTINV ? "FPE_FLTINV" : info->si_code == FPE_FLTOVF ? "FPE_FLTOVF" : "another");
    siglongjmp(back, 1);
}

static void flags(const char *what)
{
    int raised = fetestexcept(FE_ALL_EXCEPT);
    printf("%s:%s%s%s%s%s\n", what, raised & FE_INVALID ? " invalid" : "", raised & FE_DIVBYZERO ? " divide" : "",
           raised & FE_OVERFLOW ? " overflow" : "", raised & FE_UNDERFLOW ? " underflow" : "",
           raised & FE_INEXACT ? " inexact" : "");
    feclearexcept(FE_ALL_EXCEPT);
}

int main(void)
{
    volatile double one = 1, three = 3, zero = 0, huge = 1e308, tiny = 1e-308, two = 2;
    volatile double result;
    feclearexcept(FE_ALL_EXCEPT);
    result = two + two;
    flags("exact");
    result = one / three;
    flags("1/3");
    result = one / zero;
    flags("1/0");
    result = zero / zero;
    flags("0/0");
    result = huge * huge;
    flags("overflow");
    result = tiny * tiny;
    flags("underflow");
    result = sqrt(-one);
    flags("root of -1");
    volatile int integer = (int)(volatile double){1e30};
    flags("to int, too large");
    (void)result, (void)integer;
    feraiseexcept(FE_DIVBYZERO | FE_INEXACT);
    flags("feraiseexcept");
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
    sigaction(SIGFPE, &action, NULL);
    uint32_t mxcsr;
    if (sigsetjmp(back, 1) == 0) {
        __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
        mxcsr &= ~0x200u; /* unmask division by zero */
        __asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
        result = one / zero;
        puts("no trap");
    }
    mxcsr = 0x1f80;
    __asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
    result = one / zero;
    printf("masked again %g\n", result);
}
