/*
 * Use case: a program makes sure that it is confined as it thinks, by reading its own /proc/self/seccomp_filter
 * and the Seccomp line of its status: without a policy, with one armed, and with one enforced.
 */
#include "say.h"
#include "seccomp_filter.h"

static const char policy[] =
    "  sys_write :  (fd == 1) || (fd == 2)  \n"
    "\n"
    "sys_openat: 1\n"
    "sys_read:fd>2\n"
    "sys_prctl: 1\n"
    "sys_close: 1\n"
    "sys_exit_group: 1\n"
    "sys_write: count < 8192\n";

static void say_file(const char *path, const char *only)
{
    static char text[8192];
    int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = 0;
    if (only == NULL) {
        say("%s", text);
        return;
    }
    char *at = strstr(text, only);
    if (at == NULL)
        say("no %s in %s\n", only, path);
    else
        say("%.*s\n", (int)strcspn(at, "\n"), at);
}

int main(void)
{
    say("none:\n");
    say_file("/proc/self/seccomp_filter", NULL);
    say_file("/proc/self/status", "Seccomp:");
    if (seccomp_filter(policy) < 0) {
        perror("seccomp_filter");
        return 2;
    }
    say("armed:\n");
    say_file("/proc/self/seccomp_filter", NULL);
    if (seccomp_filter("on_next_syscall: 1\n") < 0) {
        perror("on_next_syscall");
        return 2;
    }
    say("enforced:\n");
    say_file("/proc/self/seccomp_filter", NULL);
    say_file("/proc/self/status", "Seccomp:");
    say_file("/proc/thread-self/seccomp_filter", NULL);
    return 0;
}
