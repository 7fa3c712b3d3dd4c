/* The stack grows by use to megabytes, by deep recursion and by one large frame. */
#include "show.h"
#include <alloca.h>

__attribute__((noinline)) static unsigned depth(unsigned n, unsigned char *above)
{
    unsigned char here[512];
    memset(here, n, sizeof here);
    if (n == 0)
        return above[0];
    return depth(n - 1, here) + here[n % 512] + above[0];
}

__attribute__((noinline)) static unsigned large(size_t size)
{
    volatile unsigned char *frame = alloca(size);
    unsigned sum = 0;
    for (size_t i = 0; i < size; i += PAGE)
        frame[i] = i / PAGE;
    for (size_t i = 0; i < size; i += PAGE)
        sum += frame[i];
    return sum;
}

__attribute__((noinline)) static int touches_bottom_first(size_t size)
{
    volatile char *frame = alloca(size);
    frame[0] = 'b';
    frame[size - 1] = 't';
    return frame[0] + frame[size - 1] + frame[size / 2] * 0;
}

int main(void)
{
    unsigned char top[1] = {1};
    printf("depth 100: %u\n", depth(100, top));
    printf("depth 8000: %u\n", depth(8000, top));
    printf("a frame of 3 MiB: %u\n", large(3 << 20));
    printf("a frame of 6 MiB, lowest byte first: %d\n", touches_bottom_first(6 << 20));
    printf("depth 8000 again: %u\n", depth(8000, top));
}
