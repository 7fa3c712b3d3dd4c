/*
 * Use case: strict mode, for pure computation: read, write, exit and rt_sigreturn, and no clock of any kind. The
 * time-stamp counter goes with it, as it would tell code how long others took: rdtsc becomes a fault.
 *
 * Reads a number, sums up to it, and exits with 4. The argument says how it ends instead: "rdtsc" (SIGSEGV),
 * "exit_group", "getpid", "mode", "signal" (a handler runs and returns by rt_sigreturn, then exit with 4).
 */
#include "say.h"
#include "seccomp_filter.h"
#include <signal.h>

static void handler(int number)
{
    say("handler of %d\n", number);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    char text[32] = "";
    unsigned low, high;
    signal(SIGTRAP, handler);
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    if (seccomp_strict() < 0) {
        perror("seccomp_strict");
        return 2;
    }
    read(0, text, sizeof text - 1);
    long up_to = strtol(text, NULL, 10), sum = 0;
    for (long i = 1; i <= up_to; i++)
        sum += i;
    say("sum %ld\n", sum);
    if (strcmp(how, "rdtsc") == 0) {
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        say("not reached\n");
    }
    if (strcmp(how, "getpid") == 0)
        syscall(SYS_getpid);
    if (strcmp(how, "mode") == 0)
        seccomp_mode();
    if (strcmp(how, "exit_group") == 0)
        syscall(SYS_exit_group, 0);
    if (strcmp(how, "signal") == 0)
        __asm__ volatile("int3");
    syscall(SYS_exit, 4);
    return 1;
}
