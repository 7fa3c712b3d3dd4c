/* Readiness of terminals: poll, select and epoll, level and edge, as buffers fill and ends close. */
#include "tty.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int set;

static void events(const char *what)
{
    struct epoll_event found[8];
    int count = epoll_wait(set, found, 8, 40);
    printf("%s:", what);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < count; j++)
            if (found[j].data.u32 == (unsigned)i)
                printf(" %s %x", i ? "slave" : "master", found[j].events);
    putchar('\n');
}

static void watch(unsigned bits)
{
    if (set)
        close(set);
    set = epoll_create1(0);
    for (unsigned i = 0; i < 2; i++) {
        struct epoll_event event = {.events = bits, .data.u32 = i};
        show("add", epoll_ctl(set, EPOLL_CTL_ADD, i ? slave : master, &event));
    }
}

static void selected(const char *what)
{
    fd_set in, out, except;
    struct timeval none = {0, 20000};
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&except);
    FD_SET(master, &in);
    FD_SET(slave, &in);
    FD_SET(master, &out);
    FD_SET(slave, &out);
    FD_SET(master, &except);
    int count = select(slave > master ? slave + 1 : master + 1, &in, &out, &except, &none);
    printf("%s: %d in %d%d out %d%d except %d\n", what, count, !!FD_ISSET(master, &in), !!FD_ISSET(slave, &in),
           !!FD_ISSET(master, &out), !!FD_ISSET(slave, &out), !!FD_ISSET(master, &except));
}

int main(void)
{
    static char text[4096];
    open_pair();
    puts("level");
    watch(EPOLLIN);
    events("nothing");
    TYPE("part");
    events("no line yet");
    TYPE("\n");
    events("a line");
    events("still");
    read_once("line", slave, 100);
    events("read");
    show("write", write(slave, "out", 3));
    events("output");
    selected("select");
    drain("out", master);
    TYPE("\x04");
    events("end of file");
    read_once("end", slave, 100);
    events("read");

    puts("edge");
    watch(EPOLLIN | EPOLLET);
    TYPE("one\n");
    events("a line");
    events("again");
    TYPE("two\n");
    events("another");
    read_once("line", slave, 100);
    read_once("line", slave, 100);

    puts("full");
    fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
    memset(text, 'x', sizeof text);
    long size = 0, got;
    while ((got = write(slave, text, sizeof text)) > 0) {
        size += got;
        usleep(20000);
    }
    show("full", got);
    check("at least what a line discipline holds", size >= 4096);
    watch(EPOLLOUT);
    events("no room in the slave");
    selected("select");
    static char all[1 << 17];
    fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
    long back = 0;
    while (back < size) {
        got = read(master, all, sizeof all);
        if (got > 0)
            back += got;
        else
            usleep(1000);
    }
    events("room");
    struct pollfd ready = {slave, POLLOUT, 0};
    show("poll", poll(&ready, 1, 0));

    puts("a sleeper in poll is woken");
    fflush(stdout);
    int pid = fork();
    if (!pid) {
        usleep(60000);
        write(master, "wake\n", 5);
        _exit(0);
    }
    ready.events = POLLIN;
    show("poll", poll(&ready, 1, 5000));
    waitpid(pid, NULL, 0);
    fcntl(slave, F_SETFL, O_RDWR);
    read_once("line", slave, 100);

    puts("hangup");
    watch(EPOLLIN);
    drain("echo", master);
    close(slave);
    events("slave closed");
    return 0;
}
