/* Planted: a debugging command that was left in runs a program. The policy refuses that.
 * expect: denied denied-no-entry run_helper */
// build: -static -nostdlib -ffreestanding -fno-stack-protector -fno-builtin -O1
// libc: glibc

#include "start.h"

__attribute__((noinline)) static void run_helper(void)
{
    static char *argv[] = { "/bin/sh", 0 };
    CALL3(SYS_execve, argv[0], argv, argv + 1);
}

int target(void)
{
    long size = take_input();
    if (size >= 5 && number(input, 4) == 0x21786573 && input[4] == 10) run_helper();
    say("done\n");
    return 0;
}
