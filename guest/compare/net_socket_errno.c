/* net_socket_errno.c - socket(2), socketpair(2) and what other calls say of wrong descriptors and arguments. */
#include "net.h"

static void try(int family, int type, int protocol)
{
    int fd = socket(family, type, protocol);
    printf("socket %d %d %d: %s\n", family, type, protocol, fd < 0 ? errno_name(errno) : "ok");
    if (fd >= 0)
        close(fd);
}

int main(void)
{
    int families[] = { AF_UNIX, AF_INET, AF_INET6 };
    int protocols[] = { 0, 1, 6, 17, 300, -1 };
    drop_root();
    for (size_t f = 0; f < COUNT(families); f++)
        for (int type = 0; type <= 11; type++)
            for (size_t p = 0; p < COUNT(protocols); p++) {
                if ((families[f] == AF_INET && type == SOCK_DGRAM && protocols[p] == 1) || type == 10)
                    continue;
                try(families[f], type, protocols[p]);
            }
    try(AF_INET6, SOCK_DGRAM, 0);
    try(AF_UNSPEC, SOCK_STREAM, 0);
    try(3, SOCK_STREAM, 0);
    try(46, SOCK_STREAM, 0);
    try(-1, SOCK_STREAM, 0);
    try(AF_UNIX, SOCK_STREAM | 0x100, 0);
    try(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    int fds[2];
    ok("socketpair inet", socketpair(AF_INET, SOCK_STREAM, 0, fds));
    ok("socketpair udp", socketpair(AF_INET, SOCK_DGRAM, 0, fds));
    ok("socketpair flags", socketpair(AF_UNIX, SOCK_STREAM | 0x100, 0, fds));
    ok("socketpair fault", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8L));
    ok("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
    check("cloexec", fcntl(fds[0], F_GETFD) == FD_CLOEXEC && fcntl(fds[1], F_GETFD) == FD_CLOEXEC);
    check("nonblock", fcntl(fds[0], F_GETFL) == (O_RDWR | O_NONBLOCK));
    struct stat st;
    fstat(fds[0], &st);
    printf("mode %o size %ld block %ld nlink %ld\n", st.st_mode, (long)st.st_size, (long)st.st_blksize, (long)st.st_nlink);
    char link[64] = "", path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fds[0]);
    ssize_t n = readlink(path, link, sizeof link - 1);
    check("link", n > 8 && !strncmp(link, "socket:[", 8));
    show("lseek", lseek(fds[0], 0, SEEK_SET));
    char byte;
    show("pread", pread(fds[0], &byte, 1, 0));
    ok("mmap", (long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fds[0], 0));
    show("fsync", fsync(fds[0]));
    show("ftruncate", ftruncate(fds[0], 0));

    int file = must("open", open("/dev/null", O_RDWR));
    int place = must("open", open(".", O_PATH));
    struct sockaddr_in a = in4("127.0.0.1", 0);
    socklen_t size = sizeof a;
    int bad[] = { -1, 99, file, place };
    for (size_t i = 0; i < COUNT(bad); i++) {
        int fd = bad[i];
        printf("-- %s\n", i < 2 ? "no descriptor" : i == 2 ? "a file" : "a path");
        show("bind", bind(fd, (void *)&a, sizeof a));
        show("connect", connect(fd, (void *)&a, sizeof a));
        show("listen", listen(fd, 5));
        show("accept", accept(fd, NULL, NULL));
        show("accept4", accept4(fd, NULL, NULL, 0x100));
        show("shutdown", shutdown(fd, 7));
        show("getsockname", getsockname(fd, (void *)&a, &size));
        show("getpeername", getpeername(fd, NULL, NULL));
        show("send", send(fd, "x", 1, 0));
        show("recv", recv(fd, &byte, 1, 0));
        show("sendmsg", syscall(SYS_sendmsg, fd, 0L, 0L));
        show("recvmsg", syscall(SYS_recvmsg, fd, 0L, 0L));
        show("setsockopt", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, NULL, 0));
        show("getsockopt", getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, NULL, NULL));
    }
    int s = must("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    show("bind length -1", bind(s, (void *)&a, -1));
    show("bind length 129", bind(s, (void *)&a, 129));
    show("bind null", syscall(SYS_bind, s, 0L, 16L));
    show("bind length 0", bind(s, (void *)&a, 0));
    show("connect length 0", connect(s, (void *)&a, 0));
    show("shutdown 3", shutdown(s, 3));
    show("shutdown -1", shutdown(s, -1));
    show("shutdown 0", shutdown(s, 0));
    show("accept4 flags", accept4(s, NULL, NULL, 1));
    show("accept", accept(s, NULL, NULL));
    show("listen", listen(s, 1));
    show("getsockopt negative", getsockopt(s, SOL_SOCKET, SO_TYPE, &byte, (size = -1, &size)));
    show("getsockname null", syscall(SYS_getsockname, s, 0L, 0L));
    size = -1;
    show("getsockname negative", getsockname(s, (void *)&a, &size));
    size = 0;
    show("getsockname none", getsockname(s, NULL, &size));
    show("its size", size);
    show("send to an address", sendto(s, "x", 1, 0, (void *)&a, sizeof a));
    show("send", send(s, "x", 1, MSG_NOSIGNAL));
    show("recv", recv(s, &byte, 1, MSG_DONTWAIT));
    show("recv fault", syscall(SYS_recvfrom, s, -4096L, 4096L, 0L, 0L, 0L));
    show("send fault", syscall(SYS_sendto, s, -4096L, 4096L, 0L, 0L, 0L));
    show("recvmsg fault", syscall(SYS_recvmsg, s, 8L, 0L));
    return 0;
}
