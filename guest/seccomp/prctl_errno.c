/*
 * Every error of prctl(PR_SET_SECCOMP), and that a request which fails leaves the policy as it was.
 */
#include "say.h"
#include "seccomp_filter.h"

static char large[70000];

/* PREFIX, then as many copies of REPEAT as make SIZE bytes, then SUFFIX. */
static const char *text_of(const char *prefix, size_t size, const char *repeat, const char *suffix)
{
    char *at = stpcpy(large, prefix);
    while ((size_t)(at - large) + strlen(repeat) + strlen(suffix) <= size)
        at = stpcpy(at, repeat);
    strcpy(at, suffix);
    return large;
}

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
    say_result("mode", seccomp_mode());
    say_result("mode 3", prctl(PR_SET_SECCOMP, 3, "sys_read: 1\n", 0, 0));
    say_result("mode 0", prctl(PR_SET_SECCOMP, 0, 0, 0, 0));
    say_result("mode -1", prctl(PR_SET_SECCOMP, -1L, 0, 0, 0));
    say_result("null", seccomp_filter(NULL));
    say_result("unreadable", seccomp_filter((const char *)8));
    say_result("kernel address", seccomp_filter((const char *)0xffffffff81000000));
    say_result("no colon", seccomp_filter("sys_read 1\n"));
    say_result("unknown name", seccomp_filter("sys_raed: 1\n"));
    say_result("name without sys_", seccomp_filter("read: 1\n"));
    say_result("no name", seccomp_filter(": 1\n"));
    say_result("no expression", seccomp_filter("sys_read:\n"));
    say_result("white space for an expression", seccomp_filter("sys_read:  \t \n"));
    say_result("unknown field", seccomp_filter("sys_read: size == 1\n"));
    say_result("lone =", seccomp_filter("sys_read: fd = 1\n"));
    say_result("unbalanced", seccomp_filter("sys_read: (fd == 1\n"));
    say_result("no value", seccomp_filter("sys_read: fd ==\n"));
    say_result("no number", seccomp_filter("sys_read: fd == one\n"));
    say_result("negative number, unsigned field", seccomp_filter("sys_read: fd == -1\n"));
    say_result("string operator", seccomp_filter("sys_openat: filename ~ \"/etc*\"\n"));
    say_result("expression of 256 bytes", seccomp_filter(text_of("sys_read: fd==", 266, "0", "1")));
    say_result("good line, bad line", seccomp_filter("sys_read: fd == 0\nsys_write: fd\n"));
    say_policy();

    say_result("comments are no lines", seccomp_filter("# sys_read: 1\n"));
    say_result("empty lines are skipped", seccomp_filter("\n\nsys_read: fd <= 100\n\n"));
    say_result("no newline at the end", seccomp_filter("sys_write: fd == 1"));
    say_result("the same name twice narrows", seccomp_filter("sys_lseek: fd > 2\nsys_lseek: fd < 10\n"));
    say_result("1, then an expression", seccomp_filter("sys_dup: 1\nsys_dup: fildes == 0\n"));
    say_result("0 takes away", seccomp_filter("sys_lseek: 0\n"));
    say_result("0 without an entry", seccomp_filter("sys_getpid: 0\n"));
    say_result("expression of 255 bytes", seccomp_filter(text_of("sys_close: fd==", 266, "0", "1")));
    say_result("taken away again", seccomp_filter("sys_close: 0\n"));
    say_result("narrowed too far", seccomp_filter(text_of("sys_read: fd <= ", 254, "0", "1\n")));
    say_result("strict mode with a policy", seccomp_strict());
    say_result("back to none", prctl(PR_SET_SECCOMP, 0, 0, 0, 0));
    say_policy();
    say_result("enforce",
               seccomp_filter("sys_openat: 1\nsys_close: 1\nsys_prctl: 1\nsys_exit_group: 1\non_next_syscall: 1\n"));
    say_result("add while enforced", seccomp_filter("sys_getpid: 1\n"));
    say_result("narrow while enforced", seccomp_filter("sys_prctl: option <= 22\n"));
    say_result("narrow badly while enforced", seccomp_filter("sys_prctl: option <= \n"));
    say_result("strict while enforced", seccomp_strict());
    say_result("mode", seccomp_mode());
    say_policy();
    return 0;
}
