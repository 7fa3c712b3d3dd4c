/* net_scm.c - what travels along: descriptors, credentials; truncation, peeking, cycles of sockets in sockets. */
#include "net.h"

static union {
    char bytes[1024];
    struct cmsghdr align;
} control;

/* Sends TEXT with COUNT descriptors. */
static ssize_t give(int fd, const char *text, const int *fds, size_t count)
{
    struct iovec v = { (void *)text, strlen(text) };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
    struct cmsghdr *c = &control.align;
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(c), fds, count * sizeof(int));
    return sendmsg(fd, &m, 0);
}

static int last[8];

/* Receives with ROOM bytes for control messages, and says what came. */
static void take(const char *what, int fd, size_t size, size_t room, int flags)
{
    char data[64];
    struct iovec v = { data, size };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = room ? control.bytes : NULL, .msg_controllen = room };
    memset(&control, 0, sizeof control);
    ssize_t got = syscall(SYS_recvmsg, fd, &m, flags | MSG_DONTWAIT);
    if (got < 0) {
        show(what, got);
        return;
    }
    printf("%s: %zd bytes, control %zu, flags %#x\n", what, got, (size_t)m.msg_controllen, m.msg_flags & ~MSG_CMSG_CLOEXEC);
    size_t left = m.msg_controllen;
    for (char *at = control.bytes; left >= sizeof(struct cmsghdr);) {
        struct cmsghdr *c = (void *)at;
        printf("  level %d type %d length %zu", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
        if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len == CMSG_LEN(sizeof(struct ucred))) {
            struct ucred *u = (void *)CMSG_DATA(c);
            printf(" pid %s uid %d gid %d", u->pid == getpid() ? "mine" : u->pid ? "other" : "0", u->uid, u->gid);
        } else if (c->cmsg_type == SCM_RIGHTS) {
            size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(last, CMSG_DATA(c), count * sizeof(int));
            for (size_t i = 0; i < count; i++)
                printf(" %s", fcntl(last[i], F_GETFD) < 0 ? "bad" : fcntl(last[i], F_GETFD) ? "cloexec" : "open");
        }
        puts("");
        size_t step = CMSG_ALIGN(c->cmsg_len);
        if (step >= left)
            break;
        at += step;
        left -= step;
    }
}

int main(void)
{
    int s[2], fds[8], big[300], on = 1;
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    put_file("file", "contents");
    fds[0] = must("open", open("file", O_RDONLY));
    fds[1] = must("open", open(".", O_PATH | O_DIRECTORY));
    fds[2] = must("dup", dup(1));
    show("give one", give(s[0], "a", fds, 1));
    take("one", s[1], 10, 256, 0);
    char text[20];
    show("read through it", read(last[0], text, 3));
    show("the same position", lseek(fds[0], 0, SEEK_CUR));
    show("give three", give(s[0], "bcd", fds, 3));
    take("peek", s[1], 10, 256, MSG_PEEK);
    take("three", s[1], 1, 256, MSG_CMSG_CLOEXEC);
    take("rest", s[1], 10, 256, 0);
    give(s[0], "one", fds, 1);
    send(s[0], "two", 3, 0);
    give(s[0], "three", fds, 2);
    take("up to the descriptor", s[1], 20, 256, 0);
    take("and on", s[1], 20, 256, 0);
    take("and on", s[1], 20, 256, 0);
    give(s[0], "x", fds, 3);
    take("room for one", s[1], 10, CMSG_LEN(4), 0);
    give(s[0], "x", fds, 3);
    take("room for two and a half", s[1], 10, CMSG_LEN(10), 0);
    give(s[0], "x", fds, 3);
    take("room for none", s[1], 10, 16, 0);
    give(s[0], "x", fds, 3);
    take("no room", s[1], 10, 0, 0);
    give(s[0], "x", fds, 3);
    show_recv("recv", s[1], 10, 0);
    give(s[0], "x", fds, 3);
    show("read", read(s[1], text, 10));
    fds[3] = 99;
    show("bad descriptor", give(s[0], "x", fds, 4));
    for (int i = 0; i < 300; i++)
        big[i] = 1;
    show("253", give(s[0], "x", big, 247));
    show("none", give(s[0], "x", fds, 0));
    recv(s[1], text, 20, 0);
    recv(s[1], text, 20, MSG_DONTWAIT);
    show("nothing but descriptors", give(s[0], "", fds, 1));
    take("nothing", s[1], 10, 256, 0);

    setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    drop_root();
    show("give", give(s[0], "x", fds, 1));
    take("with credentials", s[1], 10, 256, 0);
    send(s[0], "x", 1, 0);
    take("only credentials", s[1], 10, 256, 0);
    send(s[0], "x", 1, 0);
    take("credentials cut", s[1], 10, 20, 0);
    send(s[0], "x", 1, 0);
    take("no room for them", s[1], 10, 0, 0);
    struct ucred wrong = { 1, 0, 0 };
    struct iovec v = { "x", 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = CMSG_SPACE(sizeof wrong) };
    struct cmsghdr *c = &control.align;
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_CREDENTIALS;
    c->cmsg_len = CMSG_LEN(sizeof wrong);
    memcpy(CMSG_DATA(c), &wrong, sizeof wrong);
    show("someone else's", sendmsg(s[0], &m, 0));
    wrong = (struct ucred){ getpid(), getuid(), getgid() };
    memcpy(CMSG_DATA(c), &wrong, sizeof wrong);
    show("my own", sendmsg(s[0], &m, 0));
    c->cmsg_len = CMSG_LEN(4);
    show("short", sendmsg(s[0], &m, 0));
    c->cmsg_len = 3;
    show("less than a header", sendmsg(s[0], &m, 0));
    c->cmsg_len = 4000;
    show("beyond the end", sendmsg(s[0], &m, 0));
    c->cmsg_len = CMSG_LEN(4);
    c->cmsg_type = 77;
    show("unknown", sendmsg(s[0], &m, 0));
    c->cmsg_level = SOL_TCP;
    show("another level", sendmsg(s[0], &m, 0));
    take("own", s[1], 10, 256, 0);
    take("the other level's", s[1], 10, 256, 0);
    struct ucred peer;
    socklen_t size = sizeof peer;
    show("SO_PEERCRED", getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &peer, &size));
    check("me", peer.pid == getpid());

    int d[2], e[2];
    socketpair(AF_UNIX, SOCK_DGRAM, 0, d);
    send(d[0], "before", 6, 0);
    setsockopt(d[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    send(d[0], "after", 5, 0);
    take("before", d[1], 20, 256, 0);
    take("after", d[1], 20, 256, 0);
    give(d[0], "cut", fds, 2);
    take("datagram", d[1], 2, 256, 0);

    /* Sockets in their own queues, and in each other's. */
    for (int i = 0; i < 50; i++) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, d);
        socketpair(AF_UNIX, SOCK_DGRAM, 0, e);
        give(d[0], "self", d, 2);
        give(d[1], "other", e, 2);
        give(e[0], "back", d, 2);
        close(d[0]), close(d[1]), close(e[0]), close(e[1]);
    }
    int chain = must("dup", dup(1));
    for (int i = 0; i < 400; i++) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, d);
        give(d[0], "x", &chain, 1);
        close(chain), close(d[0]);
        chain = d[1];
    }
    show("close the chain", close(chain));
    int pipe_ends[2] = { -1, -1 };
    socketpair(AF_UNIX, SOCK_STREAM, 0, pipe_ends);
    socketpair(AF_UNIX, SOCK_STREAM, 0, d);
    give(d[0], "x", &pipe_ends[1], 1);
    close(pipe_ends[1]);
    show_recv("alive in the queue", pipe_ends[0], 5, 0);
    close(d[0]), close(d[1]);
    show_recv("closed with it", pipe_ends[0], 5, 0);
    return 0;
}
