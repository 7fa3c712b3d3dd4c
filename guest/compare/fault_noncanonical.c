/* Addresses that no page table has: read, written, jumped to, used as a stack; SIGSEGV with SI_KERNEL. */
#include "show.h"
#include <setjmp.h>

static sigjmp_buf back;

static void caught(int number, siginfo_t *info, void *context)
{
    (void)context;
    printf("signal %d code %s address %d\n", number,
           info->si_code == SI_KERNEL ? "SI_KERNEL" : info->si_code == SEGV_MAPERR ? "MAPERR" : "another",
           info->si_addr != NULL);
    siglongjmp(back, 1);
}

int main(void)
{
    static char alternate[65536];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    static volatile char *at;
    at = (char *)0x8000000000000000;
    printf("read: ");
    if (sigsetjmp(back, 1) == 0)
        *at;
    printf("write: ");
    if (sigsetjmp(back, 1) == 0)
        *at = 1;
    at = (char *)0x800000000000;
    printf("first byte of the hole: ");
    if (sigsetjmp(back, 1) == 0)
        *at;
    at = (char *)0x7ffffffff000;
    printf("last page before it: ");
    if (sigsetjmp(back, 1) == 0)
        *at;
    at = (char *)0xffffffffffffffff;
    printf("last byte of all: ");
    if (sigsetjmp(back, 1) == 0)
        *at;
    puts("without a handler");
    signal(SIGSEGV, SIG_DFL);
    *(volatile char *)0x8000000000000000 = 1;
    puts("not reached");
}
