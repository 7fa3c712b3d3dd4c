/* net_udp.c - UDP over loopback: borders, connected sockets, refused datagrams, addresses. */
#include "net.h"

static int fresh(void)
{
    return must("socket", socket(AF_INET, SOCK_DGRAM, 0));
}

static int on_port(void)
{
    struct sockaddr_in a = in4("127.0.0.1", 0);
    int fd = fresh();
    must("bind", bind(fd, (void *)&a, sizeof a));
    return fd;
}

int main(void)
{
    char data[64];
    struct sockaddr_in a, b, none;
    socklen_t size;
    signal(SIGPIPE, SIG_IGN);
    int r = on_port(), s = fresh();
    a = in4("127.0.0.1", port_of(r));
    show_poll("new", r);
    show("send nowhere", send(s, "x", 1, 0));
    show("recv", recv(s, data, 1, MSG_DONTWAIT));
    check("no port yet", port_of(s) == 0);
    show("send", sendto(s, "one", 3, 0, (void *)&a, sizeof a));
    check("a port", port_of(s) != 0);
    show("empty", sendto(s, "", 0, 0, (void *)&a, sizeof a));
    show("two", sendto(s, "two two", 7, 0, (void *)&a, sizeof a));
    int count;
    ioctl(r, FIONREAD, &count);
    show("FIONREAD", count);
    show_poll("three", r);
    size = sizeof b;
    show("recvfrom", recvfrom(r, data, 64, 0, (void *)&b, &size));
    printf("size %u from %s\n", size, inet_ntoa(b.sin_addr));
    check("its port", ntohs(b.sin_port) == port_of(s));
    show_recv("empty", r, 9, 0);
    show_recv("peek", r, 3, MSG_PEEK);
    show_recv("cut", r, 3, MSG_TRUNC);
    show_recv("none", r, 9, 0);
    show("short address", sendto(s, "x", 1, 0, (void *)&a, 8));
    none = a;
    none.sin_family = AF_UNIX;
    show("wrong family", sendto(s, "x", 1, 0, (void *)&none, sizeof none));
    none.sin_family = AF_UNSPEC;
    show("no family", sendto(s, "x", 1, 0, (void *)&none, sizeof none));
    none = in4("127.0.0.1", 0);
    show("port 0", sendto(s, "x", 1, 0, (void *)&none, sizeof none));
    none = in4("255.255.255.255", 99);
    show("broadcast", sendto(s, "x", 1, 0, (void *)&none, sizeof none));
    show("out of band", sendto(s, "x", 1, MSG_OOB, (void *)&a, sizeof a));
    show("65508", sendto(s, pages(17), 65508, 0, (void *)&a, sizeof a));
    show("65507", sendto(s, pages(17), 65507, 0, (void *)&a, sizeof a));
    show("fault", sendto(s, (void *)8, 10, 0, (void *)&a, sizeof a));
    show("70000", sendto(s, (void *)8, 70000, 0, (void *)&a, sizeof a));
    show_recv("x", r, 9, 0);
    show_recv("big", r, 9, MSG_TRUNC);
    show_recv("none", r, 9, 0);
    none = in4("127.77.0.1", port_of(r));
    show("not its address", sendto(s, "x", 1, 0, (void *)&none, sizeof none));
    show_recv("none", r, 9, 0);

    int gone = on_port();
    b = in4("127.0.0.1", port_of(gone));
    close(gone);
    show("to nobody", sendto(s, "x", 1, 0, (void *)&b, sizeof b));
    usleep(1000);
    show_pending("error", s);
    show("connect", connect(s, (void *)&b, sizeof b));
    show("send to nobody", send(s, "x", 1, 0));
    usleep(1000);
    show_poll("refused", s);
    show("recv", recv(s, data, 1, MSG_DONTWAIT));
    show("recv", recv(s, data, 1, MSG_DONTWAIT));
    show("send to nobody", send(s, "x", 1, 0));
    usleep(1000);
    show("send", send(s, "x", 1, 0));
    usleep(1000);
    show_pending("error", s);
    show_pending("error", s);

    show("connect to another", connect(s, (void *)&a, sizeof a));
    show("send", send(s, "conn", 4, 0));
    show_recv("conn", r, 9, 0);
    int third = on_port();
    b = in4("127.0.0.1", port_of(s));
    sendto(third, "third", 5, 0, (void *)&b, sizeof b);
    show_recv("not from a third", s, 9, 0);
    sendto(r, "back", 4, 0, (void *)&b, sizeof b);
    show_recv("from the peer", s, 9, 0);
    size = sizeof b;
    show("getpeername", getpeername(s, (void *)&b, &size));
    check("the peer", b.sin_port == a.sin_port);
    size = sizeof b;
    getsockname(s, (void *)&b, &size);
    printf("own address %s\n", inet_ntoa(b.sin_addr));
    show("send to another", sendto(s, "x", 1, 0, (void *)&b, sizeof b));
    b.sin_family = AF_UNSPEC;
    show("disconnect", connect(s, (void *)&b, sizeof b));
    size = sizeof b;
    show("getpeername", getpeername(s, (void *)&b, &size));
    size = sizeof b;
    getsockname(s, (void *)&b, &size);
    printf("own address %s, port %s\n", inet_ntoa(b.sin_addr), b.sin_port ? "some" : "none");
    show("shutdown", shutdown(s, SHUT_RDWR));
    show_poll("shut down", s);
    show("send", sendto(s, "x", 1, 0, (void *)&a, sizeof a));
    show("recv", recv(s, data, 1, MSG_DONTWAIT));
    show("recv, waiting", recv(s, data, 1, 0));
    show("listen", listen(r, 1));
    show("accept", accept(r, NULL, NULL));
    int on = 1;
    show("IP_PKTINFO", setsockopt(r, IPPROTO_IP, IP_PKTINFO, &on, sizeof on));
    s = fresh();
    sendto(s, "info", 4, 0, (void *)&a, sizeof a);
    union {
        char bytes[64];
        struct cmsghdr align;
    } control;
    struct iovec v = { data, 64 };
    struct msghdr m = { .msg_name = &b, .msg_namelen = sizeof b, .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = 64 };
    show("recvmsg", recvmsg(r, &m, 0));
    struct in_pktinfo *info = (void *)CMSG_DATA(&control.align);
    printf("control %zu: level %d type %d interface %d to %s\n", (size_t)m.msg_controllen, control.align.cmsg_level, control.align.cmsg_type, info->ipi_ifindex, inet_ntoa(info->ipi_addr));
    return 0;
}
