/* A small parser, for measuring: a header, then records whose checksum it takes.
 *
 * About 2,000 instructions and 5 system calls a run. No libc.
 */
// build: -static -nostdlib -ffreestanding -fno-stack-protector -O1
// libc: glibc


static long call3(long nr, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(nr), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

enum { SYS_read = 0, SYS_write = 1, SYS_getpid = 39, SYS_exit_group = 231 };

static unsigned char buffer[512];
static unsigned char output[64];

__attribute__((noinline)) static unsigned checksum(const unsigned char *data, long size)
{
    unsigned a = 1, b = 0;
    for (int round = 0; round < 4; round++)
        for (long i = 0; i < size; i++) {
            a = (a + data[i]) % 65521;
            b = (b + a) % 65521;
        }
    return b << 16 | a;
}

__attribute__((noinline)) static int parse(long size)
{
    if (size < 4 || buffer[0] != 'P' || buffer[1] != 'K')
        return 1;
    long at = 4, records = 0;
    while (at + 2 <= size) {
        long length = buffer[at + 1];
        if (at + 2 + length > size)
            return 2;
        records += buffer[at] & 1;
        at += 2 + length;
    }
    return (int)records + 3;
}

__attribute__((noreturn)) void _start(void)
{
    long size = call3(SYS_read, 0, (long)buffer, sizeof buffer);
    int status = parse(size);
    unsigned sum = checksum(buffer, 64);
    for (int i = 0; i < 8; i++)
        output[i] = "0123456789abcdef"[sum >> 4 * (7 - i) & 15];
    output[8] = '\n';
    call3(SYS_getpid, 0, 0, 0);
    call3(SYS_write, 1, (long)output, 9);
    call3(SYS_write, 2, (long)output, 9);
    for (;;)
        call3(SYS_exit_group, status, 0, 0);
}
