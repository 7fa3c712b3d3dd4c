/*
 * signalfd(2): which signals are read, in which order, and all fields; sharing with sigtimedwait; errors.
 */
#include "show.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

static void get(const char *what, int fd, size_t size)
{
    struct signalfd_siginfo info[4];
    memset(info, 0x55, sizeof info);
    ssize_t n = read(fd, info, size);
    if (n < 0) {
        show(what, n);
        return;
    }
    printf("%s: %zd\n", what, n);
    for (size_t i = 0; i < n / sizeof *info; i++) {
        struct signalfd_siginfo *s = &info[i];
        printf("  signal %u errno %d code %d pid %d uid %u fd %d tid %u band %u overrun %u trap %u status %d int %d"
               " ptr %#llx addr %#llx lsb %u\n",
               s->ssi_signo, s->ssi_errno, s->ssi_code, s->ssi_pid == (unsigned)getpid(), s->ssi_uid, s->ssi_fd, s->ssi_tid,
               s->ssi_band, s->ssi_overrun, s->ssi_trapno, s->ssi_status, s->ssi_int, (unsigned long long)s->ssi_ptr,
               (unsigned long long)s->ssi_addr, s->ssi_addr_lsb);
    }
}

int main(void)
{
    sigset_t all, mask;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigaddset(&mask, SIGCHLD);
    sigaddset(&mask, SIGALRM);
    sigaddset(&mask, SIGRTMIN);
    sigaddset(&mask, SIGKILL);
    int fd = must("signalfd", signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC));
    struct pollfd p = {fd, 0x7fff, 0};
    get("nothing", fd, 128);
    kill(getpid(), SIGUSR2);
    get("another", fd, 128);
    show("poll", poll(&p, 1, 0));
    kill(getpid(), SIGUSR1);
    show("poll", poll(&p, 1, 0));
    printf("revents %#x\n", p.revents);
    sigset_t pending;
    sigpending(&pending);
    check("pending", sigismember(&pending, SIGUSR1));
    get("kill", fd, 512);
    sigpending(&pending);
    check("pending", sigismember(&pending, SIGUSR1));
    check("SIGUSR2 pending", sigismember(&pending, SIGUSR2));
    raise(SIGUSR1);
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_ptr = (void *)0x123456789abc});
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 7});
    raise(SIGALRM);
    get("two", fd, 256 + 100);
    get("the rest", fd, 1000);
    show("127 bytes", read(fd, &p, 127));
    show("write", write(fd, &p, 8));
    raise(SIGUSR1);
    show("bad buffer", read(fd, (void *)8, 128));
    get("lost", fd, 128);

    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    show("another mask", signalfd(fd, &mask, 0) == fd);
    get("SIGUSR2", fd, 128);
    int ep = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
    show("epoll", epoll_wait(ep, &event, 1, 0));
    kill(getpid(), SIGUSR2);
    show("epoll", epoll_wait(ep, &event, 1, 0));
    show("epoll", epoll_wait(ep, &event, 1, 0));
    get("SIGUSR2", fd, 128);
    fcntl(fd, F_SETFL, 0);
    pid_t child = fork();
    if (!child) {
        usleep(20000);
        kill(getppid(), SIGUSR2);
        _exit(3);
    }
    struct signalfd_siginfo info;
    show("read sleeps", read(fd, &info, sizeof info));
    check("from the child", info.ssi_pid == (unsigned)child && info.ssi_signo == SIGUSR2);
    waitpid(child, NULL, 0);
    sigaddset(&mask, SIGCHLD);
    signalfd(fd, &mask, 0);
    show("SIGCHLD", read(fd, &info, sizeof info));
    printf("code %d status %d pid %d\n", info.ssi_code, info.ssi_status, info.ssi_pid == (unsigned)child);

    show("bad flags", signalfd(-1, &mask, 1));
    show("size", syscall(SYS_signalfd4, -1, &mask, 4, 0));
    show("null mask", syscall(SYS_signalfd4, -1, NULL, 8, 0));
    show("null mask, bad flags", syscall(SYS_signalfd4, -1, NULL, 8, 1));
    show("bad fd", signalfd(99, &mask, 0));
    show("not a signalfd", signalfd(ep, &mask, 0));
    ok("old call", syscall(SYS_signalfd, -1, &mask, 8));
}
