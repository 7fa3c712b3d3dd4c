/* Signals and threads: to one thread, to the process, per-thread masks and pending sets, sigwait. */
// build: -pthread
#include "show.h"
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <sys/signalfd.h>
#include <time.h>

static sem_t ready;
static __thread int self;
static volatile int handled_by[4], order;
static volatile sig_atomic_t stop;

static void handler(int number)
{
    (void)number;
    handled_by[self]++;
}

static void *pauses(void *number)
{
    self = (long)number;
    sem_post(&ready);
    while (!stop)
        pause();
    return NULL;
}

static void *blocks(void *number)
{
    sigset_t set, pending;
    self = (long)number;
    sigfillset(&set);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
    sem_post(&ready);
    while (!stop)
        usleep(1000);
    sigpending(&pending);
    show("pending for the thread", sigismember(&pending, SIGUSR1));
    sigemptyset(&set);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
    show("handled after unblocking", handled_by[self]);
    return NULL;
}

static void *waits(void *set)
{
    int number;
    for (;;) {
        sigwait(set, &number);
        printf("sigwait: %d\n", number);
        sem_post(&ready);
        if (number == SIGTERM)
            return NULL;
    }
}

static void *timed(void *set)
{
    siginfo_t info;
    struct timespec shortly = {0, 5000000};
    show("sigtimedwait", sigtimedwait(set, &info, &shortly));
    sem_post(&ready);
    show("sigwaitinfo", sigwaitinfo(set, &info));
    printf("code %d value %d own pid %d\n", info.si_code, info.si_value.sival_int, info.si_pid == getpid());
    return NULL;
}

static sigjmp_buf *volatile back;

static void *faults(void *unused)
{
    sigjmp_buf here;
    volatile int caught = 0;
    (void)unused;
    back = &here;
    for (volatile int i = 0; i < 10; i++)
        if (sigsetjmp(here, 1) == 0)
            *(volatile int *)16 = 1;
        else
            caught++;
    return (void *)(long)caught;
}

static void fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (number == SIGSEGV && info->si_addr == (void *)16)
        siglongjmp(*back, 1);
    _exit(98);
}

int main(void)
{
    pthread_t threads[4], thread;
    struct sigaction action = {.sa_handler = handler};
    sigset_t set, none;
    void *value;
    sem_init(&ready, 0, 0);
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&none);
    for (long i = 1; i <= 2; i++)
        pthread_create(&threads[i], NULL, pauses, (void *)i);
    pthread_create(&threads[3], NULL, blocks, (void *)3);
    for (int i = 0; i < 3; i++)
        sem_wait(&ready);
    show("pthread_kill", pthread_kill(threads[1], SIGUSR1));
    show("pthread_kill", pthread_kill(threads[1], 0));
    while (!handled_by[1])
        usleep(1000);
    printf("handled by %d %d %d %d\n", handled_by[0], handled_by[1], handled_by[2], handled_by[3]);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR1);
    while (handled_by[1] + handled_by[2] < 2)
        usleep(1000);
    check("the process's, by a thread that does not block it",
          handled_by[1] + handled_by[2] == 2 && handled_by[0] + handled_by[3] == 0);
    pthread_kill(threads[3], SIGUSR1);
    stop = 1;
    pthread_kill(threads[1], SIGUSR1);
    pthread_kill(threads[2], SIGUSR1);
    for (int i = 1; i <= 3; i++)
        pthread_join(threads[i], NULL);
    kill(getpid(), SIGUSR1);
    sigset_t pending;
    sigpending(&pending);
    show("pending for the process", sigismember(&pending, SIGUSR1));
    show("main handled", handled_by[0]);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    show("main handled", handled_by[0]);

    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGRTMIN + 3);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_create(&thread, NULL, waits, &set);
    int numbers[] = {SIGUSR1, SIGRTMIN + 3, SIGTERM};
    for (int i = 0; i < 3; i++) {
        kill(getpid(), numbers[i]);
        sem_wait(&ready);
    }
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, timed, &set);
    sem_wait(&ready);
    union sigval number = {.sival_int = 1234};
    sigqueue(getpid(), SIGRTMIN + 3, number);
    pthread_join(thread, NULL);

    struct sigaction segv = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &segv, NULL);
    pthread_create(&thread, NULL, faults, NULL);
    pthread_join(thread, &value);
    show("faults in a thread", (long)value);
    pthread_kill(pthread_self(), SIGTERM);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    puts("not reached");
}
