/* readv and writev: scattered segments, empty ones, and every way a vector can be wrong. */
#include "show.h"
#include <sys/uio.h>

int main(void)
{
    char a[4], b[8], c[4];
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0600));
    struct iovec out[] = {{"one-", 4}, {NULL, 0}, {"two-", 4}, {"three", 5}};
    show("writev", writev(fd, out, 4));
    show_file("file", "file");
    lseek(fd, 0, SEEK_SET);
    struct iovec in[] = {{a, sizeof a}, {NULL, 0}, {b, sizeof b}, {c, sizeof c}};
    show("readv", readv(fd, in, 4));
    show_bytes("a", a, 4);
    show_bytes("b", b, 8);
    show_bytes("c", c, 1);
    show("readv at the end", readv(fd, in, 4));
    show("no segments", writev(fd, out, 0));
    show("no segments, null", writev(fd, NULL, 0));
    show("negative count", writev(fd, out, -1));
    show("too many", writev(fd, out, 1025));
    show("null vector", writev(fd, NULL, 1));
    show("bad vector", readv(fd, (void *)0xffff800000000000, 1));
    show("bad descriptor", writev(-1, out, 1));
    show("bad descriptor, bad vector", writev(-1, NULL, 1));

    static struct iovec many[1024];
    for (int i = 0; i < 1024; i++)
        many[i] = (struct iovec){"ab", 2};
    show("1024 segments", writev(fd, many, 1024));
    struct iovec negative[] = {{a, 4}, {b, (size_t)-1}};
    show("negative length", readv(fd, negative, 2));
    struct iovec negative_first[] = {{b, (size_t)1 << 63}, {a, 4}};
    show("length above SSIZE_MAX", writev(fd, negative_first, 2));

    lseek(fd, 0, SEEK_SET);
    struct iovec bad_second[] = {{a, 4}, {(void *)8, 4}};
    show("second segment bad, read", readv(fd, bad_second, 2));
    show("second segment bad, write", writev(fd, bad_second, 2));
    struct iovec bad_first[] = {{(void *)8, 4}, {a, 4}};
    show("first segment bad, read", readv(fd, bad_first, 2));
    show("first segment bad, write", writev(fd, bad_first, 2));
    show("position", lseek(fd, 0, SEEK_CUR));
    struct iovec bad_empty[] = {{(void *)0xffff800000000000, 0}, {a, 4}};
    show("empty segment at a kernel address", readv(fd, bad_empty, 2));
    show("size", lseek(fd, 0, SEEK_END));
    int null = must("open", open("/dev/null", O_RDWR));
    show("/dev/null", writev(null, out, 4));
    show("/dev/null, read", readv(null, in, 4));
    int zero = must("open", open("/dev/zero", O_RDWR));
    show("/dev/zero, read", readv(zero, in, 4));
    show_bytes("zeros", b, 8);
}
