/* Planted: the policy allows every ioctl, and the program asks for the size of its terminal alone.
 * expect: loose loose-entry sys_ioctl */
// build: -static -nostdlib -ffreestanding -fno-stack-protector -fno-builtin -O1
// libc: glibc

#include "start.h"

static unsigned short size_of_window[4];

int target(void)
{
    long size = take_input();
    long columns = 80;
    if (size > 0 && input[0] == 87 && !CALL3(SYS_ioctl, 1, 0x5413, size_of_window))
        columns = size_of_window[1];
    say("done\n");
    return columns > 100;
}
