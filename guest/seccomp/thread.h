/*
 * thread.h - threads made by clone(2) alone, which end by exit(2) when their function returns.
 *
 * The threads of a C library make calls of their own that a policy would have to name, and some libraries wait for
 * ever for a thread that did not end in their own way. Here the kernel's word counts: it clears `tid` and wakes
 * whoever waits there when the thread is gone, however it ended (CLONE_CHILD_CLEARTID).
 *
 * A thread of this kind has no thread-local storage of its own: let only one at a time use the C library.
 */
#ifndef THREAD_H
#define THREAD_H

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef FUTEX_WAIT
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#endif

struct thread {
    int tid, id; /* tid is 0 once the thread has ended, id stays */
    char stack[32768] __attribute__((aligned(16)));
};

enum {
    THREAD_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM
                 | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID
};

/* The thread's id, or -1 and errno. */
static inline int thread_start(struct thread *thread, int (*run)(void *), void *argument)
{
    int id = clone(run, thread->stack + sizeof thread->stack, THREAD_FLAGS, argument, &thread->tid, (void *)0,
                   &thread->tid);
    thread->id = id;
    return id;
}

static inline void thread_join(struct thread *thread)
{
    int tid;
    while ((tid = __atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE)))
        syscall(SYS_futex, &thread->tid, FUTEX_WAIT, tid, (void *)0, (void *)0, 0);
}

/* A flag that one thread sets and others wait for. */
static inline void flag_set(int *flag)
{
    __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, flag, FUTEX_WAKE, 1 << 30, (void *)0, (void *)0, 0);
}

static inline void flag_wait(int *flag)
{
    while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE))
        syscall(SYS_futex, flag, FUTEX_WAIT, 0, (void *)0, (void *)0, 0);
}

#endif
