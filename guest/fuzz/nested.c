/* Planted: a crash behind checks of which each depends on the ones before, a checksum last.
 * expect: crash signal-sigsegv bug */
// build: -static -nostdlib -ffreestanding -fno-stack-protector -fno-builtin -O1
// libc: glibc

#include "start.h"

int target(void)
{
    long size = take_input();
    unsigned sum = 0;
    if (size < 10 || input[0] != 0x7f) return 1;
    long count = input[1];
    if (count < 4 || count + 4 > size) return 2;
    if (input[2] != count - 1 || input[3] <= input[2]) return 3;
    for (long i = 0; i < count; i++) sum += input[i];
    if (number(input + count, 4) != (sum ^ 0x5a5a5a5a)) return 4;
    bug();
    return 0;
}
