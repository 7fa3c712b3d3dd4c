/* net_unix_stream.c - a pair of local streams: bytes, events, half-closing, and the ends of both. */
#include "net.h"

static void on_pipe(int sig)
{
    (void)sig;
    write(1, "SIGPIPE\n", 8);
}

static int queued(int fd, unsigned long request)
{
    int count = -1;
    ioctl(fd, request, &count);
    return count;
}

int main(void)
{
    int s[2];
    signal(SIGPIPE, on_pipe);
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    show_poll("new", s[0]);
    show_recv("nothing yet", s[0], 10, 0);
    show("write", write(s[0], "hello", 5));
    show("write nothing", write(s[0], "", 0));
    show("write more", write(s[0], " world", 6));
    show_poll("with data", s[1]);
    show("FIONREAD", queued(s[1], FIONREAD));
    check("TIOCOUTQ", queued(s[0], TIOCOUTQ) >= 11);
    show_recv("peek", s[1], 3, MSG_PEEK);
    show_recv("peek all", s[1], 100, MSG_PEEK);
    show_recv("first", s[1], 3, 0);
    show_recv("over the border", s[1], 6, 0);
    show_recv("all", s[1], 100, MSG_WAITALL);
    show("TIOCOUTQ empty", queued(s[0], TIOCOUTQ));
    show("read of nothing", read(s[1], NULL, 0));
    show_recv("recv of nothing", s[1], 0, 0);
    write(s[0], "abcdef", 6);
    show_recv("recv of nothing, data there", s[1], 0, 0);
    show_recv("MSG_TRUNC", s[1], 2, MSG_TRUNC);
    show("recv fault", recv(s[1], (void *)8, 2, 0));
    show("send fault", send(s[1], (void *)8, 2, 0));
    show_recv("still there", s[1], 20, 0);

    char *page = pages(2);
    munmap(page + PAGE, PAGE);
    memset(page, 'p', PAGE);
    show("send half mapped", send(s[0], page + PAGE - 4, 8, 0));
    show_recv("of it", s[1], 20, 0);
    struct iovec v[3] = { { "one", 3 }, { "", 0 }, { "three", 5 } };
    show("writev", writev(s[0], v, 3));
    char a[2], b[4];
    struct iovec r[2] = { { a, 2 }, { b, 4 } };
    show("readv", readv(s[1], r, 2));
    show_bytes("a", a, 2);
    show_bytes("b", b, 4);
    show_recv("rest", s[1], 20, 0);

    show("shutdown write", shutdown(s[0], SHUT_WR));
    show_poll("after it", s[0]);
    show_poll("the other", s[1]);
    show_recv("end", s[1], 20, 0);
    show("write", write(s[0], "x", 1));
    show("send, no signal", send(s[0], "x", 1, MSG_NOSIGNAL));
    show("back", write(s[1], "back", 4));
    show_recv("back", s[0], 20, 0);
    show("shutdown read", shutdown(s[0], SHUT_RD));
    show_poll("all shut", s[0]);
    show_poll("the other", s[1]);
    show("write to it", write(s[1], "x", 1));
    close(s[0]);
    show_poll("closed", s[1]);
    show_recv("end", s[1], 20, 0);
    show_pending("error", s[1]);
    close(s[1]);

    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    write(s[0], "unread", 6);
    write(s[1], "for 0", 5);
    close(s[1]);
    show_poll("closed with data unread", s[0]);
    show_recv("first", s[0], 2, 0);
    show_recv("then", s[0], 20, 0);
    show_recv("reset", s[0], 20, 0);
    show_recv("end", s[0], 20, 0);
    show("write", write(s[0], "x", 1));
    struct sockaddr_un address;
    socklen_t size = sizeof address;
    show("getpeername", getpeername(s[0], (void *)&address, &size));
    show("size", size);
    close(s[0]);

    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    show("urgent", send(s[0], "abc", 3, MSG_OOB));
    show("after it", send(s[0], "def", 3, 0));
    show_poll("urgent", s[1]);
    int mark = -1;
    ioctl(s[1], SIOCATMARK, &mark);
    show("at mark", mark);
    show_recv("in band", s[1], 20, 0);
    ioctl(s[1], SIOCATMARK, &mark);
    show("at mark", mark);
    show_recv("out of band", s[1], 20, MSG_OOB);
    show_recv("again", s[1], 20, MSG_OOB);
    show_recv("rest", s[1], 20, 0);
    show("urgent nothing", send(s[0], "", 0, MSG_OOB));
    int on = 1;
    setsockopt(s[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
    send(s[0], "xyz", 3, MSG_OOB);
    show_recv("inline", s[1], 20, 0);
    show_recv("inline urgent", s[1], 20, 0);

    struct timeval soon = { 0, 20000 };
    setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    show("recv with a time-out", recv(s[1], a, 2, 0));
    soon.tv_sec = -1;
    setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    show("recv with a negative one", recv(s[1], a, 2, 0));
    return 0;
}
