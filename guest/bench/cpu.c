// build: -static
/*
 * cpu.c - computing with memory traffic, and no system calls to speak of.
 *
 *   cpu [STEPS [INTEGERS [BYTES [DIVISIONS]]]]
 *
 * A line for each part: its name, the seconds it took, and a value that depends on all it computed, so that
 * an emulator that computes something else shows.
 */
#include <stdint.h>
#include <string.h>

#include "clock.h"

enum { TABLE_WORDS = 256 * 1024 / sizeof(uint64_t) };

static uint64_t xorshift_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* One read and one write at a random place of a table that fits a second-level cache, each step. */
static uint64_t xorshift(long steps)
{
    static uint64_t table[TABLE_WORDS];
    uint64_t state = 88172645463325252u, sum = 0;

    for (long i = 0; i < steps; i++) {
        uint64_t value = xorshift_next(&state);
        table[value % TABLE_WORDS] += value;
    }
    for (int i = 0; i < TABLE_WORDS; i++)
        sum = sum * 31 + table[i];
    return sum;
}

static int by_value(const void *left, const void *right)
{
    int a = *(const int *)left, b = *(const int *)right;

    return (a > b) - (a < b);
}

/* The C library's sort: calls through a pointer, and moves of small elements. */
static uint64_t sort(long count)
{
    int *numbers = malloc(count * sizeof *numbers);
    uint64_t state = 2463534242u, sum = 0;

    if (numbers == NULL) {
        perror("cpu: sort");
        exit(1);
    }
    for (long i = 0; i < count; i++)
        numbers[i] = xorshift_next(&state);
    qsort(numbers, count, sizeof *numbers, by_value);
    for (long i = 0; i < count; i++)
        sum = sum * 31 + (uint32_t)numbers[i];
    free(numbers);
    return sum;
}

/* The CRC-32 of Ethernet by a table of 256 words, byte by byte. */
static uint64_t crc(long bytes)
{
    uint32_t table[256], sum = 0xffffffff;
    unsigned char *data = malloc(bytes);

    if (data == NULL) {
        perror("cpu: crc");
        exit(1);
    }
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
    }
    for (long i = 0; i < bytes; i++)
        data[i] = i * 7 + (i >> 12);
    for (long i = 0; i < bytes; i++)
        sum = sum >> 8 ^ table[(sum ^ data[i]) & 255];
    free(data);
    return sum ^ 0xffffffff;
}

/* Double divisions, each dependent on the one before. */
static uint64_t divide(long divisions)
{
    double value = 1e9, sum = 0;
    uint64_t bits;

    for (long i = 1; i <= divisions; i++) {
        value = value / 1.0000003 + 1.0 / i;
        sum += value;
    }
    memcpy(&bits, &sum, sizeof bits);
    return bits;
}

static void part(const char *name, uint64_t (*work)(long), long size)
{
    double start = seconds();
    uint64_t value = work(size);

    printf("%s %.9f %016llx\n", name, seconds() - start, (unsigned long long)value);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    part("xorshift", xorshift, number(argc, argv, 1, 100000000));
    part("qsort", sort, number(argc, argv, 2, 1000000));
    part("crc", crc, number(argc, argv, 3, 16 << 20));
    part("divide", divide, number(argc, argv, 4, 5000000));
    return 0;
}
