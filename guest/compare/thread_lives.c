/* Threads' lives: TLS, attributes, guard pages, detached ones, fork and exec among them, exits. */
// build: -pthread
#include "show.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>

static __thread int tls_data = 7;
static __thread char tls_zero[100];
static sem_t done;
static volatile int running;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *with_tls(void *number)
{
    int fresh = tls_data == 7 && tls_zero[50] == 0;
    tls_data = (long)number;
    memset(tls_zero, tls_data, sizeof tls_zero);
    for (int i = 0; i < 20; i++)
        sched_yield();
    return (void *)(long)(fresh && tls_data == (long)number && tls_zero[99] == (char)tls_data);
}

static void *nothing(void *unused)
{
    return unused;
}

static void *posts(void *unused)
{
    sem_post(&done);
    return unused;
}

static void *deep(void *pages)
{
    char block[4096];
    memset(block, 1, sizeof block);
    __asm__ volatile("" : : "r"(block) : "memory");
    return (long)pages > 0 ? deep((char *)pages - 1) : (void *)(long)block[0];
}

static void *spins(void *unused)
{
    running++;
    for (;;)
        __asm__ volatile("");
    return unused;
}

static void *sleeps(void *unused)
{
    running++;
    for (;;)
        pause();
    return unused;
}

static void *identity(void *unused)
{
    check("a thread's id is not the process's", syscall(SYS_gettid) != getpid());
    char name[16] = "";
    pthread_setname_np(pthread_self(), "worker");
    show_file("comm", "/proc/thread-self/comm");
    pthread_getname_np(pthread_self(), name, sizeof name);
    printf("name %s\n", name);
    return unused;
}

static void *executes(void *argument)
{
    execl("/proc/self/exe", "again", argument, NULL);
    return NULL;
}

static void *exits(void *unused)
{
    exit(23);
    return unused;
}

static void *returns_later(void *unused)
{
    usleep(5000);
    puts("the last thread returns");
    return unused;
}

static void *overflows(void *unused)
{
    char block[65536];
    __asm__ volatile("" : : "r"(block) : "memory");
    return block[0] ? unused : overflows(block);
}

static int forks;

static void at_fork(void)
{
    forks++;
}

/* What a child process with threads does, and its status. */
static void child(const char *what, void *(*body)(void *), void *argument)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread, other;
        pthread_create(&other, NULL, sleeps, NULL);
        pthread_create(&other, NULL, spins, NULL);
        while (running < 2)
            sched_yield();
        pthread_create(&thread, NULL, body, argument);
        pthread_join(thread, NULL);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    printf("%s: status %#x\n", what, status);
}

int main(int argc, char **argv)
{
    pthread_t threads[8], thread;
    pthread_attr_t attributes;
    void *value;
    size_t size;
    int status, good = 0, made = 0;
    if (argc > 1 && !strcmp(argv[1], "leave")) {
        pthread_create(&thread, NULL, returns_later, NULL);
        pthread_exit(NULL);
    } else if (argc > 1) {
        check("exec'ed: pid is tid", syscall(SYS_gettid) == getpid());
        return 17;
    }
    for (long i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, with_tls, (void *)(i + 10));
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], &value);
        good += (long)value;
    }
    show("threads with a TLS of their own", good);
    show("main's", tls_data);
    pthread_attr_init(&attributes);
    printf("a stack too small: %s\n", errno_name(pthread_attr_setstacksize(&attributes, 100)));
    pthread_attr_setstacksize(&attributes, 512 * 1024);
    pthread_attr_getguardsize(&attributes, &size);
    show("guard", size >= 4096);
    pthread_create(&thread, &attributes, deep, (void *)100);
    pthread_join(thread, &value);
    show("deep", (long)value);
    char *own = pages(64);
    pthread_attr_setstack(&attributes, own, 64 * PAGE);
    pthread_create(&thread, &attributes, deep, (void *)40);
    pthread_join(thread, &value);
    check("on a stack of one's own", own[30 * PAGE] || own[31 * PAGE]);
    pthread_create(&thread, NULL, identity, NULL);
    pthread_join(thread, NULL);
    sem_init(&done, 0, 0);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 50; i++)
        made += pthread_create(&thread, &attributes, posts, NULL) == 0;
    for (int i = 0; i < 50; i++)
        sem_wait(&done);
    show("detached threads", made);
    for (int i = 0; i < 200; i++) {
        pthread_create(&thread, NULL, nothing, (void *)(long)i);
        pthread_join(thread, &value);
        made += (long)value == i;
    }
    show("and one after the other", made);
    pthread_atfork(at_fork, at_fork, at_fork);
    pthread_create(&thread, NULL, sleeps, NULL);
    while (running < 1)
        sched_yield();
    pid_t pid = fork();
    if (pid == 0) {
        /* The other thread is not here. */
        pthread_mutex_lock(&mutex);
        check("in the child: pid is tid", syscall(SYS_gettid) == getpid());
        pthread_create(&thread, NULL, nothing, (void *)5);
        pthread_join(thread, &value);
        exit((long)value);
    }
    waitpid(pid, &status, 0);
    show("fork among threads", WEXITSTATUS(status));
    show("handlers of pthread_atfork", forks);
    running = 0;
    child("exec from a thread", executes, "x");
    child("exit from a thread", exits, NULL);
    child("stack overflow in a thread", overflows, NULL);
    pid = fork();
    if (pid == 0)
        execl("/proc/self/exe", "again", "leave", NULL);
    waitpid(pid, &status, 0);
    printf("main left first: status %#x\n", status);
    /* Threads that sleep don't keep a process. */
    return 9;
}
