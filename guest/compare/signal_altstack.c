/* sigaltstack: handlers run there, nesting stays there, it can't be changed meanwhile; errors. */
#include "show.h"

static char *stack;
static size_t size;
static volatile int nested;

static int on_it(void)
{
    char here;
    return &here >= stack && &here < stack + size;
}

static void handler(int number)
{
    stack_t now, other = {.ss_sp = stack, .ss_size = size};
    sigaltstack(NULL, &now);
    printf("signal %d on the alternate stack %d ss_flags %d\n", number, on_it(), now.ss_flags);
    show("changing it", sigaltstack(&other, NULL));
    if (!nested++)
        raise(SIGUSR2);
}

static void plain(int number)
{
    printf("signal %d without SA_ONSTACK, on it %d\n", number, on_it());
}

int main(void)
{
    stack_t now, ask = {0};
    size = 65536;
    stack = malloc(size);
    show("none at first", sigaltstack(NULL, &now));
    show("ss_flags", now.ss_flags);
    ask.ss_sp = stack;
    ask.ss_size = size;
    show("set", sigaltstack(&ask, NULL));
    show("get", sigaltstack(NULL, &now));
    check("as set", now.ss_sp == stack && now.ss_size == size && now.ss_flags == 0);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR1);
    check("back on the ordinary one", !on_it());
    action.sa_handler = plain;
    action.sa_flags = 0;
    sigaction(SIGHUP, &action, NULL);
    raise(SIGHUP);
    ask.ss_size = 100;
    show("too small", syscall(SYS_sigaltstack, &ask, NULL));
    ask.ss_size = size;
    ask.ss_flags = 0x55;
    show("unknown flag", syscall(SYS_sigaltstack, &ask, NULL));
    ask.ss_flags = SS_DISABLE;
    show("disable", syscall(SYS_sigaltstack, &ask, &now));
    check("old one told", now.ss_sp == stack);
    sigaltstack(NULL, &now);
    show("ss_flags", now.ss_flags);
    show("bad pointer", syscall(SYS_sigaltstack, 8, NULL));
    show("bad old pointer", syscall(SYS_sigaltstack, NULL, 8));
    action.sa_handler = plain;
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGHUP, &action, NULL);
    raise(SIGHUP);
}
