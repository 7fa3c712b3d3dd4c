/* Planted: a length field is trusted, and a pointer behind the buffer overwritten.
 * expect: crash signal-sigsegv copy_name */
// build: -static -nostdlib -ffreestanding -fno-stack-protector -fno-builtin -O1
// libc: glibc

#include "start.h"

static struct { unsigned char name[24]; volatile unsigned char *end; } record;

__attribute__((noinline)) static void copy_name(const unsigned char *from, long length)
{
    for (long i = 0; i < length; i++) record.name[i] = from[i];
    *record.end = 0;
}

int target(void)
{
    long size = take_input();
    record.end = record.name;
    if (size < 4 || input[0] != (unsigned char)(78) || input[1] != (unsigned char)(77)) return 1;
    long length = input[2];
    if (length + 3 > size) return 2;
    copy_name(input + 3, length);
    return 0;
}
