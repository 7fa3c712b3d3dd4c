/*
 * Use case: each worker gives up what it does not need. A policy belongs to a thread: one that narrows its own
 * leaves its siblings' and its parent's as they were, and what it starts from then on has the narrow one.
 */
#include "say.h"
#include "seccomp_filter.h"
#include "thread.h"

static const char policy[] =
    "sys_write: fd == 1\n"
    "sys_openat: 1\n"
    "sys_read: 1\n"
    "sys_close: 1\n"
    "sys_getppid: 1\n"
    "sys_prctl: 1\n"
    "sys_futex: 1\n"
    "sys_clone: 1\n"
    "sys_gettid: 1\n"
    "sys_exit: 1\n"
    "sys_exit_group: 1\n"
    "on_next_syscall: 1\n";

static struct thread narrow, child, sibling;
static int narrowed, shown;

/* The Seccomp: line of a thread, and what its policy says of write. */
static void show(const char *who, int tid)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
    int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = 0;
    char *mode = strstr(text, "Seccomp:\t");
    say("%s: mode %c", who, mode ? mode[9] : '?');
    snprintf(path, sizeof path, "/proc/self/task/%d/seccomp_filter", tid);
    fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
    size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = 0;
    char *line = strstr(text, "(sys_write)\nFilter: ");
    line = line ? line + 20 : "?\n";
    say(", write: %.*s, getppid: %s\n", (int)strcspn(line, "\n"), line,
        strstr(text, "(sys_getppid)") ? "yes" : "no");
}

static int inherits(void *unused)
{
    show("its child", syscall(SYS_gettid));
    syscall(SYS_getppid);
    say("not reached\n");
    return 0;
}

static int narrows(void *unused)
{
    say_result("narrows", seccomp_filter("sys_getppid: 0\nsys_write: count < 4096\n"));
    flag_set(&narrowed);
    flag_wait(&shown);
    thread_start(&child, inherits, NULL);
    thread_join(&child);
    syscall(SYS_getppid);
    say("not reached\n");
    return 0;
}

static int waits(void *unused)
{
    flag_wait(&narrowed);
    say("a sibling calls getppid: %s\n", syscall(SYS_getppid) >= 0 ? "yes" : "no");
    return 0;
}

int main(void)
{
    if (seccomp_filter(policy) < 0) {
        perror("seccomp_filter");
        return 2;
    }
    thread_start(&sibling, waits, NULL);
    thread_start(&narrow, narrows, NULL);
    flag_wait(&narrowed);
    thread_join(&sibling);
    show("the one that narrowed", narrow.id);
    show("the first thread", syscall(SYS_gettid));
    flag_set(&shown);
    thread_join(&narrow);
    say("the first thread calls getppid: %s\n", syscall(SYS_getppid) >= 0 ? "yes" : "no");
    return 0;
}
