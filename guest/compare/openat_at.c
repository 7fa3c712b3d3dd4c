/* openat and its kin resolve relative paths at a directory descriptor, and only then look at it. */
#include "show.h"

int main(void)
{
    struct stat st;
    must("mkdir", mkdir("dir", 0777));
    must("mkdir", mkdir("dir/sub", 0777));
    put_file("dir/sub/deep", "deep");
    put_file("top", "top");
    int dir = must("open", open("dir", O_RDONLY | O_DIRECTORY));
    int file = must("open", open("top", O_RDONLY));

    int fd = openat(dir, "sub/deep", O_RDONLY);
    ok("relative", fd);
    ok("relative up", openat(dir, "../top", O_RDONLY));
    ok("AT_FDCWD", openat(AT_FDCWD, "top", O_RDONLY));
    ok("absolute with a bad descriptor", openat(-1, "/", O_RDONLY));
    ok("absolute with a file", openat(file, "/", O_RDONLY));
    show("bad descriptor", openat(-1, "top", O_RDONLY));
    show("closed descriptor", openat(777, "top", O_RDONLY));
    show("file as directory", openat(file, "top", O_RDONLY));
    show("empty path", openat(dir, "", O_RDONLY));
    show("null path", syscall(SYS_openat, dir, NULL, O_RDONLY));
    show("mkdirat", mkdirat(dir, "made", 0777));
    show("mkdirat bad", mkdirat(99, "made", 0777));
    show("fstatat", fstatat(dir, "made", &st, 0));
    check("is a directory", S_ISDIR(st.st_mode));
    show("unlinkat of a directory", unlinkat(dir, "made", 0));
    show("unlinkat AT_REMOVEDIR", unlinkat(dir, "made", AT_REMOVEDIR));
    show("unlinkat unknown flag", unlinkat(dir, "made", 0x4000));
    show("symlinkat", symlinkat("sub/deep", dir, "link"));
    show_file("dir/link", "dir/link");
    char text[32];
    ssize_t size = readlinkat(dir, "link", text, sizeof text);
    show_bytes("readlinkat", text, size);
    show("linkat", linkat(dir, "link", AT_FDCWD, "hard", 0));
    lstat("hard", &st);
    check("the link itself got linked", S_ISLNK(st.st_mode));
    show("linkat following", linkat(dir, "link", AT_FDCWD, "hard2", AT_SYMLINK_FOLLOW));
    show_file("hard2", "hard2");
    show("renameat", renameat(AT_FDCWD, "top", dir, "moved"));
    show_file("dir/moved", "dir/moved");
    show("faccessat", faccessat(dir, "moved", R_OK, 0));
    show("fchmodat", fchmodat(dir, "moved", 0640, 0));
    show("linkat bad flags", linkat(dir, "moved", dir, "x", 0x10));
    must("rename", rename("dir", "renamed"));
    ok("the descriptor follows a renamed directory", openat(dir, "moved", O_RDONLY));
}
