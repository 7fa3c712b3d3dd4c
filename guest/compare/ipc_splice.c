/*
 * splice, tee, vmsplice, and sendfile into a pipe: what moves, what is left, what fits, errors.
 */
#include "show.h"
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static char big[1 << 17];

static void queued(const char *what, int fd)
{
    int bytes = -1;
    ioctl(fd, FIONREAD, &bytes);
    printf("%s: %d queued\n", what, bytes);
}

static void drain(const char *what, int fd)
{
    ssize_t n = read(fd, big, sizeof big);
    if (n <= 0)
        show(what, n);
    else {
        printf("%s: %zd ", what, n);
        show_bytes("", big, n > 40 ? 40 : n);
    }
}

int main(void)
{
    int a[2], b[2], null = open("/dev/null", O_RDWR), event = eventfd(1, 0), dir = open(".", O_RDONLY);
    signal(SIGPIPE, SIG_IGN);
    must("pipe2", pipe2(a, O_NONBLOCK));
    must("pipe2", pipe2(b, O_NONBLOCK));
    int file = must("open", open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = "abcdefghijklmnopqrstuvwxyz\n"[i % 27];
    must("write", write(file, big, 100000));

    loff_t at = 10;
    show("file to pipe", splice(file, &at, a[1], NULL, 20, 0));
    show("offset", at);
    show("position", lseek(file, 0, SEEK_CUR));
    show("by position", splice(file, NULL, a[1], NULL, 20, 0));
    lseek(file, 0, SEEK_SET);
    show("by position", splice(file, NULL, a[1], NULL, 5, 0));
    show("position", lseek(file, 0, SEEK_CUR));
    drain("read", a[0]);
    at = 100;
    show("as much as fits, from within a page", splice(file, &at, a[1], NULL, 100000, 0));
    show("full", splice(file, &at, a[1], NULL, 1, 0));
    show("full, write", write(a[1], "x", 1));
    drain("read", a[0]);
    at = 99990;
    show("to the end", splice(file, &at, a[1], NULL, 100, 0));
    show("at the end", splice(file, &at, a[1], NULL, 100, 0));
    drain("read", a[0]);

    write(a[1], "first ", 6);
    write(a[1], "second ", 7);
    at = 4094;
    splice(file, &at, a[1], NULL, 6, 0);
    write(a[1], "more", 4);
    queued("before tee", a[0]);
    show("tee", tee(a[0], b[1], 15, 0));
    queued("source after tee", a[0]);
    drain("copy", b[0]);
    show("tee all", tee(a[0], b[1], 1000, 0));
    show("write behind a copy", write(b[1], "!", 1));
    drain("copy", b[0]);
    show("pipe to pipe", splice(a[0], NULL, b[1], NULL, 8, 0));
    drain("moved", b[0]);
    show("pipe to pipe, all", splice(a[0], NULL, b[1], NULL, 1000, 0));
    show("write behind what moved", write(b[1], "?", 1));
    queued("source", a[0]);
    drain("moved", b[0]);
    show("nothing to move", splice(a[0], NULL, b[1], NULL, 10, 0));
    show("nothing to tee", tee(a[0], b[1], 10, 0));

    show("fill", write(a[1], big, 65536));
    show("tee a full pipe", tee(a[0], b[1], 1 << 20, 0));
    show("tee to a full pipe", tee(a[0], b[1], 1 << 20, 0));
    show("splice to a full pipe", splice(a[0], NULL, b[1], NULL, 10, 0));
    show("to a file", splice(a[0], NULL, file, NULL, 1 << 20, 0));
    show("position", lseek(file, 0, SEEK_CUR));
    at = 3;
    show("to a file at 3", splice(b[0], NULL, file, &at, 10, 0));
    show("offset", at);
    show("to /dev/null", splice(b[0], NULL, null, NULL, 5000, 0));
    queued("left", b[0]);
    show("more than a page gone", write(b[1], big, 8192));
    drain("the rest", b[0]);
    pread(file, big, 20, 0);
    show_bytes("file", big, 20);

    struct iovec parts[3] = {{"user", 4}, {" ", 1}, {"memory", 6}};
    show("vmsplice", vmsplice(a[1], parts, 3, 0));
    show("write behind", write(a[1], "!", 1));
    drain("read", a[0]);
    write(a[1], "to user", 7);
    char text[8] = {0};
    struct iovec into[2] = {{text, 2}, {text + 4, 4}};
    show("vmsplice reads", vmsplice(a[0], into, 2, 0));
    show_bytes("text", text, 8);
    drain("left", a[0]);
    show("vmsplice of nothing", vmsplice(a[0], into, 2, SPLICE_F_NONBLOCK));
    show("no segments", vmsplice(a[0], into, 0, 0));
    show("vmsplice to a file", vmsplice(file, parts, 3, 0));
    struct iovec bad = {(void *)8, 10};
    show("vmsplice of a bad pointer", vmsplice(a[1], &bad, 1, 0));
    show("bad vector", vmsplice(a[1], (void *)8, 1, 0));
    show("bad flags", vmsplice(a[1], parts, 3, 0x10));

    lseek(file, 0, SEEK_SET);
    show("sendfile", sendfile(a[1], file, NULL, 1 << 20));
    show("position", lseek(file, 0, SEEK_CUR));
    show("sendfile, full", sendfile(a[1], file, NULL, 1));
    drain("read", a[0]);
    show("sendfile from a pipe", sendfile(b[1], a[0], NULL, 1));
    off_t off = 4095;
    show("sendfile at 4095", sendfile(a[1], file, &off, 1 << 20));
    drain("read", a[0]);

    show("bad flags", splice(a[0], NULL, b[1], NULL, 1, 0x10));
    show("nothing, bad flags", splice(a[0], NULL, b[1], NULL, 0, 0x10));
    show("tee nothing, bad flags", tee(a[0], b[1], 0, 0x10));
    show("itself", splice(a[0], NULL, a[1], NULL, 1, 0));
    show("tee itself", tee(a[0], a[1], 1, 0));
    show("no pipe", splice(file, NULL, file, NULL, 1, 0));
    show("tee without a pipe", tee(file, a[1], 1, 0));
    show("offset of a pipe", splice(a[0], &at, file, NULL, 1, 0));
    show("offset of the other pipe", splice(file, NULL, a[1], &at, 1, 0));
    show("wrong end", splice(a[1], NULL, b[1], NULL, 1, 0));
    show("wrong end", splice(a[0], NULL, b[0], NULL, 1, 0));
    show("bad fd", splice(99, NULL, b[1], NULL, 1, 0));
    show("bad offset", splice(file, (void *)8, b[1], NULL, 1, 0));
    at = -1;
    show("negative offset", splice(file, &at, b[1], NULL, 1, 0));
    show("from an eventfd", splice(event, NULL, a[1], NULL, 8, 0));
    write(a[1], big, 8);
    show("to an eventfd", splice(a[0], NULL, event, NULL, 8, 0));
    show("from a directory", splice(dir, NULL, a[1], NULL, 8, 0));
    show("from /dev/zero", splice(open("/dev/zero", O_RDONLY), NULL, b[1], NULL, 100, 0));
    drain("zeros", b[0]);
    fcntl(file, F_SETFL, O_APPEND);
    show("to a file that appends", splice(a[0], NULL, file, NULL, 8, 0));
    close(b[0]);
    show("no reader", splice(a[0], NULL, b[1], NULL, 1, 0));
    show("no reader, file", splice(file, NULL, b[1], NULL, 1, 0));
    show("no reader, tee", tee(a[0], b[1], 1, 0));
    show("no reader, vmsplice", vmsplice(b[1], parts, 3, 0));
    close(a[1]);
    drain("rest", a[0]);
    show("end", splice(a[0], NULL, file, NULL, 1, 0));
}
