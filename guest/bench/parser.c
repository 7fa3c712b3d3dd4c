/* A small parser, for measuring the fuzzer: a header, then records, and a checksum over them.
 *
 * About 2,000 instructions and five system calls from its read on.
 */
// build: -static

#include <stdint.h>
#include <unistd.h>

static unsigned char buffer[512];

__attribute__((noinline)) static uint32_t checksum(const unsigned char *data, long size)
{
    uint32_t a = 1, b = 0;
    for (int round = 0; round < 4; round++)
        for (long i = 0; i < size; i++) {
            a = (a + data[i]) & 0xffff;
            b = (b + a) & 0xffff;
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

int main(void)
{
    char output[9];
    long size = read(0, buffer, sizeof buffer);
    int status = parse(size);
    uint32_t sum = checksum(buffer, 64);
    for (int i = 0; i < 8; i++)
        output[i] = "0123456789abcdef"[sum >> 4 * (7 - i) & 15];
    output[8] = '\n';
    int got = getpid() > 0 && write(1, output, 9) == 9 && write(2, output, 9) == 9;
    _exit(got ? status : 99);
}
