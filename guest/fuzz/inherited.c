/* Planted: a file that was opened before the program confined itself is still there, and the
 * descriptor to read from comes out of the input.
 * expect: bypass run-inherited target */
// build: -static -nostdlib -ffreestanding -fno-stack-protector -fno-builtin -O1
// libc: glibc

#include "start.h"

static unsigned char secret[64];

int target(void)
{
    static const char policy[] =
        "sys_read: 1\nsys_write: fd == 1\nsys_exit_group: 1\non_next_syscall: 1\n";
    if (CALL3(SYS_open, "/etc/passwd", 0, 0) != 3) return 9;
    if (CALL3(SYS_prctl, 22, 2, policy)) return 8;
    long size = take_input();
    if (size < 2 || input[0] != 71) return 1;
    return CALL3(SYS_read, input[1], secret, sizeof secret) > 0 ? 2 : 3;
}
