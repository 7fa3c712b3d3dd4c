/* The handler's frame as Linux lays it out: registers, flags, FP state with its magic numbers, red zone. */
#include "show.h"
#include <ucontext.h>

#define MAGIC1 0x46505853u
#define MAGIC2 0x46505845u

static volatile int mode;
uint64_t entry_rsp, entry_flags, entry_rax;
uint32_t entry_mxcsr;
uint16_t entry_fcw, entry_ftw;
uint64_t entry_xmm[2];

/* Notes the registers at a handler's first instruction, then goes on to `looked_at`. */
__asm__(".globl entered\n"
        "entered:\n"
        "mov %rsp, entry_rsp(%rip)\n"
        "mov %rax, entry_rax(%rip)\n"
        "pushfq\n"
        "pop entry_flags(%rip)\n"
        "stmxcsr entry_mxcsr(%rip)\n"
        "fnstcw entry_fcw(%rip)\n"
        "movdqu %xmm6, entry_xmm(%rip)\n"
        "sub $40, %rsp\n"
        "fnstenv (%rsp)\n"
        "mov 8(%rsp), %ax\n"
        "mov %ax, entry_ftw(%rip)\n"
        "add $40, %rsp\n"
        "jmp looked_at\n");
void entered(int, siginfo_t *, void *);

void looked_at(int number, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    greg_t *regs = uc->uc_mcontext.gregs;
    unsigned char *fp = (unsigned char *)uc->uc_mcontext.fpregs;
    uint32_t sw[5];
    memcpy(sw, fp + 464, sizeof sw);
    printf("signal %d code %d\n", number, info->si_code);
    printf("rsp %% 16: %d, rax %d\n", (int)(entry_rsp % 16), (int)entry_rax);
    printf("ucontext at rsp + %ld, siginfo at rsp + %ld\n", (long)((uint64_t)uc - entry_rsp),
           (long)((uint64_t)info - entry_rsp));
    printf("FP state %% 64: %d\n", (int)((uintptr_t)fp % 64));
    printf("uc_flags %lx uc_link %p\n", (unsigned long)uc->uc_flags, (void *)uc->uc_link);
    check("below the red zone", (uint64_t)fp + sw[1] <= (uint64_t)regs[REG_RSP] - 128);
    check("FP_XSTATE_MAGIC1", sw[0] == MAGIC1);
    check("extended size = state size + 4", sw[1] == sw[4] + 4);
    uint32_t magic2;
    memcpy(&magic2, fp + sw[4], 4);
    check("FP_XSTATE_MAGIC2", magic2 == MAGIC2);
    check("xfeatures have x87 and SSE", (sw[2] & 3) == 3 && (fp[512] & 3) == 3);
    printf("cs gs fs ss %016llx\n", regs[REG_CSGSFS]);
    printf("trapno %lld err %llx cr2 %llx oldmask %llx\n", regs[REG_TRAPNO], regs[REG_ERR], regs[REG_CR2],
           regs[REG_OLDMASK]);
    printf("flags in the frame %llx, of the handler: DF %d\n", regs[REG_EFL] & 0x10c01, !!(entry_flags & 0x400));
    printf("handler's mxcsr %x fcw %x ftw %x xmm6 %llx\n", entry_mxcsr, entry_fcw, entry_ftw,
           (unsigned long long)(entry_xmm[0] | entry_xmm[1]));
    if (mode == 1) {
        printf("saved mxcsr %x fcw %x\n", *(uint32_t *)(fp + 24), *(uint16_t *)fp);
        show_bytes("saved st0", fp + 32, 10);
        show_bytes("saved xmm6", fp + 160 + 6 * 16, 16);
        memset(fp + 160 + 6 * 16, 0x5a, 16);
    }
    if (mode == 2)
        uc->uc_mcontext.fpregs = NULL;
    if (mode == 3)
        memset(fp + 464, 0, 4); /* no magic: only the legacy part counts */
    if (mode == 4)
        fp[512] &= ~2; /* SSE in its initial state */
    if (mode == 5)
        memset(fp + 464 + 8, 0, 8); /* neither is wanted */
    if (number == SIGSEGV)
        regs[REG_RIP] += 2;
}

static uint64_t xmm[2];
static uint32_t mxcsr;
static uint16_t fcw;

static void interrupted(int how)
{
    uint64_t in[2] = {0x1111111111111111, 0x2222222222222222};
    uint32_t rounding = 0x5f80;
    uint16_t single = 0x07f;
    mode = how;
    __asm__ volatile("ldmxcsr %[rounding]\n fldcw %[single]\n fldpi\n movdqu %[in], %%xmm6\n"
                     "std\n stc\n int3\n"
                     "cld\n movdqu %%xmm6, %[xmm]\n stmxcsr %[mxcsr]\n fnstcw %[fcw]\n fninit\n"
                     : [xmm] "=m"(xmm), [mxcsr] "=m"(mxcsr), [fcw] "=m"(fcw)
                     : [in] "m"(in), [rounding] "m"(rounding), [single] "m"(single)
                     : "xmm6", "memory", "cc", "st");
    uint32_t plain = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(plain));
    printf("mode %d, after: xmm6 %016llx%016llx mxcsr %x fcw %x\n", how, (unsigned long long)xmm[1],
           (unsigned long long)xmm[0], mxcsr & ~0x3f, fcw);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = entered, .sa_flags = SA_SIGINFO};
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR2);
    sigprocmask(SIG_BLOCK, &some, NULL);
    sigaction(SIGTRAP, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    syscall(SYS_tkill, getpid(), SIGUSR1);
    for (int how = 1; how <= 5; how++)
        interrupted(how);
    mode = 0;
    /* A read, then a write, of a byte that is not there. */
    __asm__ volatile(".byte 0x8a, 0x00" : : "a"(0x10) : "memory");
    __asm__ volatile(".byte 0x88, 0x08" : : "a"(0x20), "c"(0) : "memory");
    syscall(SYS_tkill, getpid(), SIGUSR1);
    /* The 128 bytes below the stack pointer are the interrupted function's. */
    uint64_t kept = 0;
    __asm__ volatile("movq $77, -8(%%rsp)\n movq $88, -128(%%rsp)\n int3\n"
                     "mov -8(%%rsp), %0\n add -128(%%rsp), %0"
                     : "=r"(kept) : : "memory");
    show("red zone", kept);
}
