/* The alternate stack: its ends, overflow, SS_AUTODISARM, a change of it in the frame. */
#include "show.h"
#include <setjmp.h>
#include <ucontext.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static sigjmp_buf back;
static char *stack;
static volatile int depth, change;

static void told(const char *what)
{
    stack_t now;
    sigaltstack(NULL, &now);
    printf("%s: set %d size %zu flags %x\n", what, now.ss_sp == stack, now.ss_size, (unsigned)now.ss_flags);
}

static void handler(int number, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    char here;
    (void)info;
    printf("signal %d on it %d; frame says size %zu flags %x\n", number, &here >= stack && &here < stack + 65536,
           uc->uc_stack.ss_size, (unsigned)uc->uc_stack.ss_flags);
    told("in the handler");
    if (change)
        uc->uc_stack.ss_size = change;
    if (depth-- > 0) {
        stack_t other = {.ss_sp = stack + 32768, .ss_size = 32768};
        show("set another one", sigaltstack(&other, NULL));
        raise(SIGUSR1);
    }
}

static void deeper(int number, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    if (++depth > 1000)
        puts("never ends");
    raise(number);
}

static void overflowed(int number, siginfo_t *info, void *context)
{
    (void)context;
    printf("signal %d code %d\n", number, info->si_code);
    siglongjmp(back, 1);
}

static void set(int flags, size_t size)
{
    stack_t ask = {.ss_sp = stack, .ss_size = size, .ss_flags = flags};
    show("sigaltstack", sigaltstack(&ask, NULL));
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    stack = pages(16);
    sigaction(SIGUSR1, &action, NULL);
    set(0, 2047);
    set(0, 2048);
    set(SS_DISABLE, 0);
    told("disabled");
    set(SS_ONSTACK, 65536);
    told("with SS_ONSTACK");
    change = 32768;
    raise(SIGUSR1);
    told("changed in the frame, on it");
    action.sa_flags &= ~SA_ONSTACK;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    told("changed in the frame, not on it");
    change = 0;
    action.sa_flags |= SA_ONSTACK;
    sigaction(SIGUSR1, &action, NULL);
    set(SS_AUTODISARM, 65536);
    told("SS_AUTODISARM");
    raise(SIGUSR1);
    told("after");
    depth = 1;
    raise(SIGUSR1);
    told("after two");
    set(SS_AUTODISARM | SS_ONSTACK, 65536);
    told("both");
    set(4, 65536);

    /* Each frame goes below the last one until there is no room: SIGSEGV, on the ordinary stack. */
    set(0, 65536);
    action.sa_sigaction = overflowed;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, NULL);
    action.sa_sigaction = deeper;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaction(SIGUSR1, &action, NULL);
    depth = 0;
    if (sigsetjmp(back, 1) == 0)
        raise(SIGUSR1);
    check("overflowed", depth > 5 && depth < 100);
}
