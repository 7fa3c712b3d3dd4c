/* net.h - what the programs about sockets share. */
#ifndef NET_H
#define NET_H

#include "show.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

/* WHAT and the names of all events that poll(2) says are ready now. */
static inline void show_poll(const char *what, int fd)
{
    static const struct { int bit; const char *name; } names[] = {
        { POLLIN, "IN" }, { POLLPRI, "PRI" }, { POLLOUT, "OUT" }, { POLLERR, "ERR" },
        { POLLHUP, "HUP" }, { POLLNVAL, "NVAL" }, { POLLRDNORM, "RDNORM" },
        { POLLRDBAND, "RDBAND" }, { POLLWRNORM, "WRNORM" }, { POLLWRBAND, "WRBAND" },
        { 0x2000, "RDHUP" },
    };
    struct pollfd p = { .fd = fd, .events = 0x7fff };
    poll(&p, 1, 0);
    printf("%s:", what);
    for (size_t i = 0; i < COUNT(names); i++)
        if (p.revents & names[i].bit)
            printf(" %s", names[i].name);
    puts(p.revents ? "" : " nothing");
}

/* WHAT and a pending error (SO_ERROR). */
static inline void show_pending(const char *what, int fd)
{
    int error = -1;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    printf("%s: %s\n", what, error ? errno_name(error) : "none");
}

/* The address of a name in the tree, or of an abstract one when it begins with '@'. */
static inline socklen_t un(struct sockaddr_un *a, const char *name)
{
    size_t size = strlen(name);
    memset(a, 0, sizeof *a);
    a->sun_family = AF_UNIX;
    memcpy(a->sun_path, name, size);
    if (name[0] == '@') {
        a->sun_path[0] = 0;
        return offsetof(struct sockaddr_un, sun_path) + size;
    }
    return offsetof(struct sockaddr_un, sun_path) + size + 1;
}

static inline struct sockaddr_in in4(const char *host, int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    inet_pton(AF_INET, host, &a.sin_addr);
    return a;
}

static inline struct sockaddr_in6 in6(const char *host, int port)
{
    struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    inet_pton(AF_INET6, host, &a.sin6_addr);
    return a;
}

/* The port that a socket has. */
static inline int port_of(int fd)
{
    struct sockaddr_in6 a;
    socklen_t size = sizeof a;
    must("getsockname", getsockname(fd, (void *)&a, &size));
    return ntohs(a.sin6_port);
}

/* A listening TCP socket of 127.0.0.1, on any port. */
static inline int tcp_listener(int backlog)
{
    struct sockaddr_in a = in4("127.0.0.1", 0);
    int fd = must("socket", socket(AF_INET, SOCK_STREAM, 0));
    must("bind", bind(fd, (void *)&a, sizeof a));
    must("listen", listen(fd, backlog));
    return fd;
}

/* Both ends of a connection: FDS[0] connected, FDS[1] accepted. */
static inline void tcp_pair(int fds[2])
{
    int listener = tcp_listener(5);
    struct sockaddr_in a = in4("127.0.0.1", port_of(listener));
    fds[0] = must("socket", socket(AF_INET, SOCK_STREAM, 0));
    must("connect", connect(fds[0], (void *)&a, sizeof a));
    fds[1] = must("accept", accept(listener, NULL, NULL));
    close(listener);
}

/* WHAT a receive without waiting gives: the bytes, or the error's name. */
static inline void show_recv(const char *what, int fd, size_t size, int flags)
{
    char data[256];
    ssize_t got = recv(fd, data, size, flags | MSG_DONTWAIT);
    if (got < 0)
        show(what, got);
    else if (got > (ssize_t)size)
        printf("%s: %zd bytes, cut\n", what, got);
    else
        show_bytes(what, data, got);
}

#endif
