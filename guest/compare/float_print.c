/* Double arithmetic to the last bit (%a), special values, conversions, text to number and back. */
#include "show.h"
#include <float.h>
#include <inttypes.h>

int main(void)
{
    volatile double one = 1, three = 3, ten = 10, tiny = DBL_MIN, huge = DBL_MAX, zero = 0;
    printf("%a %a %a\n", one / three, one / ten, ten / three);
    printf("%.17g %.17g %.0f\n", 0.1 * three, one / 49 * 49, huge);
    printf("denormal %a %a %g\n", tiny / 2, tiny / three, 4.9e-324 * one);
    printf("overflow %f %f underflow %a\n", huge * 2, -huge * 2, tiny * tiny);
    printf("nan %d inf %f -0 %f %a\n", zero / zero != zero / zero, one / zero, -zero, -zero);
    printf("inf - inf is nan %d\n", (one / zero - one / zero) != (one / zero - one / zero));
    double sum = 0;
    for (int i = 1; i <= 1000; i++)
        sum += one / i;
    printf("harmonic %a\n", sum);
    float single = 0;
    for (int i = 1; i <= 1000; i++)
        single += 1.0f / (float)(i * one);
    printf("in floats %a\n", single);
    printf("float %a %a\n", (float)(one / three), (double)(float)0.1);

    volatile double values[] = {0.5, 1.5, 2.5, -0.5, -1.5, 1e10, -1e18, 123456.789, 4503599627370497.5};
    for (size_t i = 0; i < COUNT(values); i++)
        printf("%d %lld %u\n", (int)(values[i] < 1e9 && values[i] > -1e9 ? values[i] : 0),
               (long long)values[i], (unsigned)(values[i] < 4e9 && values[i] > 0 ? values[i] : 0));
    volatile uint64_t integer = 18446744073709551615u;
    volatile int64_t negative = -9007199254740993;
    printf("%a %a %a\n", (double)integer, (double)negative, (float)(uint32_t)integer);
    printf("%" PRIu64 "\n", (uint64_t)(volatile double){1.8446744073709550e19});
    printf("%e %E %g %G %10.3f|%-12.2e|%+.1f %05.1f\n", 1e100 / three, 1e-5, 1e-5, 1e20, three, 12345.678,
           2.25, -2.5);
    printf("%.30f\n%.20e\n%.3a %.0a\n", 0.1, 0.1, one / three, 1.5);
    const char *texts[] = {"0x1.8p3", "1e-400", "1e400", "2.2250738585072e-308", "0.1", "nan", "-inf",
                           "9007199254740993", "179769313486231580793e289", "1.7976931348623159e308",
                           "4.9406564584124654e-324"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        errno = 0;
        double value = strtod(texts[i], NULL);
        printf("%s = %a%s\n", texts[i], value, errno == ERANGE ? " ERANGE" : "");
    }
}
