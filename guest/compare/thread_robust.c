/* Robust mutexes: owners that die as threads, processes and by signals; recovery, or none. */
// build: -pthread
#include "show.h"
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

struct shared {
    pthread_mutex_t mutex[3];
    pthread_cond_t cond;
    int ready;
};

static struct shared *shared;

static void report(const char *what, int error)
{
    printf("%s: %s\n", what, error ? errno_name(error) : "0");
}

static void prepare(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    for (int i = 0; i < 3; i++)
        report("init", pthread_mutex_init(&shared->mutex[i], &attributes));
}

static void *holds(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++)
        pthread_mutex_lock(&shared->mutex[i]);
    return NULL;
}

static void *waiter(void *unused)
{
    (void)unused;
    report("waiter: lock", pthread_mutex_lock(&shared->mutex[0]));
    report("waiter: consistent", pthread_mutex_consistent(&shared->mutex[0]));
    report("waiter: unlock", pthread_mutex_unlock(&shared->mutex[0]));
    return NULL;
}

static void child_holds(int how)
{
    int ends[2];
    char byte;
    pipe(ends);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_lock(&shared->mutex[0]);
        write(ends[1], "x", 1);
        usleep(5000);
        if (how == 0)
            _exit(3);
        if (how == 1)
            raise(SIGKILL);
        char *args[] = {"/proc/self/exe", "child", NULL};
        execv(args[0], args);
        _exit(99);
    }
    read(ends[0], &byte, 1);
    report("owner dies meanwhile", pthread_mutex_lock(&shared->mutex[0]));
    int status;
    waitpid(child, &status, 0);
    printf("status %#x\n", status);
    report("consistent", pthread_mutex_consistent(&shared->mutex[0]));
    report("unlock", pthread_mutex_unlock(&shared->mutex[0]));
    report("as before", pthread_mutex_trylock(&shared->mutex[0]));
    report("unlock", pthread_mutex_unlock(&shared->mutex[0]));
    close(ends[0]);
    close(ends[1]);
}

static void all(void)
{
    pthread_t thread, other;
    pthread_create(&thread, NULL, holds, NULL);
    pthread_join(thread, NULL);
    report("lock after a thread's end", pthread_mutex_lock(&shared->mutex[0]));
    report("consistent", pthread_mutex_consistent(&shared->mutex[0]));
    report("unlock", pthread_mutex_unlock(&shared->mutex[0]));
    report("trylock", pthread_mutex_trylock(&shared->mutex[1]));
    report("unlock, not made consistent", pthread_mutex_unlock(&shared->mutex[1]));
    report("lock", pthread_mutex_lock(&shared->mutex[1]));
    struct timespec past = {1, 0};
    report("timedlock", pthread_mutex_timedlock(&shared->mutex[2], &past));
    report("consistent", pthread_mutex_consistent(&shared->mutex[2]));
    report("consistent twice", pthread_mutex_consistent(&shared->mutex[2]));
    report("unlock", pthread_mutex_unlock(&shared->mutex[2]));
    pthread_create(&thread, NULL, holds, NULL);
    pthread_join(thread, NULL);
    pthread_create(&other, NULL, waiter, NULL);
    pthread_join(other, NULL);
    for (int how = 0; how < 3; how++)
        child_holds(how);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return argv[1][0];
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    prepare();
    all();
}
