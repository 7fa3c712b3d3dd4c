/* The x87 instructions that compute a root, a remainder or a function do so to their 64 bits. */
// unequal: unicorn 2.1.4 computes fprem and the transcendental instructions in double precision
// build: -lm
#include "show.h"
#include <math.h>

static void exactly(const char *what, long double value)
{
    printf("%s %La\n", what, value);
}

/* To 17 digits, which are more than a double has; the last bit of these is each CPU's own. */
static void nearly(const char *what, long double value)
{
    printf("%s %.17Lg\n", what, value);
}

#define UNARY(print, name, x)                                               \
    do {                                                                    \
        long double result = (x);                                           \
        __asm__ volatile(name : "+t"(result));                              \
        print(name, result);                                                \
    } while (0)

/* st(0) = X, st(1) = Y, and both are there afterwards. */
#define BINARY(print, name, x, y)                                           \
    do {                                                                    \
        long double result = (x), other = (y);                              \
        __asm__ volatile(name : "+t"(result) : "u"(other));                 \
        print(name, result);                                                \
    } while (0)

/* The same for instructions that pop st(0). */
#define BINARY_POP(print, name, x, y)                                       \
    do {                                                                    \
        long double result;                                                 \
        __asm__ volatile(name : "=t"(result) : "0"(x), "u"(y) : "st(1)");   \
        print(name, result);                                                \
    } while (0)

int main(void)
{
    volatile long double third = 1.0L / 3, ten = 10, wide = 0x1.ffffffffffffedaap+62L;
    UNARY(exactly, "fsqrt", ten);
    UNARY(exactly, "frndint", ten / 4);
    UNARY(exactly, "fabs", -third);
    UNARY(exactly, "fchs", third);
    BINARY(exactly, "fscale", third, ten);
    BINARY(exactly, "fprem", ten, 3.0L);
    BINARY(exactly, "fprem", wide, 4096.0L);
    BINARY(exactly, "fprem1", wide, 4096.0L);
    UNARY(nearly, "f2xm1", third);
    UNARY(nearly, "fsin", third);
    UNARY(nearly, "fcos", third);
    BINARY_POP(nearly, "fyl2x", ten, third);
    BINARY_POP(nearly, "fyl2xp1", third / 8, third);
    BINARY_POP(nearly, "fpatan", ten, third);
    nearly("a library's exp", expl(third));
    /* musl rounds the last digits of what it reads by fmodl, which is fprem. */
    printf("smallest normal but one: %a\n", strtod("2.2250738585072011e-308", NULL));
}
