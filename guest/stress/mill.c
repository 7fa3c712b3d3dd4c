/*
 * mill.c - processes x threads x pipes, futexes and signals, for a while:
 *
 *     mill PROCESSES THREADS SECONDS [TIMES]
 *
 * In every process the threads stand in a ring of pipes and hand bytes on; each counts under one mutex, now and then
 * meets the others at a barrier, and sends signals to its process. The processes are started anew as they end. After
 * each of TIMES runs, what the machine has left is printed: the free memory, the open files and the tasks.
 */
// build: -pthread
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 12, MOST_THREADS = 64 };

static int threads, ring[MOST_THREADS][2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static long counted;
static volatile sig_atomic_t signals;

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    _exit(1);
}

static void on_signal(int signal)
{
    signals++;
}

static void *work(void *argument)
{
    long number = (long)argument;
    int from = ring[number][0], to = ring[(number + 1) % threads][1];
    char bytes[256];
    memset(bytes, (int)number, sizeof bytes);
    for (int round = 0; round < ROUNDS; round++) {
        size_t size = 1 + (number * 37 + round * 11) % sizeof bytes;
        if (write(to, bytes, size) != (ssize_t)size)
            fail("write");
        size_t wanted = 1 + ((number + threads - 1) % threads * 37 + round * 11) % sizeof bytes;
        while (wanted) {
            ssize_t got = read(from, bytes, wanted);
            if (got <= 0)
                fail("read");
            wanted -= got;
        }
        pthread_mutex_lock(&lock);
        counted++;
        if (counted % threads == 0)
            pthread_cond_broadcast(&turned);
        else if (round % 3 == 0) {
            struct timespec until;
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += 5000000;
            if (until.tv_nsec >= 1000000000)
                until.tv_sec++, until.tv_nsec -= 1000000000;
            pthread_cond_timedwait(&turned, &lock, &until);
        }
        pthread_mutex_unlock(&lock);
        if (round % 4 == 1)
            kill(getpid(), SIGUSR1);
        if (round % 4 == 3)
            pthread_barrier_wait(&barrier);
    }
    return NULL;
}

/* One process: 0 if all that had to happen did. */
static int mill(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pthread_barrier_init(&barrier, NULL, threads);
    char *page = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(page, 1, 1 << 16);
    for (int i = 0; i < threads; i++)
        if (pipe(ring[i]))
            fail("pipe");
    pthread_t thread[MOST_THREADS];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    for (long i = 1; i < threads; i++)
        if ((errno = pthread_create(&thread[i], &attributes, work, (void *)i)))
            fail("pthread_create");
    work(0);
    for (int i = 1; i < threads; i++)
        pthread_join(thread[i], NULL);
    return counted == (long)threads * ROUNDS && signals > 0 ? 0 : 1;
}

static long field(const char *path, const char *key)
{
    char text[8192];
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = 0;
    char *at = strstr(text, key);
    return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    int processes = atoi(argv[1]), times = argc > 4 ? atoi(argv[4]) : 1;
    threads = atoi(argv[2]);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int run = 0; run < times; run++) {
        time_t end = time(NULL) + atoi(argv[3]);
        int running = 0, bad = 0, started = 0;
        while (running < processes || time(NULL) < end || running) {
            if (started < processes || time(NULL) < end) {
                if (running < processes) {
                    pid_t pid = fork();
                    if (pid < 0)
                        fail("fork");
                    if (!pid)
                        _exit(mill());
                    running++, started++;
                    continue;
                }
            } else if (!running)
                break;
            int status;
            if (wait(&status) < 0)
                fail("wait");
            running--;
            bad += status != 0;
        }
        fprintf(stderr, "%d processes\n", started);
        printf("bad: %d, free: %ld kB, files: %ld, tasks: %ld\n", bad, field("/proc/meminfo", "MemFree:"),
               field("/proc/sys/fs/file-nr", ""), field("/proc/loadavg", "/"));
    }
    return 0;
}
