/* Mutexes of every type, spinlocks and semaphores: what they exclude, and what their errors are. */
// build: -pthread
#include "show.h"
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

enum { THREADS = 6, ROUNDS = 400 };

static pthread_mutex_t mutex;
static pthread_spinlock_t spin;
static sem_t semaphore;
static volatile long counter;

static void report(const char *what, int error)
{
    printf("%s: %s\n", what, error ? errno_name(error) : "0");
}

static struct timespec in(int milliseconds)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += milliseconds * 1000000L;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static void *by_mutex(void *recursive)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        if (recursive)
            pthread_mutex_lock(&mutex);
        long before = counter;
        if (i % 16 == 0)
            sched_yield();
        counter = before + 1;
        if (recursive)
            pthread_mutex_unlock(&mutex);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *by_spinlock(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_spin_lock(&spin);
        counter++;
        pthread_spin_unlock(&spin);
    }
    return NULL;
}

static void *by_semaphore(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        while (sem_wait(&semaphore))
            continue;
        long before = counter;
        if (i % 16 == 0)
            sched_yield();
        counter = before + 1;
        sem_post(&semaphore);
    }
    return NULL;
}

static void *from_another(void *unused)
{
    struct timespec at = in(10);
    (void)unused;
    report("another: trylock", pthread_mutex_trylock(&mutex));
    report("another: timedlock", pthread_mutex_timedlock(&mutex, &at));
    return NULL;
}

static void *unlocks(void *unused)
{
    (void)unused;
    report("another: unlock", pthread_mutex_unlock(&mutex));
    return NULL;
}

static void all(const char *what, void *(*body)(void *), void *argument)
{
    pthread_t threads[THREADS];
    counter = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, body, argument);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%s: %ld\n", what, counter);
}

static void one(void *(*body)(void *))
{
    pthread_t thread;
    pthread_create(&thread, NULL, body, NULL);
    pthread_join(thread, NULL);
}

static void type(const char *name, int kind)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, kind);
    printf("-- %s\n", name);
    report("init", pthread_mutex_init(&mutex, &attributes));
    all("counted", by_mutex, kind == PTHREAD_MUTEX_RECURSIVE ? &mutex : NULL);
    pthread_mutex_lock(&mutex);
    one(from_another);
    if (kind != PTHREAD_MUTEX_NORMAL) {
        one(unlocks);
        report("relock", pthread_mutex_lock(&mutex));
    } else {
        struct timespec at = in(10);
        report("relock, timed", pthread_mutex_timedlock(&mutex, &at));
    }
    report("unlock", pthread_mutex_unlock(&mutex));
    if (kind == PTHREAD_MUTEX_RECURSIVE)
        report("unlock", pthread_mutex_unlock(&mutex));
    if (kind != PTHREAD_MUTEX_NORMAL)
        report("unlock once too often", pthread_mutex_unlock(&mutex));
    report("destroy", pthread_mutex_destroy(&mutex));
}

int main(void)
{
    type("normal", PTHREAD_MUTEX_NORMAL);
    type("recursive", PTHREAD_MUTEX_RECURSIVE);
    type("error checking", PTHREAD_MUTEX_ERRORCHECK);
    pthread_spin_init(&spin, 0);
    all("spinlock", by_spinlock, NULL);
    pthread_spin_lock(&spin);
    report("spin trylock", pthread_spin_trylock(&spin));
    sem_init(&semaphore, 0, 1);
    all("semaphore", by_semaphore, NULL);
    struct timespec at = in(10);
    sem_wait(&semaphore);
    show("sem_trywait", sem_trywait(&semaphore));
    show("sem_timedwait", sem_timedwait(&semaphore, &at));
    int value;
    sem_post(&semaphore);
    sem_post(&semaphore);
    sem_getvalue(&semaphore, &value);
    show("sem_getvalue", value);
}
