/* Planted: a descriptor out of the input reaches read(2) as 64 bits, and the policy says what may
 * not be (fd != 3).
 * expect: bypass run-truncation target */
// build: -static -nostdlib -ffreestanding -fno-stack-protector -fno-builtin -O1
// libc: glibc

#include "start.h"

static unsigned char secret[64];

int target(void)
{
    if (CALL3(SYS_open, "/etc/passwd", 0, 0) != 3) return 9;
    long size = take_input();
    if (size < 9 || input[0] != 82) return 1;
    long count = CALL3(SYS_read, number(input + 1, 8), secret, sizeof secret);
    return count > 0 ? 2 : 3;
}
