/* What the targets without a C library share: system calls, and an entry that calls target(). */

#ifndef START_H
#define START_H

static long syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#define CALL0(nr) syscall6(nr, 0, 0, 0, 0, 0, 0)
#define CALL1(nr, a) syscall6(nr, (long)(a), 0, 0, 0, 0, 0)
#define CALL2(nr, a, b) syscall6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define CALL3(nr, a, b, c) syscall6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(nr, a, b, c, d) syscall6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

enum {
    SYS_read = 0, SYS_write = 1, SYS_open = 2, SYS_close = 3, SYS_ioctl = 16, SYS_getpid = 39,
    SYS_execve = 59, SYS_kill = 62, SYS_prctl = 157, SYS_exit_group = 231, SYS_openat = 257
};

static unsigned char input[512];

/* Reads the input; its length. */
static long take_input(void)
{
    long size = CALL3(SYS_read, 0, input, sizeof input);
    return size < 0 ? 0 : size;
}

static void say(const char *text)
{
    long size = 0;
    while (text[size]) size++;
    CALL3(SYS_write, 1, text, size);
}

/* A bug: the program ends by SIGSEGV. */
static volatile char *volatile nowhere;
__attribute__((noinline, unused)) static void bug(void) { *nowhere = 1; }

static unsigned long number(const unsigned char *at, int size)
{
    unsigned long value = 0;
    for (int i = size; i--;) value = value << 8 | at[i];
    return value;
}

int target(void);

__attribute__((noreturn, force_align_arg_pointer)) void _start(void)
{
    long status = target();
    for (;;) CALL1(SYS_exit_group, status);
}

#endif
