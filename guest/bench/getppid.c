// build: -static -nostdlib -fno-stack-protector
/*
 * getppid.c - the cheapest system call in a loop: what a call costs by itself.
 *
 *   getppid [COUNT]
 *
 * It has no C library, so that it makes the calls getppid and exit_group and no others: a policy for it can
 * be as short as four lines.
 */
#include <sys/syscall.h>

static long call(long nr, long arg)
{
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(arg) : "rcx", "r11", "memory");
    return result;
}

__attribute__((used, noreturn)) static void start(const long *stack)
{
    const char *const *argv = (const char *const *)(stack + 1);
    long count = 0;

    if (stack[0] > 1)
        for (const char *digit = argv[1]; *digit >= '0' && *digit <= '9'; digit++)
            count = count * 10 + (*digit - '0');
    while (count-- > 0)
        call(__NR_getppid, 0);
    for (;;)
        call(__NR_exit_group, 0);
}

__asm__(".globl _start\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call start\n");
