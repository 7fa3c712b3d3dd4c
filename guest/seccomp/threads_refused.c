/*
 * Use case: a pool of workers under one policy. A worker that is taken over and refused a call is gone; the others
 * go on, the one who waits for it is woken, and what it held by a robust futex is marked as its dead owner's.
 *
 *     worker   a worker is refused; the process ends by itself with 3
 *     all      every thread is refused, the first one last: the process has died by SIGKILL
 *     leader   the first thread is refused; the worker goes on and ends the process with 4
 *     last     the first thread is refused, the worker just returns: the first one's end is the process's
 *     strict   a worker enters strict mode and is refused; the rest is free
 */
#include "say.h"
#include "seccomp_filter.h"
#include "thread.h"
#include <stddef.h>

static const char policy[] =
    "sys_write: fd == 1\n"
    "sys_openat: 1\n"
    "sys_read: 1\n"
    "sys_close: 1\n"
    "sys_futex: 1\n"
    "sys_sched_yield: 1\n"
    "sys_set_robust_list: 1\n"
    "sys_clone: 1\n"
    "sys_tgkill: 1\n"
    "sys_exit: 1\n"
    "sys_exit_group: 1\n"
    "on_next_syscall: 1\n";

/* Of <linux/futex.h>, which not every C library has. */
#define OWNER_DIED 0x40000000
#define WAITERS 0x80000000

static struct thread one, two;
static int go, pid;

/* The robust futex that the first worker holds, in the kernel's layout of such lists. */
static struct lock { struct lock *next; int word; } lock;
static struct { struct lock *first; long offset; struct lock *pending; } robust;

static int refused(void *robustly)
{
    if (robustly) {
        lock.next = (void *)&robust;
        lock.word = one.tid | WAITERS;
        robust.first = &lock;
        robust.offset = offsetof(struct lock, word);
        syscall(SYS_set_robust_list, &robust, sizeof robust);
    }
    syscall(SYS_getppid);
    say("not reached\n");
    return 0;
}

static int answers(void *unused)
{
    flag_wait(&go);
    say("the other worker goes on\n");
    return 0;
}

/* The State: letter of a thread of this process, '-' when it has none of that id. */
static char state(int tid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
    int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
    if (fd < 0)
        return '-';
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = 0;
    char *at = strstr(text, "State:\t");
    return at ? at[7] : '?';
}

static int outlives(void *status)
{
    while (state(pid) != 'Z')
        syscall(SYS_sched_yield);
    say("the first thread is a zombie, its process is not\n");
    if (status)
        syscall(SYS_exit_group, (int)(long)status);
    return 0;
}

static int strict(void *unused)
{
    if (syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_STRICT) < 0)
        say("no strict mode\n");
    syscall(SYS_getppid);
    say("not reached\n");
    return 0;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "worker";
    pid = getpid();
    if (!strcmp(how, "strict")) {
        thread_start(&one, strict, NULL);
        thread_join(&one);
        say("worker: %c, its process: mode %d\n", state(one.id), seccomp_mode());
        return 3;
    }
    if (seccomp_filter(policy) < 0) {
        perror("seccomp_filter");
        return 2;
    }
    if (!strcmp(how, "leader") || !strcmp(how, "last")) {
        thread_start(&one, outlives, !strcmp(how, "leader") ? (void *)4 : NULL);
        refused(NULL);
    }
    thread_start(&two, !strcmp(how, "all") ? refused : answers, NULL);
    if (!strcmp(how, "all"))
        thread_join(&two);
    thread_start(&one, refused, (void *)1);
    thread_join(&one);
    say("the worker is gone: %c\n", state(one.id));
    say("signal 0 to it: %s\n", syscall(SYS_tgkill, pid, one.id, 0) < 0 && errno == ESRCH ? "ESRCH" : "?");
    say("its lock: %s\n", lock.word == (int)(WAITERS | OWNER_DIED) ? "the owner died" : "?");
    if (!strcmp(how, "all"))
        refused(NULL);
    flag_set(&go);
    thread_join(&two);
    return 3;
}
