/* Large allocations: hundreds of MiB asked, few touched; more than any machine has is refused. */
#include "show.h"

int main(void)
{
    enum { MIB = 1 << 20 };
    unsigned char *large = malloc(512L * MIB);
    check("512 MiB", large != NULL);
    unsigned sum = 0;
    for (long at = 0; at < 512L * MIB; at += 8L * MIB)
        large[at] = at / MIB;
    for (long at = 0; at < 512L * MIB; at += MIB)
        sum += large[at];
    printf("sum of what was touched %u\n", sum);
    free(large);
    unsigned char *zeros = calloc(64L * MIB, 1);
    check("64 MiB of zeros", zeros != NULL && zeros[0] == 0 && zeros[63L * MIB] == 0);
    zeros = realloc(zeros, 128L * MIB);
    check("128 MiB", zeros != NULL && zeros[63L * MIB] == 0);
    zeros[128L * MIB - 1] = 1;
    free(zeros);
    volatile size_t huge = SIZE_MAX;
    ok("SIZE_MAX", malloc(huge) ? 0 : -1);
    huge = SIZE_MAX / 2;
    ok("SIZE_MAX / 2", malloc(huge) ? 0 : -1);
    huge = 1UL << 47;
    ok("2^47", malloc(huge) ? 0 : -1);
    huge = SIZE_MAX / 16;
    ok("calloc that overflows", calloc(huge, 32) ? 0 : -1);
    int blocks = 0;
    for (int i = 0; i < 40; i++) {
        char *block = malloc(1 * MIB);
        memset(block, i, MIB);
        blocks += block[MIB - 1] == i;
        if (i % 2)
            free(block);
    }
    printf("blocks of 1 MiB %d\n", blocks);
}
