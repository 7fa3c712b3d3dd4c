/*
 * Use case: a launcher that confines what it starts. Without `on_next_syscall` a policy is armed, not enforced:
 * the launcher goes on as before, and from its next execve on the policy holds, for the new program's first
 * instruction already. The execve itself is not held to it.
 *
 * The policy here is what the C library's start needs, and what the confined half does.
 */
#include "say.h"
#include "seccomp_filter.h"

static const char policy[] =
    "sys_arch_prctl: 1\n"
    "sys_brk: 1\n"
    "sys_exit_group: 1\n"
    "sys_getrandom: 1\n"
    "sys_mmap: fd == 0xffffffffffffffff\n"
    "sys_mprotect: 1\n"
    "sys_newfstatat: 1\n"
    "sys_prctl: option == 21\n"
    "sys_prlimit64: 1\n"
    "sys_readlink: 1\n"
    "sys_readlinkat: 1\n"
    "sys_rseq: 1\n"
    "sys_set_robust_list: 1\n"
    "sys_set_tid_address: 1\n"
    "sys_write: fd == 1\n";

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "confined") == 0) {
        say_result("confined: mode", seccomp_mode());
        say("confined: asks for its process id\n");
        say("not reached: %ld\n", syscall(SYS_getpid));
        return 1;
    }
    if (seccomp_filter(policy) < 0) {
        perror("seccomp_filter");
        return 2;
    }
    say("launcher: armed, and still free: %s\n", syscall(SYS_getpid) > 0 ? "getpid works" : "?");
    int fd = open("/proc/version", O_RDONLY);
    say("launcher: opens files: %s\n", fd >= 0 ? "yes" : "no");
    close(fd);
    char *args[] = {argv[0], "confined", NULL}, *environment[] = {NULL};
    execve("/proc/self/exe", args, environment);
    say("execve: %s\n", error_name(errno));
    return 2;
}
