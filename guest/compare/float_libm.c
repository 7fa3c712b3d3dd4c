/* libm over ranges and special values; to ten digits, as libraries pick code by the CPU they find. */
// build: -lm
#include "show.h"
#include <math.h>

int main(void)
{
    volatile double points[] = {-2.5, -1, -0.5, 0, 0.1, 0.5, 1, 2, 3.14159, 10, 100};
    for (size_t i = 0; i < COUNT(points); i++) {
        double x = points[i];
        printf("%g: %.10g %.10g %.10g %.10g %.10g\n", x, sin(x), cos(x), tan(x), atan(x), exp(x));
        printf("  %.10g %.10g %.10g %.10g %.10g\n", sinh(x / 10), cosh(x / 10), tanh(x), cbrt(x), exp2(x));
        if (x > 0)
            printf("  %.10g %.10g %.10g %.10g %.10g\n", log(x), log2(x), log10(x), pow(x, 1.7), tgamma(x));
        printf("  %.10g %.10g %.10g %.10g\n", erf(x), hypot(x, 3), atan2(x, -1), fmod(x, 0.7));
    }
    volatile double infinity = INFINITY, nan = NAN, zero = 0;
    printf("%f %f %f %f\n", exp(-infinity), atan(infinity), pow(zero, zero), fmin(nan, 1));
    printf("%d %d %d\n", isnan(sin(infinity)) != 0, isinf(log(zero)) != 0, signbit(-zero) != 0);
    int exponent;
    double integral, mantissa = frexp(points[10], &exponent), fraction = modf(points[8], &integral);
    printf("%a %d %a %g\n", mantissa, exponent, fraction, integral);
    printf("%a %a %a\n", nextafter(1, 2), nextafter(zero, -1), ldexp(0.75, -1070));
    printf("%a %a\n", fma(0.1, 10, -1), remainder(points[8], 2));
    printf("%a %a %d\n", copysign(3, -zero), logb(points[10]), ilogb(points[4]));
    printf("large argument %.10g %.10g\n", sin(1e22), cos(1e300));
    printf("floats %.6g %.6g %.6g\n", sinf(0.5f), powf(2.5f, 1.5f), expf(-3));
}
