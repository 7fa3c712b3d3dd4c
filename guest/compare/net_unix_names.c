/* net_unix_names.c - names of local sockets: in the tree, abstract, of the kernel's choice; who may connect. */
#include "net.h"

static int made(int type)
{
    return must("socket", socket(AF_UNIX, type, 0));
}

static void name(const char *what, int fd, int peer)
{
    struct sockaddr_un a;
    socklen_t size = sizeof a;
    memset(&a, 'x', sizeof a);
    int result = peer ? getpeername(fd, (void *)&a, &size) : getsockname(fd, (void *)&a, &size);
    if (result < 0) {
        show(what, result);
        return;
    }
    printf("%s: size %u family %d\n", what, size, a.sun_family);
    if (size > 2)
        show_bytes(what, a.sun_path, size - 2);
}

int main(void)
{
    struct sockaddr_un a;
    struct stat st;
    socklen_t size;
    umask(022);
    int server = made(SOCK_STREAM);
    name("unnamed", server, 0);
    name("unnamed peer", server, 1);
    show("listen unnamed", listen(server, 5));
    size = un(&a, "server");
    show("bind", bind(server, (void *)&a, size));
    name("bound", server, 0);
    show("stat", lstat("server", &st));
    printf("mode %o size %ld\n", st.st_mode, (long)st.st_size);
    show("open", open("server", O_RDWR));
    show("bind again", bind(server, (void *)&a, size));
    size = un(&a, "other");
    show("bind to another", bind(server, (void *)&a, size));
    show("is it there", access("other", F_OK));
    size = un(&a, "@other");
    show("bind abstract too", bind(server, (void *)&a, size));

    int s = made(SOCK_STREAM);
    size = un(&a, "server");
    show("taken", bind(s, (void *)&a, size));
    size = un(&a, "none/server");
    show("no directory", bind(s, (void *)&a, size));
    size = un(&a, "server/x");
    show("not a directory", bind(s, (void *)&a, size));
    a.sun_family = AF_INET;
    show("wrong family", bind(s, (void *)&a, size));
    a.sun_family = AF_UNIX;
    show("too long", bind(s, (void *)&a, sizeof a + 1));
    show("too short", bind(s, (void *)&a, 1));
    memset(a.sun_path, 'n', sizeof a.sun_path);
    show("108 without end", bind(s, (void *)&a, sizeof a));
    name("108", s, 0);
    close(s);

    s = made(SOCK_STREAM);
    size = un(&a, "server");
    show("connect before listen", connect(s, (void *)&a, size));
    show("listen", listen(server, 0));
    show_poll("listening", server);
    size = un(&a, "nothing");
    show("connect to nothing", connect(s, (void *)&a, size));
    close(open("file", O_CREAT | O_WRONLY, 0666));
    size = un(&a, "file");
    show("connect to a file", connect(s, (void *)&a, size));
    size = un(&a, "@nothing");
    show("connect to no abstract", connect(s, (void *)&a, size));
    size = un(&a, "server");
    int d = made(SOCK_DGRAM), q = made(SOCK_SEQPACKET);
    show("connect a dgram", connect(d, (void *)&a, size));
    show("connect a seqpacket", connect(q, (void *)&a, size));
    symlink("server", "link");
    size = un(&a, "link");
    show_poll("before", s);
    show("connect", connect(s, (void *)&a, size));
    fcntl(s, F_SETFL, O_NONBLOCK);
    show("connect again, backlog full", connect(s, (void *)&a, size));
    show_poll("after", s);
    show_poll("listening", server);
    name("client", s, 0);
    name("client's peer", s, 1);
    show("send before accept", send(s, "early", 5, 0));
    int waiting = made(SOCK_STREAM);
    fcntl(waiting, F_SETFL, O_NONBLOCK);
    show("backlog full", connect(waiting, (void *)&a, size));
    memset(&a, 'x', sizeof a);
    size = sizeof a;
    int c = must("accept", accept4(server, (void *)&a, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    show("size", size);
    check("flags", fcntl(c, F_GETFD) == FD_CLOEXEC && fcntl(c, F_GETFL) == (O_RDWR | O_NONBLOCK));
    name("accepted", c, 0);
    name("accepted's peer", c, 1);
    show_recv("early", c, 20, 0);
    size = un(&a, "server");
    show("connect again", connect(s, (void *)&a, size));
    show("now", connect(waiting, (void *)&a, size));
    show("accept on connected", accept(c, NULL, NULL));
    show("listen on connected", listen(c, 1));
    fcntl(server, F_SETFL, O_NONBLOCK);
    size = sizeof a;
    show("accept fault", accept(server, (void *)8, &size));
    show("accept nobody", accept(server, NULL, NULL));
    show_recv("its end", waiting, 5, 0);
    close(waiting);
    waiting = made(SOCK_STREAM);
    size = un(&a, "server");
    show("connect", connect(waiting, (void *)&a, size));
    close(server);
    show_recv("never accepted", waiting, 5, 0);
    show_poll("then", waiting);
    show_recv("then", waiting, 5, 0);
    show("left behind", connect(made(SOCK_STREAM), (void *)&a, size));

    s = made(SOCK_STREAM);
    size = un(&a, "@some\0name");
    show("abstract", bind(s, (void *)&a, size));
    name("abstract", s, 0);
    show("taken", bind(made(SOCK_STREAM), (void *)&a, size));
    show("not for another type", bind(made(SOCK_DGRAM), (void *)&a, size));
    show("nor for a longer name", bind(made(SOCK_STREAM), (void *)&a, size + 3));
    show("listen", listen(s, 5));
    c = made(SOCK_STREAM);
    show("connect", connect(c, (void *)&a, size));
    show("connect a seqpacket", connect(made(SOCK_SEQPACKET), (void *)&a, size));
    close(s);
    s = made(SOCK_STREAM);
    show("free again", bind(s, (void *)&a, size));
    d = made(SOCK_DGRAM);
    a.sun_family = AF_UNIX;
    show("autobind", bind(d, (void *)&a, 2));
    size = sizeof a;
    getsockname(d, (void *)&a, &size);
    check("five digits", size == 8 && !a.sun_path[0] && strspn(a.sun_path + 1, "0123456789abcdef") >= 5);
    a.sun_family = AF_UNIX;
    show("autobind again", bind(d, (void *)&a, 2));
    show("listen on dgram", listen(d, 5));
    show("accept on dgram", accept(d, NULL, NULL));

    drop_root();
    server = made(SOCK_STREAM);
    umask(0777);
    size = un(&a, "closed");
    show("bind", bind(server, (void *)&a, size));
    show("listen", listen(server, 5));
    show("no write permission", connect(made(SOCK_STREAM), (void *)&a, size));
    chmod("closed", 0200);
    show("with it", connect(made(SOCK_STREAM), (void *)&a, size));
    rename("closed", "renamed");
    size = un(&a, "renamed");
    show("renamed", connect(made(SOCK_STREAM), (void *)&a, size));
    link("renamed", "linked");
    size = un(&a, "linked");
    show("linked", connect(made(SOCK_STREAM), (void *)&a, size));
    mkdir("locked", 0500);
    size = un(&a, "locked/x");
    show("locked directory", bind(made(SOCK_STREAM), (void *)&a, size));
    return 0;
}
