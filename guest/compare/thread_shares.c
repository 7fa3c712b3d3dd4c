/* What threads share and what they don't: files, directory, umask, ids, children, clocks, /proc, exec. */
// build: -pthread
#include "show.h"
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#ifndef __WNOTHREAD
#define __WNOTHREAD 0x20000000
#endif
#ifndef __WALL
#define __WALL 0x40000000
#endif

static int fd, ends[2];
static pid_t child, sleeper, thread_id;
static sem_t step, done;
static clockid_t its_clock;

static void *in(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    void *value;
    pthread_create(&thread, NULL, body, argument);
    pthread_join(thread, &value);
    return value;
}

static int entries(const char *path)
{
    int count = 0;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return -1;
    for (struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void *changes(void *unused)
{
    mkdir("sub", 0777);
    chdir("sub");
    umask(027);
    fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    struct rlimit limit = {50, 60};
    setrlimit(RLIMIT_NOFILE, &limit);
    setpriority(PRIO_PROCESS, 0, 5);
    return unused;
}

static void *forks(void *unused)
{
    if ((child = fork()) == 0)
        _exit(6);
    return unused;
}

static void *forks_and_waits(void *unused)
{
    int status;
    pid_t own = fork();
    if (own == 0)
        _exit(8);
    show("__WNOTHREAD, another's child", waitpid(sleeper, &status, __WNOTHREAD | WNOHANG));
    show("__WNOTHREAD, its own", waitpid(own, &status, __WNOTHREAD) == own ? WEXITSTATUS(status) : -2);
    return unused;
}

/* The parent that PR_SET_PDEATHSIG means is the thread that forked. */
static void *forks_and_ends(void *unused)
{
    if ((child = fork()) == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        write(ends[1], "x", 1);
        for (;;)
            pause();
    }
    char byte;
    read(ends[0], &byte, 1);
    return unused;
}

static void *works(void *unused)
{
    struct timespec used = {0, 0};
    thread_id = syscall(SYS_gettid);
    pthread_getcpuclockid(pthread_self(), &its_clock);
    while (used.tv_nsec < 2000000)
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    sem_post(&done);
    sem_wait(&step);
    return unused;
}

static void *ids(void *unused)
{
    show("another thread's uid", getuid());
    show("and effective gid", getegid());
    return unused;
}

static void *waits_for_ids(void *unused)
{
    sem_post(&done);
    sem_wait(&step);
    return ids(unused);
}

static void *executes(void *unused)
{
    prctl(PR_SET_NAME, "its own name");
    alarm(50);
    execl("/proc/self/exe", "again", "exec", NULL);
    return unused;
}

static void *waits(void *unused)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (int number;;)
        sigwait(&set, &number);
    return unused;
}

static void again(void)
{
    struct sigaction action;
    sigset_t set;
    show("tasks", entries("/proc/self/task"));
    sigaction(SIGUSR2, NULL, &action);
    check("ignored stays", action.sa_handler == SIG_IGN);
    sigaction(SIGHUP, NULL, &action);
    check("handled is default", action.sa_handler == SIG_DFL);
    sigpending(&set);
    show("pending for the process stays", sigismember(&set, SIGRTMIN));
    sigprocmask(SIG_SETMASK, NULL, &set);
    show("blocked stays", sigismember(&set, SIGRTMIN));
    check("alarm stays", alarm(0) > 40);
    check("pid is tid", syscall(SYS_gettid) == getpid());
    show_file("comm is the program's", "/proc/self/comm");
    exit(31);
}

int main(int argc, char **argv)
{
    int status;
    struct stat info;
    struct timespec used;
    struct rlimit limit;
    pthread_t thread;
    char path[64];
    if (argc > 1)
        again();
    sem_init(&step, 0, 0);
    sem_init(&done, 0, 0);
    pipe(ends);
    in(changes, NULL);
    show("the other's descriptor", write(fd, "text", 4));
    show_file("the other's directory", "file");
    stat("file", &info);
    printf("the other's umask: %o\n", info.st_mode);
    getrlimit(RLIMIT_NOFILE, &limit);
    show("the other's limit", limit.rlim_cur);
    show("but not its niceness", getpriority(PRIO_PROCESS, 0));

    in(forks, NULL);
    show("another's child", waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : -2);
    if ((sleeper = fork()) == 0)
        for (;;)
            pause();
    in(forks_and_waits, NULL);
    kill(sleeper, SIGKILL);
    show("__WALL", waitpid(sleeper, &status, __WALL) == sleeper ? WTERMSIG(status) : -2);
    in(forks_and_ends, NULL);
    show("the forking thread ended", waitpid(child, &status, 0) == child ? WTERMSIG(status) : -2);

    show("tasks", entries("/proc/self/task"));
    pthread_create(&thread, NULL, works, NULL);
    sem_wait(&done);
    show("tasks", entries("/proc/self/task"));
    show("its clock", clock_gettime(its_clock, &used));
    check("its time", used.tv_nsec >= 2000000);
    sprintf(path, "/proc/self/task/%d/status", thread_id);
    show("its directory", access(path, R_OK));
    sprintf(path, "/proc/%d/stat", thread_id);
    show("not listed, but there", access(path, R_OK));
    sem_post(&step);
    pthread_join(thread, NULL);
    while (access(path, R_OK) == 0)
        sched_yield();
    show("gone", access(path, R_OK));
    show("a signal to nobody", syscall(SYS_tgkill, getpid(), thread_id, 0));
    show("its clock", syscall(SYS_clock_gettime, its_clock, &used));

    pid_t pid = fork();
    if (pid == 0) {
        sigset_t set;
        struct sigaction action = {.sa_handler = SIG_IGN};
        sigaction(SIGUSR2, &action, NULL);
        action.sa_handler = (void (*)(int))again;
        sigaction(SIGHUP, &action, NULL);
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, NULL);
        kill(getpid(), SIGRTMIN);
        pthread_create(&thread, NULL, waits, NULL);
        in(executes, NULL);
        _exit(99);
    }
    waitpid(pid, &status, 0);
    printf("status %#x\n", status);
    fflush(stdout);
    if (geteuid() == 0) {
        pthread_create(&thread, NULL, waits_for_ids, NULL);
        sem_wait(&done);
        show("setgid", setgid(65534));
        show("setuid", setuid(65534));
        sem_post(&step);
        pthread_join(thread, NULL);
        show("setuid back", setuid(0));
    }
}
