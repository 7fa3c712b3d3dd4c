/* net_tcp_stream.c - TCP over loopback in one process: connecting, events, half-closing, resets. */
#include "net.h"

static void state(const char *what, int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    must("TCP_INFO", getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
    printf("%s: state %d\n", what, info.tcpi_state);
}

static int fresh(int flags)
{
    return must("socket", socket(AF_INET, SOCK_STREAM | flags, 0));
}

int main(void)
{
    int s[2];
    char buffer[16];
    signal(SIGPIPE, SIG_IGN);
    int c = fresh(0);
    show_poll("new", c);
    state("new", c);
    show("send", send(c, "x", 1, 0));
    show("recv", recv(c, buffer, 1, 0));
    show("shutdown", shutdown(c, SHUT_WR));
    show("accept", accept(c, NULL, NULL));
    struct sockaddr_in a = in4("127.0.0.1", 1), b;
    socklen_t size = sizeof b;
    show("getpeername", getpeername(c, (void *)&b, &size));
    close(c);

    c = fresh(0);
    show("refused", connect(c, (void *)&a, sizeof a));
    show_poll("refused", c);
    show("refused again", connect(c, (void *)&a, sizeof a));
    close(c);
    c = fresh(SOCK_NONBLOCK);
    show("refused, not waiting", connect(c, (void *)&a, sizeof a));
    show_poll("refused", c);
    show_pending("error", c);
    show_pending("error again", c);
    show("connect again", connect(c, (void *)&a, sizeof a));
    show("and again", connect(c, (void *)&a, sizeof a));
    close(c);
    c = fresh(SOCK_NONBLOCK);
    connect(c, (void *)&a, sizeof a);
    show("recv after refusal", recv(c, buffer, 1, 0));
    show("recv again", recv(c, buffer, 1, 0));
    close(c);

    int listener = tcp_listener(1);
    a.sin_port = htons(port_of(listener));
    show_poll("listening", listener);
    state("listening", listener);
    show("send to a listener", send(listener, "x", 1, 0));
    show("recv from it", recv(listener, buffer, 1, 0));
    show("connect it", connect(listener, (void *)&a, sizeof a));
    show("listen again", listen(listener, 0));
    c = fresh(SOCK_NONBLOCK);
    show("connect", connect(c, (void *)&a, sizeof a));
    show_poll("connected", c);
    show("connect again", connect(c, (void *)&a, sizeof a));
    show("and again", connect(c, (void *)&a, sizeof a));
    show_poll("to accept", listener);
    show("early", send(c, "early", 5, 0));
    int third = fresh(SOCK_NONBLOCK);
    connect(third, (void *)&a, sizeof a);
    show_poll("beyond the backlog", third);
    state("beyond the backlog", third);
    show("connect again", connect(third, (void *)&a, sizeof a));
    show("send", send(third, "x", 1, 0));
    show("recv", recv(third, buffer, 1, 0));
    show("getpeername", getpeername(third, (void *)&b, &size));
    size = sizeof b;
    int d = must("accept", accept(listener, (void *)&b, &size));
    printf("size %u family %d from %s\n", size, b.sin_family, inet_ntoa(b.sin_addr));
    check("the client's port", ntohs(b.sin_port) == port_of(c));
    check("the listener's port", ntohs(a.sin_port) == port_of(d));
    show_recv("early", d, 16, 0);
    close(listener);
    close(third);

    state("one end", c);
    state("other end", d);
    show("write", write(d, "hello", 5));
    int count = -1;
    ioctl(c, FIONREAD, &count);
    show("FIONREAD", count);
    show_poll("data", c);
    show_recv("peek", c, 3, MSG_PEEK);
    show_recv("drop", c, 2, MSG_TRUNC);
    show_recv("rest", c, 9, 0);
    show("send nothing", send(c, "", 0, 0));
    show("send with an address", sendto(c, "x", 1, 0, (void *)&a, sizeof a));
    show_recv("x", d, 4, 0);
    show("SHUT_WR", shutdown(c, SHUT_WR));
    usleep(100000);
    state("half closed", c);
    state("other end", d);
    show_poll("half closed", c);
    show_poll("other end", d);
    show_recv("end", d, 4, 0);
    show("send", send(c, "x", 1, 0));
    show("other way", send(d, "still", 5, 0));
    show_recv("still", c, 9, 0);
    show("SHUT_RD", shutdown(d, SHUT_RD));
    show("SHUT_WR", shutdown(d, SHUT_WR));
    show_poll("all closed", c);
    show_poll("all closed", d);
    state("all closed", c);
    show_recv("end", c, 4, 0);
    show("getpeername", getpeername(c, (void *)&b, &size));
    show("shutdown again", shutdown(c, SHUT_WR));
    close(c);
    close(d);

    tcp_pair(s);
    close(s[1]);
    state("other closed", s[0]);
    show_poll("other closed", s[0]);
    show("first write", write(s[0], "x", 1));
    usleep(1000);
    show_poll("then", s[0]);
    show("second write", write(s[0], "x", 1));
    show("third write", write(s[0], "x", 1));
    show_recv("read", s[0], 4, 0);
    close(s[0]);

    tcp_pair(s);
    send(s[0], "unread", 6, 0);
    send(s[1], "sent", 4, 0);
    close(s[1]);
    usleep(1000);
    show_poll("closed with data unread", s[0]);
    show_recv("what was sent", s[0], 9, 0);
    show_recv("reset", s[0], 9, 0);
    show_recv("end", s[0], 9, 0);
    show("write", write(s[0], "x", 1));
    close(s[0]);

    tcp_pair(s);
    struct linger now = { 1, 0 };
    setsockopt(s[1], SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(s[1]);
    usleep(1000);
    show_poll("closed by a reset", s[0]);
    show_pending("error", s[0]);
    show_recv("end", s[0], 9, 0);
    show("getpeername", getpeername(s[0], (void *)&b, &size));
    close(s[0]);

    tcp_pair(s);
    a.sin_family = AF_UNSPEC;
    show("disconnect", connect(s[0], (void *)&a, sizeof a));
    usleep(1000);
    show_poll("disconnected", s[0]);
    show_poll("the other", s[1]);
    show_recv("the other", s[1], 4, 0);
    close(s[0]);
    close(s[1]);

    tcp_pair(s);
    send(s[0], "ab!cd", 5, 0);
    show("urgent", send(s[0], "efg", 3, MSG_OOB));
    send(s[0], "hi", 2, 0);
    usleep(1000);
    show_poll("urgent", s[1]);
    ioctl(s[1], SIOCATMARK, &count);
    show("at mark", count);
    ioctl(s[1], FIONREAD, &count);
    show("FIONREAD", count);
    show_recv("up to it", s[1], 16, 0);
    ioctl(s[1], SIOCATMARK, &count);
    show("at mark", count);
    show_recv("peek it", s[1], 4, MSG_OOB | MSG_PEEK);
    show_recv("out of band", s[1], 4, MSG_OOB);
    show_recv("again", s[1], 4, MSG_OOB);
    show_poll("after", s[1]);
    show_recv("rest", s[1], 16, 0);
    show_recv("none", s[1], 4, MSG_OOB);
    return 0;
}
