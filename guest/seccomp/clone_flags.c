/*
 * Use case: a policy that lets a program have threads but no further processes, by the flags of clone(2). (clone3
 * takes its flags in memory, where no filter can look: it is not in the policy, which is why C libraries need
 * ENOSYS or a permission for it.)
 */
#include "say.h"
#include "seccomp_filter.h"
#include "thread.h"
#include <signal.h>

static const char policy[] =
    "sys_write: fd == 1\n"
    "sys_futex: 1\n"
    "sys_clone: clone_flags == 0x350f00\n"
    "sys_exit: 1\n"
    "sys_exit_group: 1\n"
    "on_next_syscall: 1\n";

static struct thread thread;

static int works(void *unused)
{
    say("a thread\n");
    return 0;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "fork";
    say("thread flags: %#x\n", (unsigned)THREAD_FLAGS);
    if (seccomp_filter(policy) < 0) {
        perror("seccomp_filter");
        return 2;
    }
    thread_start(&thread, works, NULL);
    thread_join(&thread);
    if (!strcmp(how, "clone"))
        syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    else if (!strcmp(how, "high"))
        /* The kernel looks at the low half of the flags, the filter at all of them. */
        syscall(SYS_clone, 0x100000000UL | THREAD_FLAGS, 0, 0, 0, 0);
    else if (!strcmp(how, "clone3"))
        syscall(SYS_clone3, 0, 0);
    else if (!strcmp(how, "fork"))
        syscall(SYS_fork);
    else
        return 0;
    say("not reached\n");
    return 1;
}
