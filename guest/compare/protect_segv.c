/* mprotect: each protection tried with a read, a write and a jump; the siginfo of each refusal. */
#include "show.h"
#include <setjmp.h>

static sigjmp_buf back;
static siginfo_t last;

static void caught(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    last = *info;
    siglongjmp(back, 1);
}

static void attempt(const char *what, char *at, int how)
{
    if (sigsetjmp(back, 1)) {
        printf("  %s: signal %d %s address right %d\n", what, last.si_signo,
               last.si_code == SEGV_MAPERR ? "MAPERR" : last.si_code == SEGV_ACCERR ? "ACCERR" : "other",
               last.si_addr == at);
        return;
    }
    if (how == 0)
        *(volatile char *)at;
    else if (how == 1)
        *(volatile char *)at = (char)0xc3;
    else
        ((void (*)(void))at)();
    printf("  %s: ok\n", what);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    char *page = pages(1);
    memset(page, 0xc3, PAGE); /* ret */
    const char *names[] = {"NONE", "R", "W", "RW", "X", "RX", "WX", "RWX"};
    for (int round = 0; round < 2; round++)
        for (int prot = 0; prot < 8; prot++) {
            must("mprotect", mprotect(page, PAGE, prot));
            printf("%s\n", names[prot]);
            /* A page that can only be executed may or may not be readable: that is the CPU's matter. */
            if (prot != PROT_EXEC)
                attempt("read", page, 0);
            attempt("write", page + 1, 1);
            attempt("jump", page, 2);
        }
    must("munmap", munmap(page, PAGE));
    puts("unmapped");
    attempt("read", page, 0);
    attempt("write", page, 1);
    attempt("jump", page, 2);
    puts("code");
    attempt("read", (char *)(uintptr_t)attempt, 0);
    attempt("write", (char *)(uintptr_t)attempt, 1);
    puts("constants");
    attempt("write", (char *)names[0], 1);
    attempt("jump", (char *)names[0], 2);
    puts("null");
    attempt("read", NULL, 0);
    attempt("write", (char *)8, 1);
    attempt("jump", NULL, 2);
    puts("kernel");
    attempt("read", (char *)0xffffffff81000000, 0);
    attempt("jump", (char *)0xffffffff81000000, 2);
}
