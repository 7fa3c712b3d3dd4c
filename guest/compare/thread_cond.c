/* Condition variables (signal, broadcast, timed, two clocks), barriers, reader-writer locks, once. */
// build: -pthread
#include "show.h"
#include <pthread.h>
#include <time.h>

enum { THREADS = 5, ITEMS = 300, SLOTS = 4 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int ring[SLOTS], used, first, serials, initialised, go, woken;
static long sums[THREADS], shared[2], torn;

static void *consumer(void *number)
{
    for (;;) {
        pthread_mutex_lock(&mutex);
        while (used == 0)
            pthread_cond_wait(&filled, &mutex);
        int item = ring[first];
        first = (first + 1) % SLOTS;
        used--;
        pthread_cond_signal(&emptied);
        pthread_mutex_unlock(&mutex);
        if (item < 0)
            return NULL;
        sums[(long)number] += item;
    }
}

static void produce(int item)
{
    pthread_mutex_lock(&mutex);
    while (used == SLOTS)
        pthread_cond_wait(&emptied, &mutex);
    ring[(first + used++) % SLOTS] = item;
    pthread_cond_signal(&filled);
    pthread_mutex_unlock(&mutex);
}

static void initialise(void)
{
    sched_yield();
    initialised++;
}

static void *rounds(void *unused)
{
    (void)unused;
    pthread_once(&once, initialise);
    for (int i = 0; i < 20; i++)
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_fetch_add(&serials, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void *waits(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&mutex);
    while (!go)
        pthread_cond_wait(&filled, &mutex);
    woken++;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void *reads_or_writes(void *number)
{
    for (int i = 0; i < 200; i++)
        if ((long)number == 0) {
            pthread_rwlock_wrlock(&rwlock);
            shared[0]++;
            if (i % 8 == 0)
                sched_yield();
            shared[1]++;
            pthread_rwlock_unlock(&rwlock);
        } else {
            pthread_rwlock_rdlock(&rwlock);
            torn += shared[0] != shared[1];
            pthread_rwlock_unlock(&rwlock);
        }
    return NULL;
}

static pthread_t threads[THREADS];

static void start(void *(*body)(void *))
{
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, body, (void *)i);
}

static void join(void)
{
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void timed(const char *what, clockid_t clock)
{
    pthread_condattr_t attributes;
    pthread_cond_t never;
    struct timespec begin, at, end;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, clock);
    pthread_cond_init(&never, &attributes);
    clock_gettime(clock, &begin);
    at = begin;
    at.tv_nsec += 20000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    pthread_mutex_lock(&mutex);
    printf("%s: %s\n", what, errno_name(pthread_cond_timedwait(&never, &mutex, &at)));
    pthread_mutex_unlock(&mutex);
    clock_gettime(clock, &end);
    long waited = (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
    check("waited as long", waited >= 19 && waited < 5000);
}

int main(void)
{
    long sum = 0;
    start(consumer);
    for (int i = 1; i <= ITEMS; i++)
        produce(i);
    for (int i = 0; i < THREADS; i++)
        produce(-1);
    join();
    for (int i = 0; i < THREADS; i++)
        sum += sums[i];
    show("sum", sum);
    pthread_barrier_init(&barrier, NULL, THREADS);
    start(rounds);
    join();
    show("serial threads", serials);
    show("initialised", initialised);
    start(waits);
    usleep(1000);
    pthread_mutex_lock(&mutex);
    go = 1;
    pthread_cond_broadcast(&filled);
    pthread_mutex_unlock(&mutex);
    join();
    show("woken", woken);
    timed("realtime", CLOCK_REALTIME);
    timed("monotonic", CLOCK_MONOTONIC);
    start(reads_or_writes);
    join();
    show("written", shared[0]);
    show("torn reads", torn);
    pthread_rwlock_rdlock(&rwlock);
    printf("another reader: %d\n", pthread_rwlock_tryrdlock(&rwlock));
    printf("a writer: %s\n", errno_name(pthread_rwlock_trywrlock(&rwlock)));
    pthread_rwlock_unlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    printf("a writer now: %d\n", pthread_rwlock_trywrlock(&rwlock));
    printf("a reader: %s\n", errno_name(pthread_rwlock_tryrdlock(&rwlock)));
    struct timespec past = {1, 0};
    printf("a reader, timed: %s\n", errno_name(pthread_rwlock_timedrdlock(&rwlock, &past)));
}
