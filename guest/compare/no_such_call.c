/* Numbers that no call has: ENOSYS, all registers but rax, rcx and r11 as they were. */
#include "show.h"

int main(void)
{
    long numbers[] = {500, 511, 512, 547, 600, 1000, 4095, 65536, 0x7fffffff, -1, -2, -4096, 0x100000000 + 600};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        printf("%ld ", numbers[i]);
        show("", syscall(numbers[i], 1, 2, 3, 4, 5, 6));
    }
    uint64_t rdi = 0x1111, rsi = 0x2222, rdx = 0x3333, rax = 600, rcx, flags_before, flags_after, r11;
    register uint64_t r10 __asm__("r10") = 0x4444;
    register uint64_t r8 __asm__("r8") = 0x5555;
    register uint64_t r9 __asm__("r9") = 0x6666;
    __asm__ volatile("pushfq; popq %[before]; syscall; movq %%r11, %[r11]; pushfq; popq %[after]"
                     : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9), "=&c"(rcx),
                       [before] "=&r"(flags_before), [after] "=&r"(flags_after), [r11] "=&r"(r11)
                     :
                     : "r11", "memory", "cc");
    printf("rax %lld rdi %llx rsi %llx rdx %llx r10 %llx r8 %llx r9 %llx\n", (long long)rax,
           (unsigned long long)rdi, (unsigned long long)rsi, (unsigned long long)rdx,
           (unsigned long long)r10, (unsigned long long)r8, (unsigned long long)r9);
    check("rcx is the return address", rcx > (uintptr_t)main - 4096 && rcx < (uintptr_t)main + 4096);
    check("r11 is the flags", (r11 & 0xcd5) == (flags_before & 0xcd5));
    check("flags kept", (flags_after & 0xcd5) == (flags_before & 0xcd5));
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"((0xabcdefL << 32) | SYS_getpid) : "rcx", "r11", "memory");
    check("only the low half of rax is the number", result == getpid());
}
