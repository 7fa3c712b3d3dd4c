/* preadv, pwritev and their second forms: offsets, -1 for the position, and the RWF_ flags. */
#include "show.h"
#include <sys/uio.h>

enum { HIPRI = 1, DSYNC = 2, SYNC = 4, NOWAIT = 8, APPEND = 16, UNKNOWN = 0x40000000 };

static long v2(long nr, int fd, struct iovec *vector, int count, long offset, int flags)
{
    return syscall(nr, fd, vector, count, offset, 0L, flags);
}

int main(void)
{
    char a[3], b[3];
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0600));
    struct iovec out[] = {{"abc", 3}, {"def", 3}}, in[] = {{a, 3}, {b, 3}};
    show("pwritev at 4", pwritev(fd, out, 2, 4));
    show("position", lseek(fd, 0, SEEK_CUR));
    show_file("file", "file");
    show("preadv at 5", preadv(fd, in, 2, 5));
    show_bytes("a", a, 3);
    show_bytes("b", b, 2);
    show("preadv past the end", preadv(fd, in, 2, 100));
    show("preadv negative", preadv(fd, in, 2, -1));
    show("pwritev negative", pwritev(fd, out, 2, -2));
    show("pwritev bad descriptor", pwritev(-1, out, 2, 0));
    show("preadv bad vector", preadv(fd, NULL, 2, 0));

    show("pwritev2 at the position", v2(SYS_pwritev2, fd, out, 1, -1, 0));
    show("position moved", lseek(fd, 0, SEEK_CUR));
    show("preadv2 at the position", v2(SYS_preadv2, fd, in, 2, -1, 0));
    show("position moved", lseek(fd, 0, SEEK_CUR));
    show("preadv2 at 0", v2(SYS_preadv2, fd, in, 1, 0, 0));
    show("preadv2 HIPRI", v2(SYS_preadv2, fd, in, 1, 0, HIPRI));
    show("preadv2 at -2", v2(SYS_preadv2, fd, in, 1, -2, 0));
    show("pwritev2 DSYNC", v2(SYS_pwritev2, fd, out, 1, 0, DSYNC));
    show("pwritev2 SYNC", v2(SYS_pwritev2, fd, out, 1, 0, SYNC));
    show("pwritev2 APPEND at 0", v2(SYS_pwritev2, fd, out, 2, 0, APPEND));
    show("size", lseek(fd, 0, SEEK_END));
    show("preadv2 unknown flag", v2(SYS_preadv2, fd, in, 1, 0, UNKNOWN));
    show("pwritev2 unknown flag", v2(SYS_pwritev2, fd, out, 1, 0, UNKNOWN));
    int append = must("open", open("file", O_RDWR | O_APPEND));
    show("pwritev on O_APPEND", pwritev(append, out, 1, 0));
    show("position of O_APPEND", lseek(append, 0, SEEK_CUR));
    show_file("file", "file");
    int rdonly = must("open", open("file", O_RDONLY));
    show("pwritev read-only", pwritev(rdonly, out, 1, 0));
    show("negative before mode", pwritev(rdonly, out, 1, -1));
}
