/* long double: 80 bits throughout, by x87: arithmetic, conversions, printing, precision control. */
// build: -lm
#include "show.h"
#include <float.h>
#include <math.h>

int main(void)
{
    volatile long double one = 1, three = 3, ten = 10, huge = LDBL_MAX, tiny = LDBL_MIN;
    printf("%La %La %La\n", one / three, one / ten, ten / three);
    printf("%.21Lg %.21Lg\n", one / three, one / 7);
    printf("%Lg %Lg %La %La\n", huge, tiny, huge * 2, tiny / 4);
    printf("%La %La\n", sqrtl(2 * one), sqrtl(ten));
    printf("%La %La %La %La\n", floorl(-one / three), ceill(ten / three), truncl(-ten / three), rintl(ten / 4));
    printf("%La %La\n", fmodl(ten, three), ldexpl(one, 16000));
    printf("%.14Lg %.14Lg %.14Lg\n", sinl(one), expl(one), logl(ten));
    printf("epsilon %d\n", one + LDBL_EPSILON != one && one + LDBL_EPSILON / 2 == one);
    volatile uint64_t large = UINT64_MAX;
    volatile int64_t least = INT64_MIN;
    printf("%Lf %Lf %La\n", (long double)large, (long double)least, (long double)large / three);
    printf("%llu %lld %d\n", (unsigned long long)(long double)large, (long long)(long double)least,
           (int)(ten / three));
    printf("%a %a\n", (double)(one / three), (float)(one / three));
    printf("%La %La\n", strtold("0.1", NULL), strtold("0x1.fffffffffffffffep-1", NULL));
    printf("%La %La\n", strtold("1e4932", NULL), strtold("1e-4950", NULL));
    long double sum = 0;
    for (int i = 1; i <= 1000; i++)
        sum += one / i;
    printf("harmonic %La\n", sum);
    uint16_t control, changed;
    __asm__ volatile("fnstcw %0" : "=m"(control));
    printf("control word %x\n", control);
    changed = (control & ~0x300) | 0x200; /* double precision */
    __asm__ volatile("fldcw %0" ::"m"(changed));
    printf("rounded to double %La\n", one / three);
    changed = control & ~0x300; /* single */
    __asm__ volatile("fldcw %0" ::"m"(changed));
    printf("rounded to single %La\n", one / three);
    __asm__ volatile("fldcw %0" ::"m"(control));
    printf("again %La\n", one / three);
    uint32_t mxcsr;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    printf("mxcsr mode %x\n", mxcsr & ~0x3fu);
    unsigned char bytes[16] = {0};
    long double third = one / three;
    memcpy(bytes, &third, 10);
    show_bytes("in memory", bytes, 10);
}
