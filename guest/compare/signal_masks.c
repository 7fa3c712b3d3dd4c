/* sigprocmask, sigpending, sigsuspend and sigtimedwait, with signals sent to oneself; errors. */
#include "show.h"
#include <time.h>

static volatile int order[32], count;

static void handler(int number)
{
    order[count++] = number;
}

static void delivered(const char *what)
{
    printf("%s:", what);
    for (int i = 0; i < count; i++)
        printf(" %d", order[i]);
    puts("");
    count = 0;
}

int main(void)
{
    sigset_t set, old, pending, none;
    struct sigaction action = {.sa_handler = handler};
    int numbers[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, 40, 41};
    sigfillset(&action.sa_mask);
    sigemptyset(&set);
    sigemptyset(&none);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        sigaction(numbers[i], &action, NULL);
        sigaddset(&set, numbers[i]);
    }
    show("block", sigprocmask(SIG_BLOCK, &set, &old));
    check("none was blocked", !sigismember(&old, SIGUSR1));
    for (int k = 0; k < 2; k++)
        for (size_t i = COUNT(numbers); i-- > 0;)
            kill(getpid(), numbers[i]);
    delivered("while blocked");
    sigpending(&pending);
    for (size_t i = 0; i < COUNT(numbers); i++)
        printf("%d pending %d\n", numbers[i], sigismember(&pending, numbers[i]));
    show("unblock", sigprocmask(SIG_SETMASK, &old, NULL));
    delivered("standard signals once, real-time ones twice, lowest first");

    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    show("sigsuspend", sigsuspend(&none));
    delivered("by sigsuspend");
    sigprocmask(SIG_SETMASK, NULL, &old);
    check("blocked again", sigismember(&old, SIGUSR1));
    raise(SIGUSR2);
    siginfo_t info;
    struct timespec at_once = {0, 0}, shortly = {0, 5000000};
    show("sigtimedwait", sigtimedwait(&set, &info, &at_once));
    printf("si_signo %d own pid %d\n", info.si_signo, info.si_pid == getpid());
    show("nothing there", sigtimedwait(&set, &info, &at_once));
    show("nothing comes", sigtimedwait(&set, NULL, &shortly));
    delivered("no handler ran");
    raise(SIGTERM);
    signal(SIGTERM, SIG_IGN);
    sigpending(&pending);
    show("ignoring drops what is pending", sigismember(&pending, SIGTERM));
    show("unknown how", sigprocmask(77, &set, NULL));
    show("unknown how without a set", syscall(SYS_rt_sigprocmask, 77, NULL, &old, 8));
    show("wrong size", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 4));
    show("bad pointer", syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, NULL, 8));
    show("bad old pointer", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, 8, 8));
    show("sigpending, bad pointer", syscall(SYS_rt_sigpending, 8, 8));
    struct timespec bad = {0, -1};
    show("sigtimedwait, bad time", sigtimedwait(&set, NULL, &bad));
}
