/* Cancellation: deferred, asynchronous, disabled, in calls that wait; clean-up handlers and keys. */
// build: -pthread
#include "show.h"
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <time.h>

static int ends[2];
static sem_t ready, cancelled;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_key_t key;

static void cleanup(void *text)
{
    printf("cleanup %s\n", (char *)text);
}

static void unlock(void *held)
{
    puts("cleanup: unlock");
    pthread_mutex_unlock(held);
}

static void destroy(void *text)
{
    printf("destructor %s\n", (char *)text);
}

static void *in_read(void *unused)
{
    char byte;
    (void)unused;
    pthread_setspecific(key, "of a reader");
    pthread_cleanup_push(cleanup, "outer");
    pthread_cleanup_push(cleanup, "inner");
    sem_post(&ready);
    read(ends[0], &byte, 1);
    puts("not reached");
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *in_sleep(void *unused)
{
    (void)unused;
    sem_post(&ready);
    for (;;)
        sleep(100);
}

static void *in_poll(void *unused)
{
    struct pollfd fd = {ends[0], POLLIN, 0};
    (void)unused;
    sem_post(&ready);
    poll(&fd, 1, -1);
    return NULL;
}

static void *in_cond(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(unlock, &mutex);
    sem_post(&ready);
    pthread_cond_wait(&never, &mutex);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *spins(void *unused)
{
    volatile long count = 0;
    (void)unused;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    sem_post(&ready);
    for (;;)
        count++;
}

static void *disabled(void *unused)
{
    int old;
    (void)unused;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    sem_post(&ready);
    sem_wait(&cancelled);
    puts("waited, although cancelled");
    pthread_setcancelstate(old, NULL);
    pthread_testcancel();
    puts("not reached");
    return NULL;
}

static void *loops(void *unused)
{
    (void)unused;
    sem_post(&ready);
    for (;;)
        pthread_testcancel();
}

static void *exits(void *unused)
{
    (void)unused;
    pthread_setspecific(key, "of a leaver");
    pthread_cleanup_push(cleanup, "at pthread_exit");
    pthread_exit("its value");
    pthread_cleanup_pop(0);
    return NULL;
}

static void *waits_for(void *other)
{
    void *value;
    sem_post(&ready);
    pthread_join(*(pthread_t *)other, &value);
    return NULL;
}

static void cancel(const char *what, void *(*body)(void *), void *argument)
{
    pthread_t thread;
    void *value;
    printf("-- %s\n", what);
    pthread_create(&thread, NULL, body, argument);
    sem_wait(&ready);
    usleep(3000);
    int error = pthread_cancel(thread);
    sem_post(&cancelled);
    pthread_join(thread, &value);
    printf("pthread_cancel: %d\n", error);
    check("cancelled", value == PTHREAD_CANCELED);
}

int main(void)
{
    pthread_t thread, sleeper;
    void *value;
    sem_init(&ready, 0, 0);
    sem_init(&cancelled, 0, 0);
    pipe(ends);
    pthread_key_create(&key, destroy);
    cancel("read", in_read, NULL);
    cancel("sleep", in_sleep, NULL);
    cancel("poll", in_poll, NULL);
    cancel("pthread_cond_wait", in_cond, NULL);
    printf("mutex free again: %d\n", pthread_mutex_trylock(&mutex));
    cancel("asynchronous", spins, NULL);
    while (sem_trywait(&cancelled) == 0)
        continue;
    cancel("disabled", disabled, NULL);
    cancel("pthread_testcancel", loops, NULL);
    pthread_create(&sleeper, NULL, in_sleep, NULL);
    sem_wait(&ready);
    cancel("pthread_join", waits_for, &sleeper);
    pthread_cancel(sleeper);
    pthread_join(sleeper, NULL);
    pthread_create(&thread, NULL, exits, NULL);
    pthread_join(thread, &value);
    printf("pthread_exit: %s\n", (char *)value);
}
