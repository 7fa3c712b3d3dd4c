/* Integer arithmetic at its edges: 128 bits, overflow, shifts, rotates, bit counts, byte swaps, flags. */
#include "show.h"

static void wide(const char *what, unsigned __int128 value)
{
    printf("%s %016llx%016llx\n", what, (unsigned long long)(value >> 64), (unsigned long long)value);
}

int main(void)
{
    volatile uint64_t a = 0xfedcba9876543210, b = 0x0f1e2d3c4b5a6978, zero = 0;
    volatile int64_t n = -7, d = 2;
    volatile uint8_t byte = 0x80;
    wide("product", (unsigned __int128)a * b);
    wide("signed product", (__int128)n * (int64_t)a);
    wide("quotient", (((unsigned __int128)a << 64) | b) / 0x123456789abcdefULL);
    wide("remainder", (((unsigned __int128)a << 64) | b) % 0x123456789abcdefULL);
    printf("%lld %lld %lld %lld\n", (long long)(n / d), (long long)(n % d), (long long)(n >> 1),
           (long long)((uint64_t)n >> 60));
    int64_t sum, product;
    uint32_t difference;
    int overflow = __builtin_add_overflow((int64_t)INT64_MAX, (int64_t)d, &sum);
    printf("%d %llx ", overflow, (unsigned long long)sum);
    overflow = __builtin_mul_overflow((int64_t)n, (int64_t)d, &product);
    printf("%d %lld ", overflow, (long long)product);
    overflow = __builtin_sub_overflow((uint32_t)zero, 1u, &difference);
    printf("%d %x\n", overflow, difference);
    for (int shift = 0; shift < 64; shift += 13)
        printf("%llx %llx %llx\n", (unsigned long long)(a << shift), (unsigned long long)((int64_t)a >> shift),
               (unsigned long long)((a << shift) | (a >> ((64 - shift) & 63))));
    printf("%d %d %d %d\n", __builtin_popcountll(a), __builtin_clzll(b), __builtin_ctzll(a), __builtin_parityll(b));
    printf("%llx %x %x\n", (unsigned long long)__builtin_bswap64(a), __builtin_bswap32((uint32_t)a),
           __builtin_bswap16((uint16_t)a));
    printf("%d %u %d\n", (int8_t)byte, (uint8_t)(byte << 1), (int)(int8_t)byte >> 3);
    uint64_t low, high, flags;
    __asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(a), "r"(b) : "cc");
    printf("mul %llx %llx\n", (unsigned long long)high, (unsigned long long)low);
    __asm__("stc; adcq %3, %0; pushfq; popq %1" : "=r"(low), "=r"(flags) : "0"(a), "r"(~a) : "cc");
    printf("adc %llx flags %llx\n", (unsigned long long)low, (unsigned long long)(flags & 0x8d5));
    __asm__("subq %3, %0; pushfq; popq %1" : "=r"(low), "=r"(flags) : "0"(b), "r"(a) : "cc");
    printf("sub %llx flags %llx\n", (unsigned long long)low, (unsigned long long)(flags & 0x8d5));
    __asm__("rcrq $1, %0; pushfq; popq %1" : "=r"(low), "=r"(flags) : "0"(a) : "cc");
    __asm__("shldq $12, %2, %0" : "=r"(low) : "0"(a), "r"(b) : "cc");
    __asm__("shrdq $20, %2, %0" : "=r"(high) : "0"(a), "r"(b) : "cc");
    printf("shld %llx shrd %llx\n", (unsigned long long)low, (unsigned long long)high);
    uint64_t expected = a, memory = a;
    __asm__ volatile("lock cmpxchgq %2, %1; sete %b0" : "+a"(expected), "+m"(memory) : "r"(b) : "cc");
    printf("cmpxchg %llx\n", (unsigned long long)memory);
    uint64_t before = __atomic_fetch_add(&memory, 5, __ATOMIC_SEQ_CST);
    printf("fetch and add %llx now %llx\n", (unsigned long long)before, (unsigned long long)memory);
    uint64_t state = 1, hash = 0;
    for (int i = 0; i < 1000000; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        hash = hash * 31 + (state % (uint32_t)(state >> 40 | 1));
    }
    printf("hash %llx\n", (unsigned long long)hash);
}
