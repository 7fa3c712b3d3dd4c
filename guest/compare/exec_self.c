/* execve of oneself: arguments, environment, pid, umask, mask kept; handlers, maps, alternate stack not; 4 times. */
// args: 0
// env: ROUND=start
#include "show.h"
#include <sys/prctl.h>
#include <sys/resource.h>

static void handler(int number)
{
    (void)number;
}

int main(int argc, char **argv)
{
    int round = argc > 1 ? atoi(argv[1]) : 0;
    char next[16], environment[32], variable[64], pid[16];
    struct sigaction usr1, usr2;
    sigset_t mask;
    stack_t stack;
    printf("round %d argc %d ROUND=%s\n", round, argc, getenv("ROUND"));
    if (round > 0) {
        char name[16];
        check("same process", atoi(argv[2]) == getpid());
        printf("umask %o\n", umask(0));
        sigaction(SIGUSR1, NULL, &usr1);
        sigaction(SIGUSR2, NULL, &usr2);
        printf("caught became default %d, ignored stays %d\n", usr1.sa_handler == SIG_DFL,
               usr2.sa_handler == SIG_IGN);
        sigprocmask(SIG_SETMASK, NULL, &mask);
        printf("mask kept %d\n", sigismember(&mask, SIGHUP));
        sigaltstack(NULL, &stack);
        printf("no alternate stack %d\n", stack.ss_flags == SS_DISABLE);
        prctl(PR_GET_NAME, name, 0, 0, 0);
        printf("name %s\n", name);
        printf("fixed map is gone %d\n", msync((void *)0x30000000, PAGE, MS_ASYNC) == -1);
        show("pending signal kept", sigpending(&mask) == 0 && sigismember(&mask, SIGHUP));
        show("limit kept", getrlimit(RLIMIT_NOFILE, &(struct rlimit){0, 0}));
    }
    if (round == 3)
        return 33;
    umask(0123);
    signal(SIGUSR1, handler);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&mask);
    sigaddset(&mask, SIGHUP);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    raise(SIGHUP);
    static char alternate[65536];
    stack = (stack_t){.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&stack, NULL);
    mmap((void *)0x30000000, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    snprintf(next, sizeof next, "%d", round + 1);
    snprintf(pid, sizeof pid, "%d", getpid());
    snprintf(environment, sizeof environment, "ROUND=%d", round + 1);
    strcpy(variable, "OTHER=x");
    char *args[] = {"exec_self", next, pid, NULL}, *env[] = {environment, variable, NULL};
    execve("/proc/self/exe", args, env);
    show("execve", -1);
}
