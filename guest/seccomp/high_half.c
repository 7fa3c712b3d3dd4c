/*
 * A hole to know: filters see whole 64-bit registers, calls that take an int look at the low half. `fd != 3` means
 * to protect descriptor 3, and lets 0x100000003 pass, which the call takes for 3. `fd == 1` has no such hole: it
 * refuses 0x100000001. A policy says what is allowed, never what is not.
 *
 * The argument "equal" chooses a policy of the second kind.
 */
#include "say.h"
#include "seccomp_filter.h"

static const char unequal[] =
    "sys_write: fd != 3\n"
    "sys_pread64: 1\n"
    "sys_exit_group: 1\n"
    "on_next_syscall: 1\n";

static const char equal[] =
    "sys_write: fd == 1\n"
    "sys_exit_group: 1\n"
    "on_next_syscall: 1\n";

int main(int argc, char **argv)
{
    char text[32];
    int by_equal = argc > 1 && strcmp(argv[1], "equal") == 0;
    int fd = open("/tmp/protected", O_RDWR | O_CREAT | O_TRUNC, 0600);
    say("the protected file is descriptor %d\n", fd);
    if (seccomp_filter(by_equal ? equal : unequal) < 0) {
        perror("seccomp_filter");
        return 2;
    }
    if (by_equal) {
        say("writing to 0x100000001\n");
        syscall(SYS_write, 0x100000001, "no\n", 3);
        say("not reached\n");
        return 1;
    }
    say_result("writing to 0x100000003", syscall(SYS_write, 0x100000003, "walked around", 13));
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    text[size < 0 ? 0 : size] = 0;
    say("the file has: %s\n", text);
    say("writing to 3\n");
    syscall(SYS_write, 3, "no\n", 3);
    say("not reached\n");
    return 1;
}
