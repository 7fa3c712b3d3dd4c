/* The program that `emukernel demo` runs: a tiny "parser" with a bug.
 *
 * It reads a document from standard input and prints how long it is. A document that starts with
 * '!' takes it over, as a real exploit would: the program then prints /etc/passwd. One that starts
 * with '#' first opens the file and reads it by the descriptor 0x100000003, whose low half is 3.
 *
 * No libc, so that the binary is small enough to come with the package.
 * build: -nostdlib -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -O1 -Wl,-z,noseparate-code -Wl,--build-id=none
 */

static long call3(long nr, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(nr), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

enum { SYS_read = 0, SYS_write = 1, SYS_open = 2, SYS_exit_group = 231 };

static void say(const char *text)
{
    long size = 0;
    while (text[size])
        size++;
    call3(SYS_write, 1, (long)text, size);
}

static void say_number(long number)
{
    char digits[20];
    int at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    call3(SYS_write, 1, (long)(digits + at), (long)sizeof digits - at);
}

static char buffer[256];

__attribute__((noinline)) void leak_passwords(long high_half)
{
    long fd = call3(SYS_open, (long)"/etc/passwd", 0, 0);
    long size = call3(SYS_read, fd | high_half, (long)buffer, sizeof buffer);
    if (size > 0)
        call3(SYS_write, 1, (long)buffer, size);
}

__attribute__((noinline)) void parse_document(long size)
{
    if (buffer[0] == '!')
        leak_passwords(0);
    else if (buffer[0] == '#')
        leak_passwords(1L << 32);
    say("document: ");
    say_number(size);
    say(" bytes\n");
}

__attribute__((noreturn)) void _start(void)
{
    long size = call3(SYS_read, 0, (long)buffer, sizeof buffer);
    parse_document(size);
    for (;;)
        call3(SYS_exit_group, 0, 0, 0);
}
