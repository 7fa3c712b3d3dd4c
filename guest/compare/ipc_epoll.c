/*
 * epoll(7): level, edge, one shot, order of events, nesting and its loops, errors, what closing does.
 */
#include "show.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

static struct epoll_event got[8];

static void wait_now(const char *what, int ep, int max)
{
    int n = epoll_wait(ep, got, max, 0);
    printf("%s: %s", what, n < 0 ? errno_name(errno) : "");
    for (int i = 0; i < n; i++)
        printf(" %c=%#x", (char)got[i].data.u64, got[i].events);
    puts("");
}

static int add(int ep, int fd, unsigned events, char name)
{
    struct epoll_event event = {.events = events, .data.u64 = name};
    return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
}

static int mod(int ep, int fd, unsigned events, char name)
{
    struct epoll_event event = {.events = events, .data.u64 = name};
    return epoll_ctl(ep, EPOLL_CTL_MOD, fd, &event);
}

static void errors(void)
{
    int ep = must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    show("FD_CLOEXEC", fcntl(ep, F_GETFD));
    show("flags", fcntl(ep, F_GETFL));
    show("epoll_create1", epoll_create1(1));
    show("epoll_create 0", epoll_create(0));
    show("epoll_create -1", epoll_create(-1));
    int event = eventfd(0, 0);
    int file = open("file", O_CREAT | O_RDWR, 0600);
    struct epoll_event e = {.events = EPOLLIN};
    show("regular file", add(ep, file, EPOLLIN, 'f'));
    show("directory", add(ep, open(".", O_RDONLY), EPOLLIN, 'd'));
    show("/dev/null", add(ep, open("/dev/null", O_RDWR), EPOLLIN, 'n'));
    show("itself", add(ep, ep, EPOLLIN, 'e'));
    show("bad fd", add(ep, 99, EPOLLIN, 'e'));
    show("bad epfd", add(99, event, EPOLLIN, 'e'));
    show("not an epfd", add(event, ep, EPOLLIN, 'e'));
    show("null event", epoll_ctl(ep, EPOLL_CTL_ADD, event, NULL));
    show("null event, bad fd", epoll_ctl(99, EPOLL_CTL_ADD, event, NULL));
    show("unknown op", epoll_ctl(ep, 9, event, &e));
    show("not there", epoll_ctl(ep, EPOLL_CTL_DEL, event, NULL));
    show("not there", mod(ep, event, EPOLLIN, 'e'));
    show("add", add(ep, event, EPOLLIN, 'e'));
    show("again", add(ep, event, EPOLLIN, 'e'));
    show("a copy", add(ep, dup(event), EPOLLIN, 'c'));
    show("exclusive, bad bits", add(ep, dup(event), EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 'x'));
    int exclusive = dup(event);
    show("exclusive", add(ep, exclusive, EPOLLIN | EPOLLEXCLUSIVE, 'x'));
    show("mod exclusive", mod(ep, exclusive, EPOLLIN, 'x'));
    show("mod to exclusive", mod(ep, event, EPOLLIN | EPOLLEXCLUSIVE, 'x'));
    show("wait: no events", epoll_wait(ep, got, 0, 0));
    show("wait: too many", epoll_wait(ep, got, 0x7fffffff, 0));
    show("wait: not epoll", epoll_wait(event, got, 1, 0));
    show("wait: bad fd", epoll_wait(99, got, 0, 0));
    show("wait: bad pointer", epoll_wait(ep, (void *)-4096, 1, 0));
    eventfd_write(event, 1);
    show("wait: bad pointer, event", epoll_wait(ep, (void *)4096, 1, 0));
    show("wait: size of mask", syscall(SYS_epoll_pwait, ep, got, 1, 0, got, 4));
    struct timespec bad = {0, 1000000000}, none = {0, 0};
    show("pwait2: bad time", syscall(SYS_epoll_pwait2, ep, got, 1, &bad, NULL, 8));
    show("pwait2: pointer", syscall(SYS_epoll_pwait2, ep, got, 1, (void *)8, NULL, 8));
    show("pwait2", syscall(SYS_epoll_pwait2, ep, got, 8, &none, NULL, 8));
    char byte[8];
    show("read", read(ep, byte, 8));
    show("write", write(ep, byte, 8));
    show("lseek", lseek(ep, 0, SEEK_SET));
}

static void levels(void)
{
    int ep = epoll_create1(0), a = eventfd(0, EFD_NONBLOCK), b = eventfd(0, EFD_NONBLOCK), c = eventfd(5, EFD_NONBLOCK);
    eventfd_t value;
    add(ep, a, EPOLLIN, 'a');
    add(ep, b, EPOLLIN | EPOLLET, 'b');
    add(ep, c, EPOLLIN | EPOLLOUT | EPOLLONESHOT, 'c');
    wait_now("c is ready", ep, 8);
    wait_now("was reported", ep, 8);
    eventfd_write(b, 1);
    eventfd_write(a, 1);
    eventfd_write(c, 1);
    wait_now("b then a", ep, 8);
    wait_now("a alone", ep, 8);
    eventfd_write(b, 1);
    wait_now("a, b again", ep, 8);
    eventfd_read(b, &value);
    eventfd_read(a, &value);
    wait_now("nothing", ep, 8);
    show("mod", mod(ep, c, EPOLLIN | EPOLLONESHOT, 'C'));
    eventfd_write(a, 1);
    eventfd_write(b, 1);
    wait_now("one", ep, 1);
    wait_now("one", ep, 1);
    wait_now("one", ep, 1);
    wait_now("one", ep, 1);
    wait_now("one", ep, 1);
    show("mod to edge", mod(ep, a, EPOLLIN | EPOLLET, 'A'));
    wait_now("reported once", ep, 8);
    wait_now("not twice", ep, 8);
    show("mod reports", mod(ep, a, EPOLLIN | EPOLLET, 'A'));
    wait_now("again", ep, 8);
    show("mod to none", mod(ep, a, 0, 'A'));
    eventfd_write(a, 1);
    wait_now("nothing", ep, 8);
    close(a);
    close(b);
    close(c);
    wait_now("all closed", ep, 8);
    close(ep);
}

static void pipes(void)
{
    int ep = epoll_create1(0), fd[2];
    static char bytes[65536];
    must("pipe2", pipe2(fd, O_NONBLOCK));
    add(ep, fd[0], EPOLLIN | EPOLLET | EPOLLRDHUP, 'r');
    add(ep, fd[1], EPOLLOUT | EPOLLET, 'w');
    wait_now("writable", ep, 8);
    write(fd[1], "ab", 2);
    wait_now("readable", ep, 8);
    read(fd[0], bytes, 1);
    wait_now("half read", ep, 8);
    write(fd[1], "c", 1);
    wait_now("more", ep, 8);
    show("fill", write(fd[1], bytes, 65536));
    wait_now("full", ep, 8);
    show("too much", write(fd[1], bytes, 65536));
    wait_now("after EAGAIN", ep, 8);
    show("read", read(fd[0], bytes, 2));
    wait_now("not a page yet", ep, 8);
    show("read", read(fd[0], bytes, 8192));
    wait_now("room", ep, 8);
    show("read", read(fd[0], bytes, 4096));
    wait_now("more room", ep, 8);
    int copy = dup(fd[1]);
    close(fd[1]);
    wait_now("a copy is open", ep, 8);
    close(copy);
    wait_now("no writer", ep, 8);
    wait_now("once", ep, 8);
    close(fd[0]);

    must("pipe2", pipe2(fd, O_NONBLOCK));
    add(ep, fd[1], EPOLLOUT, 'w');
    add(ep, fd[0], 0, 'r');
    close(fd[0]);
    wait_now("no reader", ep, 8);
    show("removed", epoll_ctl(ep, EPOLL_CTL_DEL, fd[1], NULL));
    wait_now("none", ep, 8);
    close(ep);
}

static void nested(void)
{
    int ep[7], event = eventfd(0, EFD_NONBLOCK);
    for (int i = 0; i < 7; i++)
        ep[i] = epoll_create1(0);
    for (int i = 0; i < 6; i++)
        show("nest", add(ep[i + 1], ep[i], EPOLLIN, '0' + i));
    show("loop", add(ep[0], ep[3], EPOLLIN, 'l'));
    show("loop", add(ep[0], ep[1], EPOLLIN, 'l'));
    show("event", add(ep[0], event, EPOLLIN, 'e'));
    wait_now("outside", ep[3], 8);
    eventfd_write(event, 1);
    wait_now("outside", ep[3], 8);
    wait_now("inside", ep[0], 8);
    eventfd_read(event, &(eventfd_t){0});
    wait_now("outside", ep[3], 8);
    wait_now("inside", ep[0], 8);
    int edge = epoll_create1(0);
    add(edge, ep[0], EPOLLIN | EPOLLET, 'E');
    eventfd_write(event, 1);
    wait_now("edge", edge, 8);
    wait_now("edge", edge, 8);
    eventfd_write(event, 1);
    wait_now("edge", edge, 8);
    wait_now("inside", ep[0], 8);
}

static void timed(void)
{
    int ep = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec spec = {{0, 0}, {0, 20000000}};
    add(ep, timer, EPOLLIN, 't');
    show("nothing within 1 ms", epoll_wait(ep, got, 8, 1));
    show("settime", timerfd_settime(timer, 0, &spec, NULL));
    show("in time", epoll_wait(ep, got, 8, 5000));
    uint64_t ticks = 0;
    show("read", read(timer, &ticks, 8));
    show("ticks", ticks);
    struct timespec left = {0, 3000000};
    show("pwait2", syscall(SYS_epoll_pwait2, ep, got, 8, &left, NULL, 8));
    timerfd_settime(timer, 0, &spec, NULL);
    show("for ever", epoll_wait(ep, got, 8, -1));
}

int main(void)
{
    errors();
    levels();
    pipes();
    nested();
    timed();
}
