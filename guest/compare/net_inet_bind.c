/* net_inet_bind.c - who may have which port: wildcards, reuse, IPv6 next to IPv4, and addresses that nobody has. */
#include "net.h"

static int fresh(int family, int type, int reuse)
{
    int fd = must("socket", socket(family, type, 0)), on = 1;
    if (reuse == 1)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (reuse == 2)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    return fd;
}

static int bind4(int fd, const char *host, int port)
{
    struct sockaddr_in a = in4(host, port);
    return bind(fd, (void *)&a, sizeof a);
}

static int bind6(int fd, const char *host, int port)
{
    struct sockaddr_in6 a = in6(host, port);
    return bind(fd, (void *)&a, sizeof a);
}

static int connect4(int fd, const char *host, int port)
{
    struct sockaddr_in a = in4(host, port);
    return connect(fd, (void *)&a, sizeof a);
}

static void try(int type)
{
    const char *hosts[] = { "127.0.0.1", "127.0.0.2", "0.0.0.0" };
    const char *hosts6[] = { "::1", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0" };
    for (int reuse = 0; reuse < 3; reuse++)
        for (size_t i = 0; i < COUNT(hosts); i++) {
            int first = fresh(AF_INET, type, reuse), on = 1;
            must("bind", bind4(first, hosts[i], 0));
            int port = port_of(first);
            printf("type %d reuse %d first %s\n", type, reuse, hosts[i]);
            for (int again = 0; again < 3; again++)
                for (size_t j = 0; j < COUNT(hosts); j++) {
                    int fd = fresh(AF_INET, type, again);
                    printf("  %s reuse %d: %s\n", hosts[j], again, bind4(fd, hosts[j], port) ? errno_name(errno) : "ok");
                    close(fd);
                }
            for (int only = 0; only < 2; only++)
                for (size_t j = 0; j < COUNT(hosts6); j++) {
                    int fd = fresh(AF_INET6, type, 0);
                    on = only;
                    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
                    printf("  %s only %d: %s\n", hosts6[j], only, bind6(fd, hosts6[j], port) ? errno_name(errno) : "ok");
                    close(fd);
                }
            if (type == SOCK_STREAM) {
                must("listen", listen(first, 5));
                for (int again = 0; again < 3; again++) {
                    int fd = fresh(AF_INET, type, again);
                    printf("  listening, reuse %d: %s\n", again, bind4(fd, hosts[i], port) ? errno_name(errno) : "ok");
                    close(fd);
                }
            }
            close(first);
        }
}

int main(void)
{
    drop_root();
    try(SOCK_STREAM);
    try(SOCK_DGRAM);
    for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
        int fd = fresh(AF_INET, type, 0);
        show("not mine", bind4(fd, "10.1.2.3", 0));
        show("privileged", bind4(fd, "127.0.0.1", 80));
        show("bind", bind4(fd, "127.9.8.7", 0));
        show("twice", bind4(fd, "127.9.8.7", 0));
        struct sockaddr_in a = in4("127.0.0.1", 0);
        show("short", bind(fd, (void *)&a, 15));
        show("short", bind(fd, (void *)&a, 1));
        a.sin_family = AF_INET6;
        show("family", bind(fd, (void *)&a, sizeof a));
        close(fd);
        fd = fresh(AF_INET, type, 0);
        a.sin_family = AF_UNSPEC;
        show("no family", bind(fd, (void *)&a, sizeof a));
        a.sin_addr.s_addr = 0;
        show("no family, any", bind(fd, (void *)&a, sizeof a));
        fd = fresh(AF_INET6, type, 0);
        show("6 not mine", bind6(fd, "2001:db8::1", 0));
        show("6 link", bind6(fd, "fe80::1234", 0));
        show("6 privileged", bind6(fd, "::1", 80));
        show("6 short", bind(fd, (void *)&a, 16));
        show("6 bind", bind6(fd, "::1", 0));
        show("6 twice", bind6(fd, "::1", 0));
        fd = fresh(AF_INET, type, 0);
        show("multicast", bind4(fd, "224.1.2.3", 0));
        fd = fresh(AF_INET, type, 0);
        show("broadcast", bind4(fd, "255.255.255.255", 0));
    }
    /* The end of who closed first keeps the port for a while. */
    int listener = tcp_listener(5), port = port_of(listener);
    int c = fresh(AF_INET, SOCK_STREAM, 0);
    must("connect", connect4(c, "127.0.0.1", port));
    int d = must("accept", accept(listener, NULL, NULL));
    close(listener);
    int s = fresh(AF_INET, SOCK_STREAM, 0);
    show("connection left", bind4(s, "127.0.0.1", port));
    close(d);
    close(c);
    usleep(100000);
    show("time-wait", bind4(s, "127.0.0.1", port));
    s = fresh(AF_INET, SOCK_STREAM, 1);
    show("time-wait, reuse, old one without", bind4(s, "127.0.0.1", port));
    show("time-wait, another address", bind4(fresh(AF_INET, SOCK_STREAM, 0), "127.0.0.2", port));

    listener = fresh(AF_INET, SOCK_STREAM, 1);
    must("bind", bind4(listener, "127.0.0.1", 0));
    must("listen", listen(listener, 5));
    port = port_of(listener);
    c = fresh(AF_INET, SOCK_STREAM, 0);
    must("connect", connect4(c, "127.0.0.1", port));
    d = must("accept", accept(listener, NULL, NULL));
    close(listener);
    s = fresh(AF_INET, SOCK_STREAM, 1);
    show("connection left, both reuse", bind4(s, "127.0.0.1", port));
    show("listen", listen(s, 5));
    close(s);
    close(d);
    close(c);
    usleep(100000);
    show("time-wait, not reuse", bind4(fresh(AF_INET, SOCK_STREAM, 0), "127.0.0.1", port));
    show("time-wait, both reuse", bind4(fresh(AF_INET, SOCK_STREAM, 1), "127.0.0.1", port));

    int one = fresh(AF_INET, SOCK_STREAM, 1), two = fresh(AF_INET, SOCK_STREAM, 1);
    must("bind", bind4(one, "127.0.0.1", 0));
    show("both bound", bind4(two, "127.0.0.1", port_of(one)));
    show("one listens", listen(one, 5));
    show("the other", listen(two, 5));
    return 0;
}
