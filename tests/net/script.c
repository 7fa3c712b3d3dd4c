/*
 * script.c - makes the socket calls that standard input lists, one a line, on sockets in 12 slots; one line of result each.
 *
 * All sockets are non-blocking. Numbers are decimal; a line is a letter and up to four of them.
 */
#include "../../guest/compare/net.h"

enum { SLOTS = 12 };
static int slot[SLOTS];

static int is_unix(int fd)
{
    int family = 0;
    socklen_t size = sizeof family;
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
    return family == AF_UNIX;
}

/* A name for the socket: abstract name NUMBER, or the port of slot NUMBER. */
static socklen_t address(int fd, int number, struct sockaddr_storage *a)
{
    memset(a, 0, sizeof *a);
    if (is_unix(fd)) {
        char name[16];
        snprintf(name, sizeof name, number & 1 ? "@name%d" : "path%d", number % 6);
        return un((void *)a, name);
    }
    struct sockaddr_in own;
    socklen_t size = sizeof own;
    int other = slot[number % SLOTS];
    if (getsockname(other, (void *)&own, &size) < 0 || own.sin_family != AF_INET || !own.sin_port)
        own = in4("127.0.0.1", 1);
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(a, &own, sizeof own);
    return sizeof own;
}

static void keep(int at, int fd)
{
    int on = 1;
    if (slot[at] >= 0)
        close(slot[at]);
    slot[at] = fd;
    /* Small segments must not wait for the acknowledgement of those before. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int main(void)
{
    char line[100], op;
    static char data[300000];
    struct sockaddr_storage a;
    socklen_t size;
    signal(SIGPIPE, SIG_IGN);
    memset(slot, -1, sizeof slot);
    while (fgets(line, sizeof line, stdin)) {
        int v[4] = { 0 };
        sscanf(line, "%c %d %d %d %d", &op, v, v + 1, v + 2, v + 3);
        int fd = slot[v[0] % SLOTS], pair[2];
        char what[120];
        snprintf(what, sizeof what, "%.*s", (int)strcspn(line, "\n"), line);
        switch (op) {
        case 'S':
            keep(v[0], ok(what, socket(v[1], v[2] | SOCK_NONBLOCK, 0)));
            break;
        case 'P':
            if (ok(what, socketpair(AF_UNIX, v[2] | SOCK_NONBLOCK, 0, pair)) == 0) {
                keep(v[0], pair[0]);
                keep(v[1], pair[1]);
            }
            break;
        case 'T':
            tcp_pair(pair);
            fcntl(pair[0], F_SETFL, O_NONBLOCK);
            fcntl(pair[1], F_SETFL, O_NONBLOCK);
            keep(v[0], pair[0]);
            keep(v[1], pair[1]);
            puts(what);
            break;
        case 'B':
            if (is_unix(fd))
                size = address(fd, v[1], &a);
            else {
                struct sockaddr_in any = in4("127.0.0.1", 0);
                memcpy(&a, &any, size = sizeof any);
            }
            show(what, bind(fd, (void *)&a, size));
            break;
        case 'L': show(what, listen(fd, v[1])); break;
        case 'C': size = address(fd, v[1], &a); show(what, connect(fd, (void *)&a, size)); break;
        case 'D': a.ss_family = AF_UNSPEC; show(what, connect(fd, (void *)&a, 16)); break;
        case 'A':
            pair[0] = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
            ok(what, pair[0]);
            if (pair[0] >= 0)
                keep(v[1], pair[0]);
            break;
        case 'W':
            for (int i = 0; i < v[1]; i++)
                data[i] = 'a' + (i + v[3]) % 26;
            show(what, send(fd, data, v[1], v[2]));
            break;
        case 'N':
            size = address(fd, v[2], &a);
            show(what, sendto(fd, "datagram", v[1] % 9, 0, (void *)&a, size));
            break;
        case 'R': {
            memset(data, 0, 40);
            ssize_t got = recv(fd, data, v[1], v[2]);
            if (show(what, got) > 0 && v[1])
                show_bytes(what, data, got > 30 ? 30 : got > v[1] ? v[1] : got);
            break;
        }
        case 'H': show(what, shutdown(fd, v[1])); break;
        case 'E': show_pending(what, fd); break;
        case 'O': show_poll(what, fd); break;
        case 'Q': pair[0] = -1; ok(what, ioctl(fd, FIONREAD, pair)); printf("%d\n", pair[0]); break;
        case 'G': size = sizeof a; show(what, getpeername(fd, (void *)&a, &size)); break;
        case 'X': keep(v[0], -1); puts(what); break;
        }
        /* Give packets the time to arrive. */
        if (strchr("XHCDWN", op))
            usleep(300);
    }
    return 0;
}
