/* chown and its kin: -1 keeps, what an unprivileged owner may do, errors. */
#include "show.h"

static void owner(const char *path)
{
    struct stat st;
    must(path, lstat(path, &st));
    printf("%s: mine %d/%d mode %o\n", path, st.st_uid == geteuid(), st.st_gid == getegid(), st.st_mode);
}

int main(void)
{
    drop_root();
    umask(022);
    put_file("file", "x");
    must("chmod", chmod("file", 06755));
    must("mkdir", mkdir("dir", 0777));
    must("symlink", symlink("file", "link"));
    must("symlink", symlink("absent", "dangling"));
    int fd = must("open", open("file", O_RDONLY));

    show("keep both", chown("file", -1, -1));
    owner("file");
    must("chmod", chmod("file", 06755));
    show("own ids", chown("file", geteuid(), getegid()));
    owner("file");
    must("chmod", chmod("file", 06755));
    show("own ids, fchown", fchown(fd, geteuid(), getegid()));
    owner("file");
    must("chmod", chmod("file", 02644));
    show("setgid without group execute", chown("file", geteuid(), -1));
    owner("file");
    show("to root", chown("file", 0, -1));
    show("to root's group", chown("file", -1, 0));
    show("to another", fchown(fd, 4242, -1));
    show("through a link", chown("link", -1, -1));
    show("through a dangling link", chown("dangling", -1, -1));
    show("lchown", lchown("dangling", -1, -1));
    show("missing", chown("absent", -1, -1));
    show("null", chown(NULL, -1, -1));
    show("bad descriptor", fchown(99, -1, -1));
    show("fchownat", fchownat(AT_FDCWD, "link", -1, -1, AT_SYMLINK_NOFOLLOW));
    show("fchownat empty path", fchownat(fd, "", -1, -1, AT_EMPTY_PATH));
    show("fchownat without the flag", fchownat(fd, "", -1, -1, 0));
    show("fchownat unknown flag", fchownat(fd, "", -1, -1, 0x40000000));
    show("another's file", chown("/dev/null", -1, -1));
    show("another's file, to me", chown("/dev/null", geteuid(), -1));
    show("directory", chown("dir", geteuid(), getegid()));
    owner("dir");
}
