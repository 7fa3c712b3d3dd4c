/* getdents64(2) itself: record layout, buffers too small, the end, errors. */
#include "show.h"
#include <stddef.h>

struct record {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};

/* Read the whole directory by buffers of SIZE bytes; how many names, and are the records sound? */
static void walk(int fd, size_t size)
{
    _Alignas(8) char buffer[4096];
    int names = 0, sound = 1;
    unsigned sum = 0;
    long got;
    lseek(fd, 0, SEEK_SET);
    while ((got = syscall(SYS_getdents64, fd, buffer, size)) > 0)
        for (long at = 0; at < got;) {
            struct record *record = (struct record *)(buffer + at);
            size_t length = strlen(record->name);
            size_t least = (offsetof(struct record, name) + length + 1 + 7) & ~7UL;
            sound &= record->reclen % 8 == 0 && record->reclen == least;
            for (size_t i = 0; i < length; i++)
                sum += (unsigned char)record->name[i];
            names++;
            at += record->reclen;
        }
    printf("buffer of %zu: names %d sound %d sum %u end %s\n", size, names, sound, sum,
           got < 0 ? errno_name(errno) : "0");
}

int main(void)
{
    char buffer[256];
    must("mkdir", mkdir("dir", 0777));
    put_file("file", "x");
    for (int i = 0; i < 30; i++) {
        char path[64];
        snprintf(path, sizeof path, "dir/%.*s%02d", i, "abcdefghijklmnopqrstuvwxyzabcdefgh", i);
        put_file(path, "");
    }
    int fd = must("open", open("dir", O_RDONLY | O_DIRECTORY));
    walk(fd, 4096);
    walk(fd, 512);
    walk(fd, 100);
    walk(fd, 64);
    walk(fd, 56);
    lseek(fd, 0, SEEK_SET);
    show("buffer of 20", syscall(SYS_getdents64, fd, buffer, 20));
    show("buffer of 0", syscall(SYS_getdents64, fd, buffer, 0));
    walk(fd, 4096);
    show("at the end", syscall(SYS_getdents64, fd, buffer, sizeof buffer));
    show("at the end, bad buffer", syscall(SYS_getdents64, fd, 8, 4096));
    lseek(fd, 0, SEEK_SET);
    show("bad buffer", syscall(SYS_getdents64, fd, 8, 4096));
    show("a file", syscall(SYS_getdents64, open("file", O_RDONLY), buffer, sizeof buffer));
    show("bad descriptor", syscall(SYS_getdents64, 99, buffer, sizeof buffer));
    show("O_PATH", syscall(SYS_getdents64, open("dir", O_PATH), buffer, sizeof buffer));
    show("read", read(fd, buffer, sizeof buffer));
    show("write", write(fd, buffer, 1));
    show("seek back", lseek(fd, 0, SEEK_SET));
    int copy = dup(fd);
    check("a copy shares the position",
          syscall(SYS_getdents64, fd, buffer, 64) > 0 && lseek(copy, 0, SEEK_CUR) == lseek(fd, 0, SEEK_CUR));
    must("fsync", fsync(fd));
}
