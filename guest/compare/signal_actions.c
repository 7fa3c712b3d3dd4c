/* sigaction: flags SA_NODEFER, SA_RESETHAND, SA_SIGINFO, masks during a handler, nesting; errors. */
#include "show.h"

static volatile int depth, deepest, calls;

static void nested(int number)
{
    depth++;
    calls++;
    if (depth > deepest)
        deepest = depth;
    if (calls < 4)
        raise(number);
    depth--;
}

static void info(int number, siginfo_t *info, void *context)
{
    printf("signal %d si_signo %d si_code %d own pid %d own uid %d context %d\n", number, info->si_signo,
           info->si_code, info->si_pid == getpid(), info->si_uid == getuid(), context != NULL);
}

static void masked(int number)
{
    sigset_t now;
    (void)number;
    sigprocmask(SIG_SETMASK, NULL, &now);
    printf("in the handler blocked: USR1 %d USR2 %d TERM %d\n", sigismember(&now, SIGUSR1),
           sigismember(&now, SIGUSR2), sigismember(&now, SIGTERM));
}

static void run(const char *what, int flags)
{
    struct sigaction action = {.sa_handler = nested, .sa_flags = flags};
    depth = deepest = calls = 0;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    printf("%s: calls %d deepest %d\n", what, calls, deepest);
}

int main(void)
{
    struct sigaction action = {.sa_handler = nested}, old;
    run("plain", 0);
    run("SA_NODEFER", SA_NODEFER);
    memset(&action, 0, sizeof action);
    action.sa_sigaction = info;
    action.sa_flags = SA_SIGINFO | SA_RESETHAND;
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
    sigaction(SIGUSR2, NULL, &old);
    check("SA_RESETHAND", old.sa_handler == SIG_DFL);
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR2, &action, NULL);
    kill(getpid(), SIGUSR2);
    syscall(SYS_tgkill, getpid(), getpid(), SIGUSR2);
    union sigval value = {.sival_int = 99};
    sigqueue(getpid(), SIGUSR2, value);
    sigaction(SIGUSR2, NULL, &old);
    check("reads back", old.sa_sigaction == info && (old.sa_flags & SA_SIGINFO));

    memset(&action, 0, sizeof action);
    action.sa_handler = masked;
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    check("all unblocked after", !sigismember(&now, SIGUSR1) && !sigismember(&now, SIGTERM));
    action.sa_handler = SIG_IGN;
    sigaction(SIGUSR1, &action, NULL);
    show("ignored", raise(SIGUSR1));
    show("unknown signal", sigaction(65, &action, NULL));
    show("signal 0", sigaction(0, &action, NULL));
    show("raw, wrong set size", syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
    show("raw, bad pointer", syscall(SYS_rt_sigaction, SIGUSR1, 8, NULL, 8));
    show("raw, bad old pointer", syscall(SYS_rt_sigaction, SIGUSR1, NULL, 8, 8));
}
