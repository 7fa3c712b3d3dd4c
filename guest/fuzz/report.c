/* Planted: a path for errors writes to standard error, which the policy forgot.
 * expect: denied denied-predicate complain */
// build: -static -nostdlib -ffreestanding -fno-stack-protector -fno-builtin -O1
// libc: glibc

#include "start.h"

__attribute__((noinline)) static void complain(void)
{
    CALL3(SYS_write, 2, "bad input\n", 10);
}

int target(void)
{
    long size = take_input();
    if (size > 3 && input[0] == 60 && input[1] == 63 && input[size - 1] != 62) complain();
    say("done\n");
    return 0;
}
