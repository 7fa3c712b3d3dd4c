/* net_unix_buffers.c - how much local sockets take before they say EAGAIN, and when they can be written again. */
#include "net.h"

static void fill(int type, size_t size, int buffer)
{
    int s[2], count = 0, queued = -1;
    static char data[200000];
    must("socketpair", socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, s));
    if (buffer)
        setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    socklen_t length = sizeof buffer;
    getsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &buffer, &length);
    long total = 0;
    ssize_t sent;
    while ((sent = send(s[0], data, size, 0)) > 0) {
        total += sent;
        count++;
    }
    printf("type %d size %zu buffer %d: %d sends, %ld bytes, %s", type, size, buffer, count, total, errno_name(errno));
    ioctl(s[0], TIOCOUTQ, &queued);
    printf(", queued %d\n", queued);
    int reads = 0;
    struct pollfd p = { .fd = s[0], .events = POLLOUT };
    while (!poll(&p, 1, 0) && recv(s[1], data, sizeof data / 20, 0) > 0)
        reads++;
    printf("writable after %d reads\n", reads);
    close(s[0]);
    close(s[1]);
}

int main(void)
{
    size_t sizes[] = { 1, 192, 193, 704, 705, 1728, 1729, 3776, 3777, 8000, 16064, 16065, 36544, 65536, 100000, 190000 };
    int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
    for (size_t t = 0; t < COUNT(types); t++)
        for (size_t i = 0; i < COUNT(sizes); i++)
            fill(types[t], sizes[i], 0);
    fill(SOCK_STREAM, 100, 1);
    fill(SOCK_STREAM, 100000, 1);
    fill(SOCK_STREAM, 100000, 20000);
    fill(SOCK_DGRAM, 1000, 1);
    fill(SOCK_DGRAM, 5000, 1);
    fill(SOCK_DGRAM, 4576, 1);
    fill(SOCK_DGRAM, 4577, 1);
    return 0;
}
