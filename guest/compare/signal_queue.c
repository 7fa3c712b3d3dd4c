/* rt_sigqueueinfo and its kin: values in order, siginfo as sent, the queue's limit; errors. */
#include "show.h"
#include <sys/resource.h>
#include <time.h>

static int count;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)context;
    count++;
    printf("signal %d code %d value %d own pid %d\n", number, info->si_code, info->si_value.sival_int,
           info->si_pid == getpid());
}

static void quiet(int number)
{
    (void)number;
    count++;
}

static long queue(int number, int code, unsigned char fill)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    memset((char *)&info + 16, fill, 32);
    info.si_code = code;
    info.si_signo = 99; /* replaced */
    return syscall(SYS_rt_sigqueueinfo, getpid(), number, &info);
}

int main(void)
{
    int first = 40;
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    for (int i = 0; i < 3; i++)
        sigaction(first + i, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 0; i < 9; i++) {
        union sigval value = {.sival_int = i};
        sigqueue(getpid(), first + 2 - i % 3, value);
        sigqueue(getpid(), SIGUSR1, value);
    }
    sigprocmask(SIG_SETMASK, &none, NULL);

    sigprocmask(SIG_SETMASK, &all, NULL);
    siginfo_t info;
    int codes[] = {SI_QUEUE, SI_TIMER, SI_MESGQ, SI_ASYNCIO, SI_SIGIO, SI_TKILL, 0, 1, 5, SI_KERNEL, -60, -7};
    for (size_t i = 0; i < COUNT(codes); i++) {
        char what[40];
        sprintf(what, "code %d to oneself", codes[i]);
        show(what, queue(first, codes[i], 0x41 + i));
        memset(&info, 0xee, sizeof info);
        show("taken", syscall(SYS_rt_sigtimedwait, &all, &info, &(struct timespec){0, 0}, 8));
        printf("si_signo %d si_errno %d si_code %d\n", info.si_signo, info.si_errno, info.si_code);
        show_bytes("the rest", (char *)&info + 16, 40);
        check("zeroes to the end", !memcmp((char *)&info + 48, (char[80]){0}, 80));
    }
    /* A code whose layout the kernel does not know: all that it can't carry must be zero. */
    memset(&info, 0, sizeof info);
    info.si_code = -1000;
    show("unknown code", syscall(SYS_rt_sigqueueinfo, getpid(), first, &info));
    ((char *)&info)[127] = 1;
    show("unknown code, too much", syscall(SYS_rt_sigqueueinfo, getpid(), first, &info));
    info.si_code = SI_QUEUE;
    show("known code, as much", syscall(SYS_rt_sigqueueinfo, getpid(), first, &info));
    while (syscall(SYS_rt_sigtimedwait, &all, NULL, &(struct timespec){0, 0}, 8) > 0)
        continue;

    show("to a thread", syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), first, &info));
    show("taken", syscall(SYS_rt_sigtimedwait, &all, NULL, &(struct timespec){0, 0}, 8));
    show("no thread", syscall(SYS_rt_tgsigqueueinfo, getpid(), 0, first, &info));
    show("no process", syscall(SYS_rt_tgsigqueueinfo, 0, getpid(), first, &info));
    show("unknown signal", syscall(SYS_rt_sigqueueinfo, getpid(), 65, &info));
    show("signal 0", syscall(SYS_rt_sigqueueinfo, getpid(), 0, &info));
    show("nobody", syscall(SYS_rt_sigqueueinfo, 0x3fffffff, first, &info));
    show("negative pid", syscall(SYS_rt_sigqueueinfo, -1, first, &info));
    show("bad pointer", syscall(SYS_rt_sigqueueinfo, getpid(), first, 8));
    info.si_code = SI_USER;
    show("as kill, to init", syscall(SYS_rt_sigqueueinfo, 0x3fffffff, first, &info));

    show("kill, unknown signal", kill(getpid(), 65));
    show("kill, negative signal", kill(getpid(), -1));
    show("kill, nobody", kill(0x3fffffff, 0));
    show("kill, no group", kill(-0x3fffffff, 0));
    show("kill, least pid", syscall(SYS_kill, 0x80000000L, 0));
    show("kill 0", kill(getpid(), 0));
    show("tkill, nobody", syscall(SYS_tkill, 0x3fffffff, 0));
    show("tkill, pid 0", syscall(SYS_tkill, 0, 0));
    show("tgkill, pid -1", syscall(SYS_tgkill, getpid(), -1, 0));
    show("tgkill, other process", syscall(SYS_tgkill, 0x3fffffff, getpid(), 0));
    show("tgkill 0", syscall(SYS_tgkill, getpid(), getpid(), 0));

    /* The limit counts for a user: one that nobody else on this machine is. */
    if (geteuid() == 0)
        must("setresuid", syscall(SYS_setresuid, 1000000 + getpid(), 1000000 + getpid(), 1000000 + getpid()));
    struct rlimit limit = {5, 5};
    must("setrlimit", setrlimit(RLIMIT_SIGPENDING, &limit));
    int queued = 0;
    while (queued < 20 && queue(first, SI_QUEUE, 0) == 0)
        queued++;
    show("error", queue(first, SI_QUEUE, 0));
    show("queued", queued);
    show("by kill", kill(getpid(), first));
    show("by tkill", syscall(SYS_tkill, getpid(), first));
    show("a standard signal", queue(SIGUSR1, SI_QUEUE, 0));
    action.sa_handler = quiet;
    action.sa_flags = 0;
    sigaction(first, &action, NULL);
    count = 0;
    sigprocmask(SIG_SETMASK, &none, NULL);
    show("delivered", count);
}
