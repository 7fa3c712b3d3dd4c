/*
 * seccomp_filter.h - a process confines itself by filters over system calls, by name and by argument.
 *
 * This is the whole interface of the kernel's 2011 surface (`seccomp_abi=v1`), made of prctl(2) alone. The
 * file depends on nothing else here: copy it.
 *
 * A policy is text, one call a line:
 *
 *     sys_read: fd == 0
 *     sys_write: (fd == 1) || (fd == 2)
 *     sys_exit_group: 1
 *     on_next_syscall: 1
 *
 * NAME: 1 allows a call, NAME: EXPRESSION allows it where the expression over its arguments is true,
 * NAME: 0 takes a permission away, and what is not named is refused. A refused call is never carried out: the
 * thread that made it dies as by SIGKILL, and the kernel log says which call it was. With `on_next_syscall: 1`
 * enforcement begins with the call after this one; without it, with the next execve.
 *
 * Arguments are compared as whole 64-bit registers, unsigned. Say `fd == 1`, not `fd != 3`: a call that looks at
 * 32 bits takes 0x100000003 for descriptor 3 (high_half.c).
 */
#ifndef SECCOMP_FILTER_H
#define SECCOMP_FILTER_H

#include <sys/prctl.h>

#ifndef PR_GET_SECCOMP
#define PR_GET_SECCOMP 21
#define PR_SET_SECCOMP 22
#endif

enum { SECCOMP_NONE = 0, SECCOMP_STRICT = 1, SECCOMP_FILTER = 2 };

/*
 * Install POLICY, or narrow the one there is. All of it or nothing: -1 and errno leave things as they were.
 * EFAULT: no text. EINVAL: a line without a colon, an unknown name, a bad expression. E2BIG: narrowed beyond 255
 * bytes. EACCES: a new name once a policy is enforced. EPERM: in strict mode.
 */
static inline int seccomp_filter(const char *policy)
{
    return prctl(PR_SET_SECCOMP, SECCOMP_FILTER, policy, 0, 0);
}

/* From now on read, write, exit and rt_sigreturn only, and no time-stamp counter. EPERM: under a policy. */
static inline int seccomp_strict(void)
{
    return prctl(PR_SET_SECCOMP, SECCOMP_STRICT, 0, 0, 0);
}

/* SECCOMP_NONE or SECCOMP_FILTER. (In strict mode the question itself is fatal.) */
static inline int seccomp_mode(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
}

#endif
