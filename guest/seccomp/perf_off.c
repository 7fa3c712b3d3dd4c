/*
 * Use case: a large and young system call is shut off before untrusted input is parsed. perf_event_open(2) had its
 * share of holes; a program that never needs it makes sure that no one who takes it over has it either. This
 * policy lists what the parser may want generously, and leaves that one out.
 *
 * Parses KEY=VALUE lines. The key "exploit" plays an attacker who found a hole in the parser.
 */
#include "say.h"
#include "seccomp_filter.h"

static const char policy[] =
    "sys_read: 1\n"
    "sys_write: 1\n"
    "sys_openat: 1\n"
    "sys_close: 1\n"
    "sys_lseek: 1\n"
    "sys_mmap: 1\n"
    "sys_munmap: 1\n"
    "sys_brk: 1\n"
    "sys_newfstat: 1\n"
    "sys_getpid: 1\n"
    "sys_rt_sigreturn: 1\n"
    "sys_exit: 1\n"
    "sys_exit_group: 1\n"
    "on_next_syscall: 1\n";

static void parse(char *line)
{
    char *value = strchr(line, '=');
    if (value == NULL) {
        say("no value: %s\n", line);
        return;
    }
    *value++ = 0;
    if (strcmp(line, "exploit") == 0) {
        say("the attacker calls perf_event_open\n");
        syscall(SYS_perf_event_open, value, 0, -1, -1, 0);
        say("not reached\n");
    }
    say("%s is %s\n", line, value);
}

int main(void)
{
    char text[4096], *save;
    if (seccomp_filter(policy) < 0) {
        perror("seccomp_filter");
        return 2;
    }
    ssize_t size = read(0, text, sizeof text - 1);
    if (size < 0)
        return 1;
    text[size] = 0;
    for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
        parse(line);
    return 0;
}
