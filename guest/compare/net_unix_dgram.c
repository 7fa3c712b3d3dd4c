/* net_unix_dgram.c - local datagrams and SOCK_SEQPACKET: borders, truncation, full queues, vanished receivers. */
#include "net.h"

static int queued(int fd)
{
    int count = -1;
    ioctl(fd, FIONREAD, &count);
    return count;
}

static void receive(const char *what, int fd, size_t size, int flags)
{
    char data[64];
    struct sockaddr_un from = { 0 };
    struct iovec v = { data, size };
    struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &v, .msg_iovlen = 1 };
    ssize_t got = recvmsg(fd, &m, flags | MSG_DONTWAIT);
    if (got < 0) {
        show(what, got);
        return;
    }
    printf("%s: %zd, from %u '%s', flags %#x\n", what, got, m.msg_namelen, m.msg_namelen ? from.sun_path : "", m.msg_flags);
    show_bytes(what, data, (size_t)got < size ? (size_t)got : size);
}

int main(void)
{
    struct sockaddr_un a, b;
    signal(SIGPIPE, SIG_IGN);
    int r = must("socket", socket(AF_UNIX, SOCK_DGRAM, 0));
    int s = must("socket", socket(AF_UNIX, SOCK_DGRAM, 0));
    socklen_t size = un(&a, "receiver"), small = un(&b, "sender");
    show_poll("new", r);
    show("send nowhere", send(s, "x", 1, 0));
    show("send to nobody", sendto(s, "x", 1, 0, (void *)&a, size));
    must("bind", bind(r, (void *)&a, size));
    show("unnamed sender", sendto(s, "one", 3, 0, (void *)&a, size));
    must("bind", bind(s, (void *)&b, small));
    show("named sender", sendto(s, "two two", 7, 0, (void *)&a, size));
    show("empty", sendto(s, "", 0, 0, (void *)&a, size));
    show("FIONREAD", queued(r));
    show_poll("three", r);
    receive("peek", r, 20, MSG_PEEK);
    receive("one", r, 20, 0);
    show("FIONREAD", queued(r));
    receive("cut", r, 3, 0);
    receive("empty", r, 20, 0);
    receive("none", r, 20, 0);
    sendto(s, "three", 5, 0, (void *)&a, size);
    receive("MSG_TRUNC", r, 2, MSG_TRUNC);
    sendto(s, "four", 4, 0, (void *)&a, size);
    show("recv fault", recv(r, (void *)8, 4, MSG_DONTWAIT));
    receive("lost", r, 20, 0);
    show("out of band", sendto(s, "x", 1, MSG_OOB, (void *)&a, size));
    show("recv out of band", recv(r, &b, 1, MSG_OOB));
    show("connect", connect(s, (void *)&a, size));
    show("send", send(s, "conn", 4, 0));
    int third = must("socket", socket(AF_UNIX, SOCK_DGRAM, 0));
    small = un(&b, "sender");
    show("connect back", connect(r, (void *)&b, small));
    show("from a third", sendto(third, "x", 1, 0, (void *)&a, size));
    show("connect a third", connect(third, (void *)&a, size));
    receive("connected", r, 20, 0);
    b.sun_family = AF_UNSPEC;
    show("disconnect", connect(r, (void *)&b, 2));
    show("length 1", connect(r, (void *)&b, 1));
    show("from a third", sendto(third, "x", 1, 0, (void *)&a, size));
    int count = 0;
    fcntl(third, F_SETFL, O_NONBLOCK);
    while (sendto(third, "y", 1, 0, (void *)&a, size) == 1)
        count++;
    printf("until full: %d, %s\n", count, errno_name(errno));
    show_poll("third", third);
    show_poll("sender", s);
    show("connected sender", send(s, "x", 1, MSG_DONTWAIT));
    receive("one out", r, 5, 0);
    show_poll("sender", s);
    show("too big", sendto(third, pages(70), 70 * PAGE, 0, (void *)&a, size));
    show("shutdown read", shutdown(r, SHUT_RD));
    show("send", send(s, "x", 1, 0));
    show_poll("receiver", r);
    close(r);
    show_poll("sender", s);
    show("send to a closed one", send(s, "x", 1, 0));
    show("again", send(s, "x", 1, 0));
    show("by name", sendto(s, "x", 1, 0, (void *)&a, size));
    show("shutdown write", shutdown(s, SHUT_WR));
    show("send", sendto(s, "x", 1, 0, (void *)&a, size));
    show_poll("sender", s);

    int p[2];
    must("socketpair", socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
    for (count = 0; send(p[0], "z", 1, MSG_DONTWAIT) == 1; count++)
        ;
    printf("until full: %d, %s\n", count, errno_name(errno));
    close(p[1]);
    show_poll("pair closed", p[0]);
    show("send", send(p[0], "z", 1, 0));
    show_pending("error", p[0]);

    must("socketpair", socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p));
    show_poll("seqpacket", p[0]);
    show("write", write(p[0], "first", 5));
    show("write", write(p[0], "second", 6));
    show("FIONREAD", queued(p[1]));
    receive("first", p[1], 20, 0);
    receive("second", p[1], 3, 0);
    receive("none", p[1], 3, 0);
    write(p[0], "last", 4);
    show("shutdown", shutdown(p[0], SHUT_WR));
    receive("last", p[1], 20, 0);
    receive("end", p[1], 20, 0);
    show_poll("end", p[1]);
    show("write after", write(p[0], "x", 1));
    write(p[1], "unread", 6);
    close(p[0]);
    receive("reset", p[1], 20, 0);
    receive("end", p[1], 20, 0);
    show("write", write(p[1], "x", 1));
    r = must("socket", socket(AF_UNIX, SOCK_SEQPACKET, 0));
    show("send unconnected", send(r, "x", 1, 0));
    show("recv unconnected", recv(r, &b, 1, MSG_DONTWAIT));
    show_poll("unconnected", r);
    return 0;
}
