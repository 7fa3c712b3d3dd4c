// build: -static
/*
 * fork.c - what a process costs.
 *
 *   fork [COUNT [MIB [TOUCHED]]]
 *
 * Prints lines `NAME SECONDS COUNT`: `fork` for fork, exit and wait; `vfork` and `exec` for vfork and fork with
 * an exec of this program, which then only exits. With MIB so much anonymous memory is mapped before, of which
 * TOUCHED (all by default) is written to, and only `fork` is measured.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

static char *const child_argv[] = {"fork", "exit", NULL};
static char *const no_environment[] = {NULL};

static void reap(pid_t pid)
{
    int status;

    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        perror("child");
        exit(1);
    }
}

static void forks(long count)
{
    for (long i = 0; i < count; i++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(0);
        reap(pid);
    }
}

static void execs(long count)
{
    for (long i = 0; i < count; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            execve("/proc/self/exe", child_argv, no_environment);
            _exit(127);
        }
        reap(pid);
    }
}

__attribute__((noinline)) static pid_t spawn(void)
{
    pid_t pid = vfork();

    if (pid == 0) {
        execve("/proc/self/exe", child_argv, no_environment);
        _exit(127);
    }
    return pid;
}

static void vforks(long count)
{
    for (long i = 0; i < count; i++)
        reap(spawn());
}

static void measure(const char *name, void (*run)(long), long count)
{
    double start;

    run(count / 10 + 1);
    start = seconds();
    run(count);
    printf("%s %.9f %ld\n", name, seconds() - start, count);
}

int main(int argc, char **argv)
{
    long count, mib, touched;

    if (argc == 2 && strcmp(argv[1], "exit") == 0)
        return 0;
    count = number(argc, argv, 1, 200);
    if (argc <= 2) {
        measure("fork", forks, count);
        measure("exec", execs, count);
        measure("vfork", vforks, count);
        return 0;
    }
    mib = number(argc, argv, 2, 64);
    touched = argc > 3 && strcmp(argv[3], "0") == 0 ? 0 : number(argc, argv, 3, mib);
    {
        char *memory = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED) {
            perror("mmap");
            return 1;
        }
        madvise(memory, mib << 20, MADV_NOHUGEPAGE);
        for (long i = 0; i < touched << 20; i += 4096)
            memory[i] = 1;
    }
    measure("fork", forks, count);
    return 0;
}
