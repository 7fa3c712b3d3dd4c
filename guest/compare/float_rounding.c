/* fenv: the four rounding modes, for SSE, x87 and conversions; and that an environment can be kept. */
// build: -lm -frounding-math
#include "show.h"
#include <fenv.h>
#include <math.h>

int main(void)
{
    volatile double one = 1, three = 3, two = 2;
    volatile long double long_one = 1, long_three = 3;
    volatile float fone = 1, fthree = 3;
    int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
    for (size_t i = 0; i < COUNT(modes); i++) {
        show("fesetround", fesetround(modes[i]));
        check("fegetround", fegetround() == modes[i]);
        printf("%a %a %La %a %a\n", one / three, -one / three, long_one / long_three, fone / fthree, sqrt(two));
        volatile double half = 2.5, minus = -2.5;
        printf("%g %g %ld %ld %g\n", rint(half), nearbyint(minus), lrint(half), lrint(minus), rint(0.5 * one));
        printf("%g %g %g %g\n", floor(minus), ceil(minus), trunc(minus), round(minus));
        printf("%a %d\n", (float)(one / three), (int)half);
    }
    fesetround(FE_DOWNWARD);
    fenv_t saved;
    fegetenv(&saved);
    fesetround(FE_UPWARD);
    fesetenv(&saved);
    check("fesetenv restores", fegetround() == FE_DOWNWARD);
    printf("%a\n", one / three);
    fesetenv(FE_DFL_ENV);
    check("FE_DFL_ENV", fegetround() == FE_TONEAREST);
    printf("%a\n", one / three);
}
