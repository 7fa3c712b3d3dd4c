/* arch_prctl(2): the FS and GS bases read back, reach memory by prefix, refuse kernel addresses. */
#include "show.h"

enum { SET_GS = 0x1001, SET_FS = 0x1002, GET_FS = 0x1003, GET_GS = 0x1004 };

static uint64_t gs_word(uint64_t offset)
{
    uint64_t value;
    __asm__ volatile("movq %%gs:(%1), %0" : "=r"(value) : "r"(offset));
    return value;
}

int main(void)
{
    uint64_t base = 1, again = 0;
    uint64_t words[4] = {11, 22, 33, 44};
    show("get FS", syscall(SYS_arch_prctl, GET_FS, &base));
    uint64_t self;
    __asm__ volatile("movq %%fs:0, %0" : "=r"(self));
    check("the thread's block points to itself", self == base);
    show("get GS", syscall(SYS_arch_prctl, GET_GS, &base));
    show("is", base);
    show("set GS", syscall(SYS_arch_prctl, SET_GS, words));
    show("get GS", syscall(SYS_arch_prctl, GET_GS, &again));
    check("as set", again == (uintptr_t)words);
    printf("%%gs:0 %llu %%gs:16 %llu\n", (unsigned long long)gs_word(0), (unsigned long long)gs_word(16));
    show("set GS to the kernel", syscall(SYS_arch_prctl, SET_GS, 0xffff800000000000));
    show("set FS to the kernel", syscall(SYS_arch_prctl, SET_FS, 0xffff800000000000));
    show("set FS to a non-canonical address", syscall(SYS_arch_prctl, SET_FS, 0x800000000000));
    show("get FS, bad pointer", syscall(SYS_arch_prctl, GET_FS, 8));
    show("unknown code", syscall(SYS_arch_prctl, 0x1234, words));
    check("GS as it was", gs_word(24) == 44);
    syscall(SYS_arch_prctl, GET_FS, &base);
    show("set FS to the same", syscall(SYS_arch_prctl, SET_FS, base));
    errno = 0;
    printf("thread-local errno %d\n", errno);
}
