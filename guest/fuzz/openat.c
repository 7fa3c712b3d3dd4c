/* Planted: the policy takes open(2) away and leaves openat(2).
 * expect: bypass run-equivalent open_file */
// build: -static -nostdlib -ffreestanding -fno-stack-protector -fno-builtin -O1
// libc: glibc

#include "start.h"

__attribute__((noinline)) static long open_file(const char *name)
{
    return CALL4(SYS_openat, -100, name, 0, 0);
}

int target(void)
{
    long size = take_input();
    if (size >= 4 && number(input, 4) == 0x70617773) return open_file("/etc/passwd") > 0;
    return 2;
}
