/*
 * follow.c - what strace -f shows of several tasks: forks, threads, signals, restarts, stops, execs. One thing at a
 * time, so that the lines of each task are the same in every run.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FUTEX_WAIT 0

static char stack[65536] __attribute__((aligned(16)));
static char *again[] = {"follow", "again", 0}, *environment[1];
static int tid, pipe_fds[2];

static void handler(int signal)
{
}

static void doze(long ms)
{
    struct timespec time = {0, ms * 1000000};
    syscall(SYS_nanosleep, &time, 0);
}

static int exits(void *unused)
{
    syscall(SYS_gettid);
    return 5;
}

static int vforked(void *unused)
{
    syscall(SYS_getppid);
    syscall(SYS_exit, 9);
    return 0;
}

static int reads(void *unused)
{
    char byte;
    syscall(SYS_read, pipe_fds[0], &byte, 1);
    return 0;
}

static int execs(void *unused)
{
    doze(50);
    syscall(SYS_execve, "/proc/self/exe", again, environment);
    return 1;
}

enum { THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD };

static pid_t start(void)
{
    return syscall(SYS_fork);
}

static void reap(pid_t pid, int options)
{
    int status;
    syscall(SYS_wait4, pid, &status, options, 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        syscall(SYS_getppid);
        return 3;
    }
    siginfo_t info;
    pipe(pipe_fds);

    pid_t pid = start();
    if (!pid) {
        doze(50);
        syscall(SYS_exit_group, 7);
    }
    reap(pid, 0);

    /* A handler with SA_RESTART, and one without. */
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, 0);
    pid = start();
    if (!pid) {
        doze(100);
        syscall(SYS_kill, getppid(), SIGUSR1);
        doze(100);
        syscall(SYS_exit_group, 0);
    }
    reap(-1, 0);
    action.sa_flags = 0;
    sigaction(SIGUSR1, &action, 0);
    pid = start();
    if (!pid) {
        doze(100);
        syscall(SYS_kill, getppid(), SIGUSR1);
        doze(100);
        syscall(SYS_exit_group, 0);
    }
    char byte;
    syscall(SYS_read, pipe_fds[0], &byte, 1);
    syscall(SYS_waitid, P_PID, pid, &info, WEXITED, 0);

    /* A stop, and a sleep that goes on with what is left of it. */
    pid = start();
    if (!pid) {
        doze(400);
        syscall(SYS_exit_group, 0);
    }
    doze(100);
    syscall(SYS_kill, pid, SIGSTOP);
    reap(pid, WUNTRACED);
    syscall(SYS_kill, pid, SIGCONT);
    reap(pid, WCONTINUED);
    reap(pid, 0);

    /* Ends by signals. */
    pid = start();
    if (!pid)
        syscall(SYS_pause);
    doze(50);
    syscall(SYS_kill, pid, SIGKILL);
    reap(pid, 0);
    pid = start();
    if (!pid)
        *(volatile int *)16 = 1;
    reap(pid, 0);

    pid = clone(vforked, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, 0);
    reap(pid, 0);
    clone(exits, stack + sizeof stack, THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, 0, &tid, 0, &tid);
    while (tid)
        syscall(SYS_futex, &tid, FUTEX_WAIT, tid, 0, 0, 0);

    /* A thread that execs, and a process that ends while a thread sleeps. */
    pid = start();
    if (!pid) {
        clone(execs, stack + sizeof stack, THREAD, 0);
        reads(0);
    }
    reap(pid, 0);
    pid = start();
    if (!pid) {
        clone(reads, stack + sizeof stack, THREAD, 0);
        doze(50);
        syscall(SYS_exit_group, 4);
    }
    reap(pid, 0);
    return 0;
}
