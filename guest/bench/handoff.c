// build: -static -pthread
/*
 * handoff.c - passing the turn between two tasks.
 *
 *   handoff [ROUNDS]
 *
 * Prints lines `NAME SECONDS ROUNDS`: `pipe` for a byte to and fro through two pipes between two processes,
 * `futex` for the turn to and fro between two threads that wait for it in FUTEX_WAIT.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

/* linux/futex.h, which a C library other than the system's may not find */
enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };

static void must(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static void pipes(long rounds)
{
    int there[2], back[2], status;
    double start;
    char byte = 'x';
    pid_t pid;

    must(pipe(there) == 0 && pipe(back) == 0, "pipe");
    pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1)
            if (write(back[1], &byte, 1) != 1)
                _exit(1);
        _exit(0);
    }
    close(there[0]);
    start = seconds();
    for (long i = 0; i < rounds; i++) {
        must(write(there[1], &byte, 1) == 1, "write");
        must(read(back[0], &byte, 1) == 1, "read");
    }
    printf("pipe %.9f %ld\n", seconds() - start, rounds);
    close(there[1]);
    must(waitpid(pid, &status, 0) == pid && status == 0, "child");
    close(back[0]);
    close(back[1]);
}

static int turn;

static void pass(int mine, int theirs)
{
    while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != mine)
        syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, theirs, NULL, NULL, 0);
    __atomic_store_n(&turn, theirs, __ATOMIC_RELEASE);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *other(void *argument)
{
    long rounds = *(long *)argument;

    for (long i = 0; i < rounds; i++)
        pass(1, 0);
    return NULL;
}

static void futexes(long rounds)
{
    pthread_t thread;
    double start;

    must(pthread_create(&thread, NULL, other, &rounds) == 0, "pthread_create");
    start = seconds();
    for (long i = 0; i < rounds; i++)
        pass(0, 1);
    pthread_join(thread, NULL);
    printf("futex %.9f %ld\n", seconds() - start, rounds);
}

int main(int argc, char **argv)
{
    long rounds = number(argc, argv, 1, 10000);

    pipes(rounds);
    futexes(rounds);
    return 0;
}
