/* net_inet6.c - IPv6 over loopback, and IPv4 through it. */
#include "net.h"

static void name(const char *what, int fd, int peer)
{
    struct sockaddr_in6 a;
    socklen_t size = sizeof a;
    char text[64];
    int result = peer ? getpeername(fd, (void *)&a, &size) : getsockname(fd, (void *)&a, &size);
    if (result < 0) {
        show(what, result);
        return;
    }
    printf("%s: size %u family %d %s scope %u port %s\n", what, size, a.sin6_family, inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof text),
           a.sin6_scope_id, a.sin6_port ? "some" : "none");
}

static int listener6(const char *host, int only)
{
    int fd = must("socket", socket(AF_INET6, SOCK_STREAM, 0));
    struct sockaddr_in6 a = in6(host, 0);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    must("bind", bind(fd, (void *)&a, sizeof a));
    must("listen", listen(fd, 5));
    return fd;
}

static void try(const char *what, int listener, int family, const char *host)
{
    int port = port_of(listener);
    struct sockaddr_in a = in4(host, port);
    struct sockaddr_in6 b = in6(host, port);
    int c = must("socket", socket(family, SOCK_STREAM, 0));
    int result = family == AF_INET ? connect(c, (void *)&a, sizeof a) : connect(c, (void *)&b, sizeof b);
    printf("-- %s to %s: %s\n", what, host, result ? errno_name(errno) : "ok");
    if (!result) {
        int d = must("accept", accept(listener, NULL, NULL));
        if (family == AF_INET6) {
            name("client", c, 0);
            name("client's peer", c, 1);
        }
        name("server", d, 0);
        name("server's peer", d, 1);
        write(c, "hi", 2);
        show_recv("data", d, 9, 0);
        close(d);
    }
    close(c);
}

int main(void)
{
    int both = listener6("::", 0), only = listener6("::", 1), one = listener6("::1", 0), mapped = listener6("::ffff:127.0.0.1", 0);
    name("both", both, 0);
    name("mapped", mapped, 0);
    try("both", both, AF_INET6, "::1");
    try("both", both, AF_INET6, "::");
    try("both", both, AF_INET6, "::ffff:127.0.0.1");
    try("both", both, AF_INET6, "::ffff:127.0.0.9");
    try("both", both, AF_INET, "127.0.0.1");
    try("both", both, AF_INET, "127.0.0.5");
    try("both", both, AF_INET, "0.0.0.0");
    try("only", only, AF_INET6, "::1");
    try("only", only, AF_INET, "127.0.0.1");
    try("one", one, AF_INET6, "::1");
    try("one", one, AF_INET6, "::ffff:127.0.0.1");
    try("one", one, AF_INET, "127.0.0.1");
    try("mapped", mapped, AF_INET, "127.0.0.1");
    try("mapped", mapped, AF_INET, "127.0.0.2");
    try("mapped", mapped, AF_INET6, "::1");
    try("mapped", mapped, AF_INET6, "::ffff:0.0.0.0");
    int s = must("socket", socket(AF_INET6, SOCK_STREAM, 0)), on = 1;
    struct sockaddr_in a = in4("127.0.0.1", port_of(both));
    struct sockaddr_in6 b = in6("::ffff:127.0.0.1", port_of(both));
    show("IPv4 address", connect(s, (void *)&a, sizeof a));
    show("short", connect(s, (void *)&b, 20));
    show("24 bytes", connect(s, (void *)&b, 24));
    s = must("socket", socket(AF_INET6, SOCK_STREAM, 0));
    setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    show("mapped from IPv6 only", connect(s, (void *)&b, sizeof b));
    show("bind mapped, IPv6 only", bind(s, (void *)&b, sizeof b));
    b = in6("::1", 0);
    show("bind", bind(s, (void *)&b, sizeof b));
    show("V6ONLY when bound", setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));

    int r = must("socket", socket(AF_INET6, SOCK_DGRAM, 0)), u = must("socket", socket(AF_INET, SOCK_DGRAM, 0));
    b = in6("::", 0);
    must("bind", bind(r, (void *)&b, sizeof b));
    a = in4("127.0.0.1", port_of(r));
    setsockopt(r, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    show("to the IPv6 socket", sendto(u, "four", 4, 0, (void *)&a, sizeof a));
    socklen_t size = sizeof b;
    char data[16], text[64];
    show("received", recvfrom(r, data, sizeof data, 0, (void *)&b, &size));
    printf("from %s size %u\n", inet_ntop(AF_INET6, &b.sin6_addr, text, sizeof text), size);
    show("back", sendto(r, "back", 4, 0, (void *)&b, size));
    show_recv("back", u, 16, 0);
    int v = must("socket", socket(AF_INET6, SOCK_DGRAM, 0));
    show("IPv4 address", sendto(v, "x", 1, 0, (void *)&a, sizeof a));
    show("connect", connect(v, (void *)&a, sizeof a));
    name("own", v, 0);
    name("peer", v, 1);
    show("send", send(v, "conn", 4, 0));
    show_recv("x", r, 16, 0);
    show_recv("conn", r, 16, 0);
    b = in6("::1", port_of(r));
    show("to ::1", sendto(v, "x", 1, 0, (void *)&b, sizeof b));
    v = must("socket", socket(AF_INET6, SOCK_DGRAM, 0));
    show("connect", connect(v, (void *)&b, sizeof b));
    name("own", v, 0);
    show("send", send(v, "six", 3, 0));
    show_recv("six", r, 16, 0);
    return 0;
}
