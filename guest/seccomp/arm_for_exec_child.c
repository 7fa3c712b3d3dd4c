/*
 * Use case: a supervisor that is free itself starts confined programs. The child arms a policy, inherits it on to a
 * child of its own while it is not enforced yet, and execs; the supervisor reads both out of /proc.
 */
#include "say.h"
#include "seccomp_filter.h"
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

static const char policy[] =
    "sys_read: fd == 3\n"
    "sys_write: fd == 1\n"
    "sys_arch_prctl: 1\n"
    "sys_brk: 1\n"
    "sys_exit_group: 1\n"
    "sys_getrandom: 1\n"
    "sys_mmap: fd == 0xffffffffffffffff\n"
    "sys_mprotect: 1\n"
    "sys_newfstatat: 1\n"
    "sys_prlimit64: 1\n"
    "sys_readlink: 1\n"
    "sys_readlinkat: 1\n"
    "sys_rseq: 1\n"
    "sys_set_robust_list: 1\n"
    "sys_set_tid_address: 1\n";

/* The first two lines of /proc/PID/seccomp_filter, and the mode of its status. */
static void show(const char *who, pid_t pid)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = 0;
    char *mode = strstr(text, "Seccomp:\t");
    snprintf(path, sizeof path, "/proc/%d/seccomp_filter", pid);
    fd = open(path, O_RDONLY);
    size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = 0;
    int filtering = -1, count = -1;
    sscanf(text, "Filtering: %d\nFilterCount: %d\n", &filtering, &count);
    say("%s: mode %c, filtering %d, %d entries\n", who, mode ? mode[9] : '?', filtering, count);
}

int main(int argc, char **argv)
{
    char byte = 0;
    if (argc > 1) {
        read(3, &byte, 1);
        say("confined: %c\n", byte);
        syscall(SYS_getppid);
        say("not reached\n");
        return 1;
    }
    int go[2], ready[2], more[2];
    if (pipe(go) || pipe(ready) || pipe(more))
        return 2;
    pid_t child = fork();
    if (!child) {
        if (seccomp_filter(policy) < 0)
            _exit(2);
        pid_t grandchild = fork();
        if (!grandchild) {
            /* Armed as its parent, and free as its parent. */
            say("grandchild: mode %d, getppid works: %s\n", seccomp_mode(), getppid() > 0 ? "yes" : "no");
            _exit(0);
        }
        waitpid(grandchild, NULL, 0);
        write(ready[1], "", 1);
        read(more[0], &byte, 1);
        dup2(go[0], 3);
        char *args[] = {argv[0], "confined", NULL}, *environment[] = {NULL};
        execve("/proc/self/exe", args, environment);
        _exit(2);
    }
    read(ready[0], &byte, 1);
    show("before exec", child);
    write(more[1], "", 1);
    /* It has its policy in force when it sleeps in its read; until then it may still be on its way. */
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", child);
    while (strncmp(text, "exe\n", 4)) {
        int fd = open(path, O_RDONLY);
        read(fd, text, sizeof text);
        close(fd);
        sched_yield();
    }
    show("after exec", child);
    write(go[1], "x", 1);
    int status;
    waitpid(child, &status, 0);
    say("it was %s\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? "killed" : "not killed");
    show("the supervisor", getpid());
    return 0;
}
