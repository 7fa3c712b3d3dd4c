/* Stop and continue as waitid, wait4 and SIGCHLD tell of them; stopped groups that become orphans. */
#include "show.h"
#include <poll.h>
#include <sys/wait.h>
#include <time.h>

static volatile int heard, codes[16];

static void on_child(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    if (heard < 16)
        codes[heard++] = info->si_code;
}

static void told(const char *what, pid_t pid, int options)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int result = waitid(P_PID, pid, &info, options);
    if (result == -1)
        printf("%s: %s\n", what, errno_name(errno));
    else
        printf("%s: %d code %d status %d own child %d\n", what, result, info.si_code, info.si_status,
               info.si_pid == pid);
}

static void waits(const char *what, pid_t pid, int options)
{
    int status = 0;
    pid_t result = waitpid(pid, &status, options);
    printf("%s: %s status %#x stopped %d by %d continued %d\n", what,
           result == -1 ? errno_name(errno) : result == pid ? "pid" : result == 0 ? "0" : "another", status,
           WIFSTOPPED(status), WIFSTOPPED(status) ? WSTOPSIG(status) : 0, WIFCONTINUED(status));
}

static volatile int hups, conts;

static void count(int number)
{
    if (number == SIGHUP)
        hups++;
    else
        conts++;
}

/* A stopped process in a group of its own, whose only tie to the session is its parent; that parent ends. */
static void orphan(int stopped)
{
    int ends[2];
    char text[32] = "";
    pipe(ends);
    fflush(stdout);
    pid_t parent = fork();
    if (parent == 0) {
        pid_t own = getpid(), grandchild = fork();
        if (grandchild == 0) {
            signal(SIGHUP, count);
            signal(SIGCONT, count);
            setpgid(0, 0);
            if (stopped)
                raise(SIGSTOP);
            while (getppid() == own)
                usleep(1000);
            usleep(10000);
            raise(SIGTSTP); /* without effect in an orphaned group */
            dprintf(ends[1], "HUP %d CONT %d", hups, conts);
            _exit(0);
        }
        if (stopped)
            waitpid(grandchild, NULL, WUNTRACED);
        _exit(0);
    }
    waitpid(parent, NULL, 0);
    close(ends[1]);
    while (read(ends[0], text, sizeof text - 1) == -1)
        continue;
    printf("orphan, stopped %d: %s\n", stopped, text);
    close(ends[0]);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
    int signals[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
    sigaction(SIGCHLD, &action, NULL);
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    told("nothing yet", pid, WSTOPPED | WCONTINUED | WEXITED | WNOHANG);
    for (size_t i = 0; i < COUNT(signals); i++) {
        printf("-- signal %d\n", signals[i]);
        kill(pid, signals[i]);
        if (i > 0) {
            kill(pid, SIGKILL);
            waits("those stop only where somebody could continue", pid, WUNTRACED);
            if ((pid = fork()) == 0) {
                setpgid(0, 0);
                raise(signals[i]);
                for (;;)
                    pause();
            }
        }
        told("WNOWAIT", pid, WSTOPPED | WNOWAIT);
        told("stopped", pid, WSTOPPED);
        told("told once", pid, WSTOPPED | WNOHANG);
        kill(pid, SIGCONT);
        told("WNOWAIT", pid, WCONTINUED | WNOWAIT);
        waits("continued", pid, WCONTINUED);
        waits("told once", pid, WCONTINUED | WNOHANG);
        kill(pid, SIGSTOP);
        waits("stopped, wait4", pid, WUNTRACED);
        kill(pid, SIGCONT);
        told("continued, waitid", pid, WCONTINUED);
    }
    kill(pid, SIGSTOP);
    waits("stopped", pid, WUNTRACED);
    kill(pid, SIGTERM);
    usleep(2000);
    waits("a stopped one does not end by SIGTERM", pid, WNOHANG);
    kill(pid, SIGCONT);
    told("but when it goes on", pid, WEXITED);
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    kill(pid, SIGSTOP);
    waits("stopped", pid, WUNTRACED);
    kill(pid, SIGKILL);
    told("SIGKILL ends a stopped one", pid, WEXITED);
    told("no child", pid, WEXITED);
    show("no kind of event", waitid(P_ALL, 0, NULL, WNOHANG));

    puts("-- SIGCHLD");
    for (int flags = 0; flags < 2; flags++) {
        action.sa_flags = SA_SIGINFO | SA_RESTART | (flags ? SA_NOCLDSTOP : 0);
        sigaction(SIGCHLD, &action, NULL);
        heard = 0;
        if ((pid = fork()) == 0)
            for (;;)
                pause();
        kill(pid, SIGSTOP);
        waits("stopped", pid, WUNTRACED);
        kill(pid, SIGCONT);
        waits("continued", pid, WCONTINUED);
        usleep(5000);
        kill(pid, SIGKILL);
        waits("killed", pid, 0);
        printf("heard:");
        for (int i = 0; i < heard; i++)
            printf(" %d", codes[i]);
        puts("");
    }
    setpgid(0, 0);
    orphan(1);
    orphan(0);
    /* A sleep goes on where it was after a stop: nothing is interrupted. */
    if ((pid = fork()) == 0) {
        struct timespec begin, end, ask = {0, 60000000};
        clock_gettime(CLOCK_MONOTONIC, &begin);
        int result = nanosleep(&ask, NULL);
        clock_gettime(CLOCK_MONOTONIC, &end);
        long took = (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
        printf("nanosleep: %d, slept its time %d\n", result, took >= 59 && took < 2000);
        struct pollfd none;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        result = poll(&none, 0, 60);
        clock_gettime(CLOCK_MONOTONIC, &end);
        took = (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
        printf("poll: %d, slept its time %d\n", result, took >= 59 && took < 2000);
        _exit(0);
    }
    for (int i = 0; i < 2; i++) {
        usleep(20000);
        kill(pid, SIGSTOP);
        waitpid(pid, NULL, WUNTRACED);
        usleep(10000);
        kill(pid, SIGCONT);
        usleep(40000);
    }
    waitpid(pid, NULL, 0);
}
