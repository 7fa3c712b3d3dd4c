/* net_servers.c - servers and clients in several processes: who waits for whom, local and over loopback. */
#include "net.h"
#include <sys/wait.h>

enum { CLIENTS = 8, BYTES = 300000 };

/* All of a stream sent back, until the client says that it is done. */
static void echo(int fd)
{
    char data[5000];
    ssize_t got;
    while ((got = read(fd, data, sizeof data)) > 0)
        for (ssize_t at = 0, sent; at < got; at += sent)
            sent = must("write", write(fd, data + at, got - at));
    close(fd);
}

static int client(int fd, int number)
{
    unsigned char data[4000], back[4000];
    unsigned sum = 0, expected = 0;
    for (int total = 0; total < BYTES; total += sizeof data) {
        for (size_t i = 0; i < sizeof data; i++)
            expected += data[i] = (i * 7 + number + total / 4000) & 255;
        if (write(fd, data, sizeof data) != sizeof data)
            return 1;
        if (recv(fd, back, sizeof back, MSG_WAITALL) != sizeof back)
            return 2;
        for (size_t i = 0; i < sizeof back; i++)
            sum += back[i];
    }
    shutdown(fd, SHUT_WR);
    if (read(fd, back, 1) != 0)
        return 3;
    return sum == expected ? 0 : 4;
}

static void serve(const char *what, const struct sockaddr *address, socklen_t size)
{
    int listener = must("socket", socket(address->sa_family, SOCK_STREAM, 0));
    must("bind", bind(listener, address, size));
    must("listen", listen(listener, 2));
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    must("getsockname", getsockname(listener, (void *)&bound, &length));
    for (int i = 0; i < CLIENTS; i++)
        if (!must("fork", fork())) {
            int fd = socket(address->sa_family, SOCK_STREAM, 0);
            close(listener);
            if (connect(fd, (void *)&bound, length) < 0)
                _exit(90);
            _exit(client(fd, i));
        }
    for (int i = 0; i < CLIENTS; i++) {
        int fd = must("accept", accept(listener, NULL, NULL));
        if (!must("fork", fork())) {
            close(listener);
            echo(fd);
            _exit(0);
        }
        close(fd);
    }
    close(listener);
    int status, bad = 0;
    while (wait(&status) > 0)
        bad += status != 0;
    printf("%s: %d of %d bad\n", what, bad, 2 * CLIENTS);
}

/* A child that waits in CALL, until the parent does something. */
static void waits(const char *what, int (*call)(int), int fd, void (*act)(int), int other)
{
    pid_t child = must("fork", fork());
    if (!child) {
        close(other);
        alarm(10);
        int result = call(fd);
        _exit(result < 0 ? errno : 100 + result);
    }
    close(fd);
    usleep(20000);
    act(other);
    int status;
    must("wait", waitpid(child, &status, 0));
    if (WIFEXITED(status))
        printf("%s: %s %d\n", what, WEXITSTATUS(status) < 100 ? "error" : "result", WEXITSTATUS(status) % 100);
    else
        printf("%s: signal %d\n", what, WTERMSIG(status));
}

static int call_recv(int fd)
{
    char data[20];
    return recv(fd, data, sizeof data, 0);
}

static int call_fill(int fd)
{
    static char data[20000000];
    ssize_t sent = send(fd, data, sizeof data, MSG_NOSIGNAL);
    return sent < 0 ? -1 : sent < (ssize_t)sizeof data;
}

static int call_poll(int fd)
{
    struct pollfd p = { fd, POLLIN | POLLRDHUP, 0 };
    poll(&p, 1, -1);
    return p.revents & 0x1f;
}

static void act_send(int fd) { send(fd, "hello", 5, 0); }
static void act_close(int fd) { close(fd); }
static void act_shutdown(int fd) { shutdown(fd, SHUT_WR); }

static void act_drain(int fd)
{
    static char data[100000];
    while (read(fd, data, sizeof data) > 0)
        ;
}

static void pair(int kind, int s[2])
{
    if (kind == 0)
        tcp_pair(s);
    else
        must("socketpair", socketpair(AF_UNIX, kind, 0, s));
}

int main(void)
{
    struct sockaddr_un u;
    socklen_t size = un(&u, "server");
    serve("local", (void *)&u, size);
    size = un(&u, "@abstract");
    serve("abstract", (void *)&u, size);
    struct sockaddr_in a = in4("127.0.0.1", 0);
    serve("tcp", (void *)&a, sizeof a);
    struct sockaddr_in6 b = in6("::1", 0);
    serve("tcp6", (void *)&b, sizeof b);

    int kinds[] = { 0, SOCK_STREAM, SOCK_SEQPACKET };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        int s[2];
        printf("-- kind %d\n", kinds[i]);
        pair(kinds[i], s);
        waits("data", call_recv, s[0], act_send, s[1]);
        pair(kinds[i], s);
        waits("close", call_recv, s[0], act_close, s[1]);
        pair(kinds[i], s);
        waits("half-close", call_recv, s[0], act_shutdown, s[1]);
        pair(kinds[i], s);
        waits("poll, data", call_poll, s[0], act_send, s[1]);
        pair(kinds[i], s);
        waits("poll, close", call_poll, s[0], act_close, s[1]);
        pair(kinds[i], s);
        waits("poll, half-close", call_poll, s[0], act_shutdown, s[1]);
        if (kinds[i] != SOCK_SEQPACKET) {
            pair(kinds[i], s);
            waits("fill, drained", call_fill, s[0], act_drain, s[1]);
            pair(kinds[i], s);
            waits("fill, closed", call_fill, s[0], act_close, s[1]);
        }
    }

    /* A datagram receiver that many wait for. */
    int r = must("socket", socket(AF_UNIX, SOCK_DGRAM, 0));
    size = un(&u, "receiver");
    must("bind", bind(r, (void *)&u, size));
    for (int i = 0; i < 4; i++)
        if (!must("fork", fork())) {
            int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
            for (int n = 0; n < 50; n++)
                if (sendto(fd, &n, sizeof n, 0, (void *)&u, size) != sizeof n)
                    _exit(1);
            _exit(0);
        }
    int sum = 0;
    for (int i = 0; i < 200; i++) {
        int n;
        must("recv", recv(r, &n, sizeof n, 0));
        sum += n;
    }
    show("sum", sum);
    int status, bad = 0;
    while (wait(&status) > 0)
        bad += status != 0;
    show("bad", bad);

    /* Descriptors from process to process. */
    int s[2];
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    if (!must("fork", fork())) {
        union {
            char bytes[CMSG_SPACE(sizeof(int))];
            struct cmsghdr align;
        } control = { .align = { CMSG_LEN(sizeof(int)), 0, 0 } };
        int fd = open("passed", O_CREAT | O_RDWR, 0600);
        write(fd, "through the socket", 18);
        lseek(fd, 8, SEEK_SET);
        control.align.cmsg_len = CMSG_LEN(sizeof fd);
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        memcpy(CMSG_DATA(&control.align), &fd, sizeof fd);
        struct iovec v = { "fd", 2 };
        struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
        sendmsg(s[1], &m, 0);
        _exit(0);
    }
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    char text[20];
    struct iovec v = { text, sizeof text };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    show("recvmsg", recvmsg(s[0], &m, 0));
    wait(NULL);
    int fd;
    memcpy(&fd, CMSG_DATA(&control.align), sizeof fd);
    ssize_t got = read(fd, text, sizeof text);
    show_bytes("passed", text, got);
    return 0;
}
