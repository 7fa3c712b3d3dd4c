/*
 * A way around that is shut: the 32-bit entry, `int 0x80`, has numbers of its own (4 is write there and stat here).
 * Filters that 64-bit calls set are not held against 32-bit calls: those are refused, all of them.
 *
 * The argument says how: "free" with no policy at all, "write" or "exit" under a policy that allows both calls.
 */
#include "say.h"
#include "seccomp_filter.h"

static const char policy[] =
    "sys_write: fd == 1\n"
    "sys_exit: 1\n"
    "sys_exit_group: 1\n"
    "sys_newstat: 1\n"
    "on_next_syscall: 1\n";

/* Below 4 GiB, as 32-bit calls need it: static programs are linked there. */
static const char text[] = "by int 0x80\n";

static long call32(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "free";
    if (strcmp(how, "free") == 0) {
        say("write: %ld\n", call32(4, 1, (long)text, sizeof text - 1));
        say("call 9999: %ld\n", call32(9999, 0, 0, 0));
        call32(1, 7, 0, 0);
        say("not reached\n");
        return 1;
    }
    if (seccomp_filter(policy) < 0) {
        perror("seccomp_filter");
        return 2;
    }
    say("confined, by syscall\n");
    if (strcmp(how, "exit") == 0)
        call32(1, 0, 0, 0);
    call32(4, 1, (long)text, sizeof text - 1);
    say("not reached\n");
    return 1;
}
