/*
 * bombs.c - one kind of thing after the other, until the kernel says no. Each prints what it said, and whether it was
 * in time; then everything is given back, and the machine must be as good as new: another fork and another page work.
 *
 *     bombs KIND
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static long count;

static const char *reason(int error)
{
    static char other[16];
    switch (error) {
    case 0: return "nothing";
    case EAGAIN: return "EAGAIN";
    case ENOMEM: return "ENOMEM";
    case EMFILE: return "EMFILE";
    case ENFILE: return "ENFILE";
    case ENOSPC: return "ENOSPC";
    case E2BIG: return "E2BIG";
    case ELOOP: return "ELOOP";
    case ENOBUFS: return "ENOBUFS";
    case ENOLCK: return "ENOLCK";
    case EDQUOT: return "EDQUOT";
    case ENAMETOOLONG: return "ENAMETOOLONG";
    case ETOOMANYREFS: return "ETOOMANYREFS";
    }
    snprintf(other, sizeof other, "%d", error);
    return other;
}

/* The limit on descriptors as high as it goes. */
static void many_files(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int in_child(int (*bomb)(void))
{
    pid_t pid = fork();
    if (!pid)
        _exit(bomb());
    int status;
    while (waitpid(pid, &status, 0) < 0)
        ;
    return status;
}

static int forks(void)
{
    pid_t pid;
    while ((pid = fork()) > 0)
        count++;
    if (!pid) {
        pause();
        _exit(0);
    }
    return errno;
}

static int idle(void *unused)
{
    while (pause())
        ;
    return 0;
}

static int thread_bomb(void)
{
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    char *stack = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    while (clone(idle, stack + (1 << 20), flags, NULL) > 0)
        ;
    return errno;
}

static int touches(void)
{
    for (;;) {
        char *page = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
            return errno;
        memset(page, 1, 1 << 20);
    }
}

static int breaks(void)
{
    for (;;) {
        char *at = sbrk(1 << 20);
        if (at == (void *)-1)
            return errno;
        memset(at, 1, 1 << 20);
    }
}

static int shared(void)
{
    for (;;) {
        char *page = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
            return errno;
        memset(page, 1, 1 << 20);
    }
}

/* Each frame needs the one above, so that no compiler makes a loop of it. */
__attribute__((noinline)) static int deeper(const volatile char *above)
{
    volatile char frame[4096];
    frame[0] = above[0] + 1;
    return deeper(frame) + frame[above[0] & 1];
}

static int recursion(void)
{
    char first = 0;
    return deeper(&first);
}

static int areas(void)
{
    int prot = 0;
    while (mmap(NULL, 4096, prot ^= PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        count++;
    return errno;
}

/* Many areas, in each of many processes. */
static int area_forks(void)
{
    int prot = 0;
    for (int i = 0; i < 20000; i++)
        mmap(NULL, 4096, prot ^= PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return forks();
}

static int file(void)
{
    static char block[1 << 16];
    int fd = open("big", O_CREAT | O_RDWR, 0600), error;
    ssize_t done;
    while ((done = write(fd, block, sizeof block)) > 0)
        count += done;
    error = errno;
    close(fd);
    unlink("big");
    return error;
}

static int files(void)
{
    char name[32];
    mkdir("many", 0700);
    for (;; count++) {
        snprintf(name, sizeof name, "many/%ld", count);
        int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
        if (fd < 0)
            break;
        close(fd);
    }
    int error = errno;
    for (long i = 0; i < count; i++) {
        snprintf(name, sizeof name, "many/%ld", i);
        if (unlink(name))
            return -1;
    }
    rmdir("many");
    return error;
}

static int pipes(void)
{
    int fds[2];
    static char block[1 << 16];
    many_files();
    while (!pipe2(fds, O_NONBLOCK)) {
        while (write(fds[1], block, sizeof block) > 0)
            count++;
    }
    return errno;
}

static int sockets(void)
{
    int fds[2];
    static char block[1 << 14];
    many_files();
    while (!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds)) {
        while (write(fds[1], block, sizeof block) > 0)
            count++;
    }
    return errno;
}

static int descriptors(void)
{
    many_files();
    while (eventfd(0, 0) >= 0)
        count++;
    return errno;
}

/* Many descriptors in each of many processes: no process has too many, all have. */
static int descriptor_forks(void)
{
    many_files();
    for (;;) {
        pid_t pid = fork();
        if (pid < 0)
            return errno;
        if (!pid) {
            while (eventfd(0, 0) >= 0)
                ;
            pause();
        }
    }
}

static int queued(void)
{
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    while (!sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 1}))
        count++;
    return errno;
}

static int watches(void)
{
    many_files();
    int epoll = epoll_create1(0), one = eventfd(0, 0), fd;
    struct epoll_event event = {.events = EPOLLIN};
    while ((fd = dup(one)) >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
        count++;
    return errno;
}

static int instances(void)
{
    while (inotify_init1(0) >= 0)
        count++;
    return errno;
}

static int locks(void)
{
    int fd = open("locked", O_CREAT | O_RDWR, 0600);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    while (count < 3000 && !fcntl(fd, F_SETLK, &lock)) {
        lock.l_start += 2;
        count++;
    }
    return count < 3000 ? errno : 0;
}

static int attributes(void)
{
    static char value[65536];
    char name[32];
    int fd = open("attributes", O_CREAT | O_RDWR, 0600);
    for (;; count++) {
        snprintf(name, sizeof name, "trusted.%ld", count);
        if (fsetxattr(fd, name, value, sizeof value, 0))
            return errno;
    }
}

static int loops(void)
{
    symlink("b", "a");
    symlink("a", "b");
    return open("a", O_RDONLY) < 0 ? errno : 0;
}

static int depth(void)
{
    for (count = 0; count < 4000; count++)
        if (mkdir("d", 0700) || chdir("d"))
            return errno;
    char path[8192];
    int error = getcwd(path, sizeof path) ? 0 : errno;
    /* The kernel's own word: glibc finds a way round it. */
    if (syscall(SYS_getcwd, path, sizeof path) < 0)
        error = errno;
    while (count-- && !chdir(".."))
        rmdir("d");
    return error;
}

static int arguments(void)
{
    long size = 130000;
    char *big = malloc(size + 1), *argv[101], *environment[] = {NULL};
    memset(big, 'x', size);
    big[size] = 0;
    for (int i = 0; i < 100; i++)
        argv[i] = big;
    argv[100] = NULL;
    execve("/proc/self/exe", argv, environment);
    return errno;
}

static int looks(void)
{
    char text[4096];
    for (count = 0; count < 300; count++) {
        DIR *directory = opendir("/proc/self");
        for (struct dirent *entry; (entry = readdir(directory));) {
            int fd = openat(dirfd(directory), entry->d_name, O_RDONLY | O_NONBLOCK);
            if (fd >= 0 && read(fd, text, sizeof text) < 0)
                errno = 0;
            close(fd);
        }
        closedir(directory);
    }
    return 0;
}

static const struct {
    const char *name;
    int (*run)(void);
} bombs[] = {
    {"forks", forks}, {"threads", thread_bomb}, {"touches", touches}, {"breaks", breaks}, {"shared", shared},
    {"recursion", recursion}, {"areas", areas},
    {"area forks", area_forks}, {"file", file}, {"files", files}, {"pipes", pipes},
    {"sockets", sockets}, {"descriptors", descriptors},
    {"descriptor forks", descriptor_forks}, {"queued", queued}, {"watches", watches}, {"instances", instances}, {"locks", locks}, {"attributes", attributes},
    {"loops", loops}, {"depth", depth}, {"arguments", arguments}, {"looks", looks},
};

static int fine(void)
{
    char *page = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(page, 1, 1 << 20);
    int fds[2];
    return pipe(fds) || write(fds[1], page, 4096) != 4096;
}

int main(int argc, char **argv)
{
    /* What a bomb leaves behind is reaped here. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (unsigned i = 0; argc > 1 && i < sizeof bombs / sizeof *bombs; i++) {
        if (strcmp(argv[1], bombs[i].name))
            continue;
        /* Its own group, so that it can end what it started. */
        int status;
        pid_t pid = fork();
        if (!pid) {
            setpgid(0, 0);
            int error = bombs[i].run();
            fprintf(stderr, "%s: %ld\n", argv[1], count);
            printf("%s: %s\n", argv[1], reason(error));
            exit(0);
        }
        waitpid(pid, &status, 0);
        kill(-pid, SIGKILL);
        while (wait(NULL) > 0)
            ;
        if (WIFSIGNALED(status))
            printf("%s: signal %d\n", argv[1], WTERMSIG(status));
        status = in_child(fine);
        printf("afterwards: %s\n", status ? "bad" : "fine");
        return status != 0;
    }
    return 2;
}
