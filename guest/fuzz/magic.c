/* Planted: a crash behind magic numbers of two, four and eight bytes.
 * expect: crash signal-sigsegv bug */
// build: -static -nostdlib -ffreestanding -fno-stack-protector -fno-builtin -O1
// libc: glibc

#include "start.h"

int target(void)
{
    long size = take_input();
    if (size < 16) return 1;
    if (number(input, 2) != 0x4b50) return 2;
    if (number(input + 2, 4) != 0x04034b1a) return 3;
    if (number(input + 8, 8) != 0x1badb002c0ffee00) return 4;
    bug();
    return 0;
}
