/* statx and fstatat: masks, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, refused flags. */
#include "show.h"

/* struct statx of linux/stat.h, as far as it is looked at here. */
struct fields {
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, spare;
    uint64_t ino, size, blocks, attributes_mask;
    uint64_t rest[24];
};
enum { BASIC = 0x7ff, MODE = 2, RESERVED = (int)0x80000000 };

static long statx_raw(int dir, const char *path, int flags, unsigned mask, struct fields *to)
{
    memset(to, 0xee, sizeof *to);
    return syscall(SYS_statx, dir, path, flags, mask, to);
}

int main(void)
{
    struct fields x;
    struct stat st;
    umask(022);
    put_file("file", "0123456789");
    must("symlink", symlink("file", "link"));
    int fd = must("open", open("file", O_RDONLY));

    show("statx", statx_raw(AT_FDCWD, "file", 0, BASIC, &x));
    printf("mask has basic %d mode %o links %u size %llu mine %d spare %u\n", (x.mask & BASIC) == BASIC,
           x.mode, x.nlink, (unsigned long long)x.size, x.uid == geteuid(), x.spare);
    stat("file", &st);
    check("as stat", st.st_ino == x.ino && (uint64_t)st.st_blocks == x.blocks);
    show("mask of mode only", statx_raw(AT_FDCWD, "file", 0, MODE, &x));
    check("mode is there", (x.mask & MODE) && x.mode == st.st_mode);
    show("link", statx_raw(AT_FDCWD, "link", 0, BASIC, &x));
    check("followed", S_ISREG(x.mode));
    show("link, AT_SYMLINK_NOFOLLOW", statx_raw(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, BASIC, &x));
    check("not followed", S_ISLNK(x.mode) && x.size == 4);
    show("AT_EMPTY_PATH", statx_raw(fd, "", AT_EMPTY_PATH, BASIC, &x));
    check("the descriptor's", x.ino == st.st_ino);
    show("empty path without the flag", statx_raw(fd, "", 0, BASIC, &x));
    show("AT_EMPTY_PATH of the directory", statx_raw(AT_FDCWD, "", AT_EMPTY_PATH, BASIC, &x));
    check("a directory", S_ISDIR(x.mode));
    show("FORCE_SYNC", statx_raw(AT_FDCWD, "file", 0x2000, BASIC, &x));
    show("DONT_SYNC", statx_raw(AT_FDCWD, "file", 0x4000, BASIC, &x));
    show("both sync flags", statx_raw(AT_FDCWD, "file", 0x6000, BASIC, &x));
    show("reserved mask bit", statx_raw(AT_FDCWD, "file", 0, RESERVED, &x));
    show("unknown flag", statx_raw(AT_FDCWD, "file", 0x40000000, BASIC, &x));
    show("missing", statx_raw(AT_FDCWD, "missing", 0, BASIC, &x));
    show("bad buffer", syscall(SYS_statx, AT_FDCWD, "file", 0, BASIC, 8));
    show("bad descriptor", statx_raw(99, "file", 0, BASIC, &x));

    show("fstatat", syscall(SYS_newfstatat, AT_FDCWD, "link", &st, 0));
    check("followed", S_ISREG(st.st_mode));
    show("fstatat NOFOLLOW", syscall(SYS_newfstatat, AT_FDCWD, "link", &st, AT_SYMLINK_NOFOLLOW));
    check("not followed", S_ISLNK(st.st_mode));
    show("fstatat AT_EMPTY_PATH", syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH));
    show("fstatat empty", syscall(SYS_newfstatat, fd, "", &st, 0));
    show("fstatat unknown flag", syscall(SYS_newfstatat, AT_FDCWD, "file", &st, 0x40000000));
    show("fstatat of a file as directory", syscall(SYS_newfstatat, fd, "x", &st, 0));
}
