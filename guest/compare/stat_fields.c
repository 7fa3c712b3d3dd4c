/* stat, lstat and fstat agree on type, mode, links, size, owner; and follow links or do not. */
#include "show.h"
#include <sys/sysmacros.h>

static void fields(const char *what, int result, const struct stat *st)
{
    if (result < 0) {
        show(what, result);
        return;
    }
    const char *type = S_ISREG(st->st_mode) ? "file" : S_ISDIR(st->st_mode) ? "directory" :
        S_ISLNK(st->st_mode) ? "link" : S_ISCHR(st->st_mode) ? "character device" : "other";
    printf("%s: %s %o", what, type, st->st_mode & 07777);
    if (!S_ISDIR(st->st_mode))
        printf(" links %ld size %lld", (long)st->st_nlink, (long long)st->st_size);
    printf(" mine %d blksize %ld\n", st->st_uid == geteuid() && st->st_gid == getegid(),
           (long)st->st_blksize);
}

int main(void)
{
    struct stat st, again;
    umask(022);
    put_file("file", "hello");
    must("mkdir", mkdir("dir", 0750));
    must("symlink", symlink("file", "link"));
    must("symlink", symlink("absent", "dangling"));
    must("link", link("file", "hard"));

    fields("stat file", stat("file", &st), &st);
    fields("lstat file", lstat("file", &again), &again);
    check("same inode", st.st_ino == again.st_ino && st.st_dev == again.st_dev);
    fields("stat hard", stat("hard", &again), &again);
    check("same inode", st.st_ino == again.st_ino);
    fields("stat link", stat("link", &again), &again);
    check("same inode", st.st_ino == again.st_ino);
    fields("lstat link", lstat("link", &again), &again);
    check("another inode", st.st_ino != again.st_ino);
    fields("stat dir", stat("dir", &st), &st);
    fields("stat dir/", stat("dir/", &st), &st);
    fields("stat dir/.", stat("dir/.", &again), &again);
    check("same inode", st.st_ino == again.st_ino);
    fields("stat dangling", stat("dangling", &st), &st);
    fields("lstat dangling", lstat("dangling", &st), &st);
    fields("stat file/", stat("file/", &st), &st);
    fields("lstat link/", lstat("link/", &st), &st);
    fields("stat empty", stat("", &st), &st);
    fields("fstat bad", fstat(99, &st), &st);
    show("stat null path", syscall(SYS_stat, NULL, &st));
    show("stat bad buffer", syscall(SYS_stat, "file", 8));
    show("stat missing, bad buffer", syscall(SYS_stat, "absent", 8));
    show("fstat bad buffer", syscall(SYS_fstat, 0, 8));

    int fd = must("open", open("file", O_RDWR));
    show("append", pwrite(fd, "123", 3, 5));
    fields("fstat", fstat(fd, &st), &st);
    unlink("hard");
    fields("one link less", fstat(fd, &st), &st);
    unlink("file");
    fields("no link left", fstat(fd, &st), &st);

    must("stat", stat("/dev/null", &st));
    printf("/dev/null: character %d mode %o device %d:%d\n", S_ISCHR(st.st_mode), st.st_mode & 0777,
           major(st.st_rdev), minor(st.st_rdev));
    must("stat", stat("dir", &st));
    check("times are ordered", st.st_mtime <= st.st_ctime && st.st_ctime > 0);
    check("a directory has its two links, or does not count them", st.st_nlink == 2 || st.st_nlink == 1);
}
