/* Frames that can't be written or read back: SIGSEGV, with SI_KERNEL; the last one is fatal (status 139). */
#include "show.h"
#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile int mode;

static void fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    printf("signal %d code %d address %p\n", number, info->si_code, info->si_addr);
    siglongjmp(back, 1);
}

static void spoil(int number, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    unsigned char *fp = (unsigned char *)uc->uc_mcontext.fpregs;
    (void)number;
    (void)info;
    switch (mode) {
    case 0: fp[24 + 3] = 1; break;                                          /* MXCSR's reserved bits */
    case 1: uc->uc_mcontext.fpregs = (void *)0x1000; break;                 /* no memory there */
    case 2: uc->uc_mcontext.fpregs = (void *)0xffff800000000000; break;     /* the kernel's */
    case 3: fp[512 + 8] = 1; break;                                         /* a compacted header */
    case 4: uc->uc_mcontext.gregs[REG_CSGSFS] = 0x2b000000000008; break;    /* a segment of the kernel's */
    case 5: uc->uc_mcontext.gregs[REG_CSGSFS] = 0x00000000000033; break;    /* no stack segment */
    case 6: uc->uc_mcontext.gregs[REG_RIP] = 0x8000000000000000; break;     /* no address */
    case 7: uc->uc_mcontext.gregs[REG_EFL] |= 0x3000; break;                /* IOPL 3: ignored */
    }
}

static void give(const char *what, int how)
{
    printf("%s: ", what);
    mode = how;
    if (sigsetjmp(back, 1) == 0) {
        raise(SIGUSR1);
        puts("no fault");
    }
}

struct kernel_action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

int main(void)
{
    static char alternate[65536];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    action.sa_sigaction = spoil;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &action, NULL);
    give("MXCSR", 0);
    give("FP state nowhere", 1);
    give("FP state in the kernel", 2);
    give("header", 3);
    give("code segment", 4);
    give("stack segment", 5);
    give("instruction pointer", 6);
    give("privileged flags", 7);

    printf("rt_sigreturn out of the blue: ");
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("mov %%rsp, %%rbx\n mov $0x1000, %%rsp\n syscall\n mov %%rbx, %%rsp"
                         : : "a"(SYS_rt_sigreturn) : "rbx", "rcx", "r11", "memory");
    printf("no stack: ");
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("mov %%rsp, %%rbx\n mov $0x1000, %%rsp\n int3\n mov %%rbx, %%rsp"
                         : : : "rbx", "memory");
    struct kernel_action raw = {.handler = spoil, .flags = SA_SIGINFO};
    show("without a restorer", syscall(SYS_rt_sigaction, SIGUSR2, &raw, NULL, 8));
    if (sigsetjmp(back, 1) == 0)
        raise(SIGUSR2);
    sigaction(SIGTRAP, &action, NULL);
    printf("no stack for a handler: ");
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("mov %%rsp, %%rbx\n mov $0x1000, %%rsp\n int3\n mov %%rbx, %%rsp"
                         : : : "rbx", "memory");
    action.sa_sigaction = (void (*)(int, siginfo_t *, void *))0x8000000000001000;
    sigaction(SIGUSR1, &action, NULL);
    give("a handler at no address", 0);

    puts("a frame for SIGSEGV that can't be written either");
    action.sa_sigaction = fault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, NULL);
    __asm__ volatile("mov $0x1000, %%rsp\n mov %%rax, (%%rsp)" : : : "memory");
    puts("not reached");
}
