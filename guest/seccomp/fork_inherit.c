/*
 * Use case: whatever a confined process starts is confined. fork, vfork, clone and a thread inherit the policy with
 * its enforcement, exec keeps it; a child that is refused a call dies alone, and its parent is told as of any child.
 */
#include "say.h"
#include "seccomp_filter.h"
#include "thread.h"
#include <signal.h>
#include <sys/wait.h>

static const char policy[] =
    "sys_write: fd == 1\n"
    "sys_openat: 1\n"
    "sys_read: 1\n"
    "sys_close: 1\n"
    "sys_fork: 1\n"
    "sys_vfork: 1\n"
    "sys_clone: 1\n"
    "sys_wait4: 1\n"
    "sys_futex: 1\n"
    "sys_execve: 1\n"
    "sys_prctl: option == 21\n"
    "sys_rt_sigaction: 1\n"
    "sys_rt_sigreturn: 1\n"
    /* What the C library's start needs. */
    "sys_arch_prctl: 1\n"
    "sys_brk: 1\n"
    "sys_exit_group: 1\n"
    "sys_exit: 1\n"
    "sys_getrandom: 1\n"
    "sys_mmap: fd == 0xffffffffffffffff\n"
    "sys_mprotect: 1\n"
    "sys_newfstatat: 1\n"
    "sys_prlimit64: 1\n"
    "sys_readlink: 1\n"
    "sys_readlinkat: 1\n"
    "sys_rseq: 1\n"
    "sys_set_robust_list: 1\n"
    "sys_set_tid_address: 1\n"
    "on_next_syscall: 1\n";

static char stack[65536] __attribute__((aligned(16)));
static struct thread thread;
static volatile sig_atomic_t told;

static void on_child(int signal, siginfo_t *info, void *context)
{
    if (signal == SIGCHLD && info->si_code == CLD_KILLED && info->si_status == SIGKILL)
        told++;
}

/* What a child does. */
static int child(void *how)
{
    say("%s: mode %d\n", (char *)how, seccomp_mode());
    syscall(SYS_getppid);
    say("not reached\n");
    return 0;
}

static void reap(const char *how, pid_t pid)
{
    int status = 0;
    pid_t got;
    do
        got = syscall(SYS_wait4, pid, &status, __WALL, NULL);
    while (got < 0 && errno == EINTR);
    say("%s: %s, told: %d\n", how,
        got == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? "killed" : "?", (int)told);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return child("exec");
    struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGCHLD, &action, NULL);
    if (seccomp_filter(policy) < 0) {
        perror("seccomp_filter");
        return 2;
    }
    pid_t pid = syscall(SYS_fork);
    if (!pid)
        child("fork");
    reap("fork", pid);
    pid = clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, "vfork");
    reap("vfork", pid);
    pid = clone(child, stack + sizeof stack, CLONE_FILES | SIGCHLD, "clone");
    reap("clone", pid);
    pid = syscall(SYS_fork);
    if (!pid) {
        char *args[] = {argv[0], "again", NULL}, *environment[] = {NULL};
        syscall(SYS_execve, "/proc/self/exe", args, environment);
        say("execve failed\n");
    }
    reap("exec", pid);
    thread_start(&thread, child, "thread");
    thread_join(&thread);
    say("the process lives, told: %d\n", (int)told);
    return 0;
}
