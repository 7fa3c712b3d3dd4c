/* A handler in each call that waits: EINTR without SA_RESTART; with it made again, where Linux does. */
#include "show.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <time.h>

enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 };

static volatile int ticks;
static int empty[2], full[2], pair[2], packets[2], listener, backlog, event, epoll, timer, locked;
static struct sockaddr_un address = {AF_UNIX, "busy"};
static pid_t child;
static uint32_t word;

/* The second tick of a call that was made again makes what it waits for happen. */
static void handler(int number)
{
    (void)number;
    if (++ticks < 2)
        return;
    char buffer[4096];
    uint64_t one = 1;
    write(empty[1], "x", 1);
    while (read(full[0], buffer, sizeof buffer) > 0)
        continue;
    write(pair[1], "x", 1);
    write(packets[1], "x", 1);
    write(event, &one, sizeof one);
    if (child > 0)
        kill(child, SIGKILL);
    word = 1;
    syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
    close(accept(backlog, NULL, NULL));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un free_one = {AF_UNIX, "listening"};
    connect(fd, (struct sockaddr *)&free_one, sizeof free_one);
    close(fd);
    struct itimerspec now = {{0, 0}, {0, 1}};
    timerfd_settime(timer, 0, &now, NULL);
}

static void drain(void)
{
    char buffer[4096];
    uint64_t value;
    fcntl(empty[0], F_SETFL, O_NONBLOCK);
    fcntl(full[1], F_SETFL, O_NONBLOCK);
    fcntl(event, F_SETFL, O_NONBLOCK);
    while (read(empty[0], buffer, sizeof buffer) > 0)
        continue;
    memset(buffer, 0, sizeof buffer);
    while (write(full[1], buffer, sizeof buffer) > 0)
        continue;
    while (recv(pair[0], buffer, sizeof buffer, MSG_DONTWAIT) > 0)
        continue;
    while (recv(packets[0], buffer, sizeof buffer, MSG_DONTWAIT) > 0)
        continue;
    while (read(event, &value, sizeof value) > 0)
        continue;
    fcntl(empty[0], F_SETFL, 0);
    fcntl(full[1], F_SETFL, 0);
    fcntl(event, F_SETFL, 0);
    struct itimerspec off = {{0, 0}, {0, 0}};
    timerfd_settime(timer, 0, &off, NULL);
    word = 0;
    fcntl(listener, F_SETFL, O_NONBLOCK);
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;)
        close(fd);
    fcntl(listener, F_SETFL, 0);
    int fd, result = 0;
    while (result == 0) {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        result = connect(fd, (struct sockaddr *)&address, sizeof address);
        close(fd);
    }
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    if (child > 0 && kill(child, 0) == 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    if ((child = fork()) == 0)
        for (;;)
            pause();
}

static void report(const char *what, long result)
{
    int error = errno;
    struct itimerval off = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &off, NULL);
    errno = error;
    if (result > 0)
        result = 1;
    printf("%-22s ticks %d: ", what, ticks >= 2 ? 2 : ticks);
    printf("%s\n", result == -1 ? errno_name(errno) : result ? "positive" : "0");
}

static void begin(void)
{
    struct itimerval every = {{0, 30000}, {0, 30000}};
    drain();
    ticks = 0;
    errno = 0;
    setitimer(ITIMER_REAL, &every, NULL);
}

#define TRY(what, call) \
    do {                \
        begin();        \
        report(what, call); \
    } while (0)

static void all(int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    struct timespec long_time = {5, 0}, left;
    struct timeval long_timeval = {5, 0};
    struct pollfd fd = {.fd = empty[0], .events = POLLIN};
    struct epoll_event ready;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct iovec vector;
    char buffer[4096];
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    siginfo_t info;
    sigset_t usr1;
    fd_set set;
    vector.iov_base = buffer;
    vector.iov_len = sizeof buffer;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    printf("-- %s\n", flags ? "with SA_RESTART" : "without");
    sigaction(SIGALRM, &action, NULL);
    TRY("read pipe", read(empty[0], buffer, 1));
    TRY("readv pipe", readv(empty[0], &vector, 1));
    TRY("write pipe", write(full[1], buffer, 1));
    TRY("write pipe, partial", write(full[1], memset(malloc(200000), 0, 200000), 200000));
    TRY("read socket", read(pair[0], buffer, 1));
    TRY("recv", recv(pair[0], buffer, 1, 0));
    TRY("recvfrom datagram", recvfrom(packets[0], buffer, 1, 0, NULL, NULL));
    TRY("recvmsg", recvmsg(pair[0], &message, 0));
    TRY("accept", accept(listener, NULL, NULL));
    TRY("connect, full backlog", connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address));
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &long_timeval, sizeof long_timeval);
    TRY("recv, SO_RCVTIMEO", recv(pair[0], buffer, 1, 0));
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){0, 0}, sizeof long_timeval);
    TRY("eventfd", read(event, buffer, 8));
    TRY("timerfd", read(timer, buffer, 8));
    TRY("wait4", wait4(child, NULL, 0, NULL));
    TRY("waitid", waitid(P_PID, child, &info, WEXITED));
    TRY("futex", syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0));
    TRY("futex, timeout", syscall(SYS_futex, &word, FUTEX_WAIT, 0, &long_time, NULL, 0));
    TRY("poll", poll(&fd, 1, -1));
    TRY("poll, timeout", poll(&fd, 1, 5000));
    TRY("ppoll", ppoll(&fd, 1, &long_time, &usr1));
    FD_ZERO(&set);
    FD_SET(empty[0], &set);
    TRY("select", select(empty[0] + 1, &set, NULL, NULL, NULL));
    FD_SET(empty[0], &set);
    long_timeval.tv_sec = 5;
    TRY("select, timeout", select(empty[0] + 1, &set, NULL, NULL, &long_timeval));
    FD_SET(empty[0], &set);
    TRY("pselect", pselect(empty[0] + 1, &set, NULL, NULL, &long_time, &usr1));
    TRY("epoll_wait", epoll_wait(epoll, &ready, 1, -1));
    TRY("epoll_wait, timeout", epoll_wait(epoll, &ready, 1, 5000));
    TRY("epoll_pwait", epoll_pwait(epoll, &ready, 1, 5000, &usr1));
    TRY("nanosleep", nanosleep(&long_time, &left));
    check("the rest", left.tv_sec == 4);
    TRY("pause", pause());
    sigset_t none;
    sigemptyset(&none);
    TRY("sigsuspend", sigsuspend(&none));
    TRY("sigtimedwait", syscall(SYS_rt_sigtimedwait, &usr1, NULL, &long_time, 8));
    TRY("splice", splice(empty[0], NULL, full[1], NULL, 10, 0));
    /* What the handler can't make ready: only without SA_RESTART. */
    if (flags)
        return;
    TRY("flock", flock(locked, LOCK_EX));
    TRY("F_SETLKW", fcntl(locked, F_SETLKW, &lock));
    TRY("F_OFD_SETLKW", fcntl(locked, F_OFD_SETLKW, &lock));
    TRY("open FIFO, reading", open("fifo", O_RDONLY));
    TRY("open FIFO, writing", open("fifo", O_WRONLY));
    TRY("send, full", send(packets[0], buffer, 1, 0) - send(packets[0], buffer, sizeof buffer, MSG_DONTWAIT));
}

static int unix_listener(const char *name, int length)
{
    struct sockaddr_un at = {AF_UNIX, ""};
    int fd = must("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    strcpy(at.sun_path, name);
    must("bind", bind(fd, (struct sockaddr *)&at, sizeof at));
    must("listen", listen(fd, length));
    return fd;
}

int main(void)
{
    int ready[2];
    char byte;
    pipe(empty);
    pipe(full);
    pipe(ready);
    fcntl(full[0], F_SETFL, O_NONBLOCK);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, packets);
    listener = unix_listener("listening", 5);
    backlog = unix_listener("busy", 0);
    fcntl(backlog, F_SETFL, O_NONBLOCK);
    event = eventfd(0, 0);
    timer = timerfd_create(CLOCK_MONOTONIC, 0);
    epoll = epoll_create1(0);
    struct epoll_event interest = {EPOLLIN, {.fd = 0}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, empty[0], &interest);
    mkfifo("fifo", 0600);
    put_file("locked", "x");
    pid_t holder = fork();
    if (holder == 0) {
        int fd = open("locked", O_RDWR), other = open("locked", O_RDWR);
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        flock(fd, LOCK_EX);
        fcntl(other, F_SETLK, &lock);
        write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    read(ready[0], &byte, 1);
    locked = open("locked", O_RDWR);
    all(0);
    all(SA_RESTART);
    kill(holder, SIGKILL);
    kill(child, SIGKILL);
}
