/*
 * Use case: rights are given up step by step, each step by who knows what comes next. A policy that is enforced
 * can be narrowed and its entries taken away, never widened; prctl is in the policy for as long as that goes on.
 */
#include "say.h"
#include "seccomp_filter.h"

static const char policy[] =
    "sys_write: fd <= 2\n"
    "sys_prctl: (option == 22) || (option == 21)\n"
    "sys_openat: 1\n"
    "sys_read: 1\n"
    "sys_close: 1\n"
    "sys_exit_group: 1\n"
    "on_next_syscall: 1\n";

static void say_policy(void)
{
    char text[2048];
    int fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/seccomp_filter", O_RDONLY);
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = 0;
    say("%s", text);
}

int main(void)
{
    if (seccomp_filter(policy) < 0) {
        perror("seccomp_filter");
        return 2;
    }
    say_result("narrow by fd", seccomp_filter("sys_write: fd == 1\n"));
    say_result("narrow by count", seccomp_filter("sys_write: count <= 2048"));
    say_result("add a call", seccomp_filter("sys_getpid: 1\n"));
    say_result("one good line, one that adds", seccomp_filter("sys_read: fd > 2\nsys_getpid: 1\n"));
    say_policy();
    say_result("take openat away", seccomp_filter("sys_openat: 0\nsys_read: 0\nsys_close: 0\n"));
    say_result("it can't come back", seccomp_filter("sys_openat: 1\n"));
    say_result("mode", seccomp_mode());
    say_result("take prctl away", seccomp_filter("sys_prctl: 0\n"));
    say("a write to descriptor 2\n");
    syscall(SYS_write, 2, "not written\n", 12);
    say("not reached\n");
    return 1;
}
