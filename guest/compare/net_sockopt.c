/* net_sockopt.c - options of sockets: their values, what may be set, and what is refused. */
#include "net.h"
#include <netinet/udp.h>

static void get(const char *kind, int fd, int level, int name, socklen_t size)
{
    unsigned char value[32];
    socklen_t got = size;
    memset(value, 0xee, sizeof value);
    if (getsockopt(fd, level, name, value, &got) < 0) {
        printf("%s get %d %d: %s\n", kind, level, name, errno_name(errno));
        return;
    }
    printf("%s get %d %d: size %u:", kind, level, name, got);
    for (socklen_t i = 0; i < got && i < sizeof value; i++)
        printf(" %02x", value[i]);
    puts("");
}

static void set(const char *kind, int fd, int level, int name, int value)
{
    int result = setsockopt(fd, level, name, &value, sizeof value);
    printf("%s set %d %d to %d: %s\n", kind, level, name, value, result < 0 ? errno_name(errno) : "ok");
    if (result == 0)
        get(kind, fd, level, name, sizeof value);
}

int main(void)
{
    struct { const char *name; int fd; } kinds[] = {
        { "unix", socket(AF_UNIX, SOCK_STREAM, 0) },
        { "unix dgram", socket(AF_UNIX, SOCK_DGRAM, 0) },
        { "tcp", socket(AF_INET, SOCK_STREAM, 0) },
        { "udp", socket(AF_INET, SOCK_DGRAM, 0) },
        { "tcp6", socket(AF_INET6, SOCK_STREAM, 0) },
        { "udp6", socket(AF_INET6, SOCK_DGRAM, 0) },
    };
    /* All that can be read of a new socket; not buffers, whose defaults are the administrator's. */
    int names[] = { 2, 3, 4, 5, 6, 9, 10, 11, 12, 14, 15, 16, 18, 19, 29, 30, 34, 35, 36, 38, 39, 40, 42, 999 };
    drop_root();
    for (size_t k = 0; k < COUNT(kinds); k++) {
        const char *kind = kinds[k].name;
        int fd = kinds[k].fd;
        for (size_t i = 0; i < COUNT(names); i++)
            get(kind, fd, SOL_SOCKET, names[i], 4);
        get(kind, fd, SOL_SOCKET, SO_LINGER, 8);
        get(kind, fd, SOL_SOCKET, SO_RCVTIMEO, 16);
        get(kind, fd, SOL_SOCKET, SO_TYPE, 2);
        get(kind, fd, SOL_SOCKET, SO_TYPE, 8);
        int on[] = { SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_DONTROUTE, SO_BROADCAST, SO_KEEPALIVE, SO_OOBINLINE, SO_NO_CHECK, SO_REUSEPORT,
                     SO_PASSCRED, SO_PEERCRED, SO_SNDLOWAT, SO_TIMESTAMP, SO_ACCEPTCONN, SO_DOMAIN, SO_PROTOCOL, SO_DEBUG, SO_MARK, 999 };
        for (size_t i = 0; i < COUNT(on); i++) {
            set(kind, fd, SOL_SOCKET, on[i], 7);
            if (on[i] != SO_DEBUG && on[i] != SO_MARK)
                set(kind, fd, SOL_SOCKET, on[i], 0);
        }
        set(kind, fd, SOL_SOCKET, SO_PRIORITY, 6);
        set(kind, fd, SOL_SOCKET, SO_PRIORITY, 7);
        set(kind, fd, SOL_SOCKET, SO_SNDBUF, 0);
        set(kind, fd, SOL_SOCKET, SO_SNDBUF, 10000);
        set(kind, fd, SOL_SOCKET, SO_RCVBUF, 0);
        set(kind, fd, SOL_SOCKET, SO_RCVBUF, 10000);
        set(kind, fd, SOL_SOCKET, SO_SNDBUFFORCE, 10000);
        set(kind, fd, SOL_SOCKET, SO_RCVLOWAT, 5);
        set(kind, fd, SOL_SOCKET, SO_RCVLOWAT, 0);
        set(kind, fd, SOL_SOCKET, SO_LINGER, 1);
        struct linger linger = { 5, 12 };
        show("linger", setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
        get(kind, fd, SOL_SOCKET, SO_LINGER, 8);
        struct timeval t[] = { { 1, 500000 }, { 0, 1000000 }, { 0, -1 }, { -5, 3 }, { 0, 0 } };
        for (size_t i = 0; i < COUNT(t); i++) {
            show("time-out", setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t[i], sizeof t[i]));
            get(kind, fd, SOL_SOCKET, SO_SNDTIMEO, 16);
        }
        show("short", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &t, 3));
        show("negative", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &t, -1));
        show("fault", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, (void *)8, 4));
        show("time-out short", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, 8));
        show("device", setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "none", 5));
        int levels[] = { IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IPV6, 777 };
        for (size_t l = 0; l < COUNT(levels); l++) {
            set(kind, fd, levels[l], 999, 1);
            get(kind, fd, levels[l], 999, 4);
            set(kind, fd, levels[l], 1, 1);
        }
        set(kind, fd, IPPROTO_IP, IP_TTL, 9);
        set(kind, fd, IPPROTO_IP, IP_TTL, 0);
        set(kind, fd, IPPROTO_IP, IP_TTL, 256);
        set(kind, fd, IPPROTO_IP, IP_TTL, -1);
        get(kind, fd, IPPROTO_IP, IP_TTL, 1);
        get(kind, fd, IPPROTO_IP, IP_MTU, 4);
        set(kind, fd, IPPROTO_IP, IP_RECVERR, 3);
        set(kind, fd, IPPROTO_IP, IP_MTU_DISCOVER, 9);
        set(kind, fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
        set(kind, fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        set(kind, fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 300);
        set(kind, fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    }
    int tcp = kinds[2].fd;
    int options[] = { TCP_NODELAY, TCP_CORK, TCP_KEEPCNT, TCP_SYNCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_QUICKACK, TCP_USER_TIMEOUT };
    for (size_t i = 0; i < COUNT(options); i++) {
        get("tcp", tcp, IPPROTO_TCP, options[i], 4);
        set("tcp", tcp, IPPROTO_TCP, options[i], 1);
        set("tcp", tcp, IPPROTO_TCP, options[i], 0);
        set("tcp", tcp, IPPROTO_TCP, options[i], 128);
        set("tcp", tcp, IPPROTO_TCP, options[i], 40000);
        set("tcp", tcp, IPPROTO_TCP, options[i], -1);
    }
    set("tcp", tcp, IPPROTO_TCP, TCP_MAXSEG, 50);
    show("congestion", setsockopt(tcp, IPPROTO_TCP, TCP_CONGESTION, "nothing", 7));
    show("short", setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &tcp, 2));
    show("fault", setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, (void *)8, 4));
    return 0;
}
