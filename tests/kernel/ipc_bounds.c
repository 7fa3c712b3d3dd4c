/* Takes as much of every kind of IPC object as there is, gives it back, and says how each ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ids[40000];
static struct { long type; char text[8192]; } message = {1};

static void semaphores(void)
{
    int n = 0;
    while ((ids[n] = semget(IPC_PRIVATE, 32000, 0600)) >= 0)
        n++;
    printf("semaphores: %s, %s\n", n > 1 ? "some" : "none", strerror(errno));
    while (n--)
        semctl(ids[n], 0, IPC_RMID, 0);
    int id = semget(IPC_PRIVATE, 32000, 0600);
    printf("again: %s\n", id >= 0 ? "yes" : "no");
    semctl(id, 0, IPC_RMID, 0);
}

static void messages(int size)
{
    int n = 0, result = 0;
    while (n < 40000 && (ids[n] = msgget(IPC_PRIVATE, 0600)) >= 0) {
        n++;
        while ((result = msgsnd(ids[n - 1], &message, size, IPC_NOWAIT)) == 0)
            continue;
        if (errno != EAGAIN)
            break;
    }
    printf("messages of %d: %s\n", size, strerror(errno));
    while (n--)
        msgctl(ids[n], IPC_RMID, NULL);
}

static void memory(void)
{
    if (fork() == 0) {
        for (;;) {
            int id = shmget(IPC_PRIVATE, 16 << 20, 0600);
            if (id < 0)
                _exit(1);
            char *at = shmat(id, NULL, 0);
            shmctl(id, IPC_RMID, NULL);
            if (at == (void *)-1)
                _exit(2);
            for (int i = 0; i < 16 << 20; i += 4096)
                at[i] = 1;
        }
    }
    int status;
    wait(&status);
    printf("shared memory: %s\n", WIFSIGNALED(status) ? "killed" : "exit");
}

static void queues(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    struct mq_attr attr = {.mq_maxmsg = 65536, .mq_msgsize = 8192};
    char name[20];
    int n = 0, fd, last = 0;
    setrlimit(RLIMIT_MSGQUEUE, &limit);
    for (;;) {
        sprintf(name, "q%d", n);
        fd = syscall(SYS_mq_open, name, O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attr);
        if (fd < 0)
            break;
        n++;
        while (syscall(SYS_mq_timedsend, fd, message.text, 8192, 0, NULL) == 0)
            continue;
        last = errno;
        close(fd);
        if (last != EAGAIN && n > 100)
            break;
    }
    printf("queues: %s\n", strerror(last));
    while (n--) {
        sprintf(name, "q%d", n);
        syscall(SYS_mq_unlink, name);
    }
    fd = syscall(SYS_mq_open, "q", O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attr);
    printf("again: %ld\n", syscall(SYS_mq_timedsend, fd, message.text, 8192, 0, NULL));
}

static void timers(void)
{
    int id, n = 0;
    struct rlimit limit = {1000, 1000};
    setrlimit(RLIMIT_SIGPENDING, &limit);
    while (syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id) == 0)
        n++;
    printf("timers: %d, %s\n", n, strerror(errno));
    signal(SIGALRM, SIG_IGN);
    for (int i = 0; i < n; i++)
        syscall(SYS_timer_settime, i, 0, &(struct itimerspec){{0, 1}, {0, 1}}, NULL);
    usleep(20000);
    puts("done");
}

static long free_pages(void)
{
    struct sysinfo info;
    sysinfo(&info);
    return info.freeram * info.mem_unit / 4096;
}

int main(void)
{
    setlinebuf(stdout);
    memory();
    long before = free_pages();
    semaphores();
    messages(8192);
    messages(0);
    memory();
    long lost = before - free_pages();
    printf("lost pages: %s\n", lost < 64 ? "none" : "some");
    queues();
    timers();
    return 0;
}
