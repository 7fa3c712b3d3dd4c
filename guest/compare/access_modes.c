/* access, faccessat, faccessat2: the real ids decide, bits one by one, errors. */
#include "show.h"

static void all_modes(const char *path)
{
    printf("%s:", path);
    for (int mode = 0; mode < 8; mode++)
        printf(" %s", access(path, mode) == 0 ? "ok" : errno_name(errno));
    puts("");
}

int main(void)
{
    put_file("file", "x");
    must("mkdir", mkdir("dir", 0777));
    must("symlink", symlink("absent", "dangling"));
    must("symlink", symlink("loop", "loop"));
    must("chmod", chmod("file", 0));
    int root = geteuid() == 0;
    check("root, and no one else, may write what no one may", (access("file", R_OK | W_OK) == 0) == root);
    check("not even root may execute what no one may", access("file", X_OK) == -1);
    unlink("file");
    rmdir("dir");
    drop_root();
    put_file("file", "x");
    must("mkdir", mkdir("dir", 0777));
    for (int bits = 0; bits < 8; bits++) {
        must("chmod", chmod("file", bits << 6));
        printf("%o ", bits << 6);
        all_modes("file");
    }
    must("chmod", chmod("file", 0077));
    printf("others only ");
    all_modes("file");
    all_modes("dir");
    all_modes("/");
    all_modes("/dev/null");
    all_modes("absent");
    all_modes("dangling");
    all_modes("loop");
    all_modes("file/x");
    show("unknown mode", access("file", 8));
    show("empty", access("", F_OK));
    show("null", access(NULL, F_OK));
    show("faccessat bad descriptor", syscall(SYS_faccessat, 99, "file", F_OK));
    show("faccessat2 link itself", syscall(SYS_faccessat2, AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
    show("faccessat2 AT_EACCESS", syscall(SYS_faccessat2, AT_FDCWD, "file", R_OK, AT_EACCESS));
    show("faccessat2 unknown flag", syscall(SYS_faccessat2, AT_FDCWD, "file", F_OK, 0x40000000));
    int dir = must("open", open("dir", O_PATH));
    show("faccessat2 AT_EMPTY_PATH", syscall(SYS_faccessat2, dir, "", R_OK | W_OK | X_OK, AT_EMPTY_PATH));
    must("chmod", chmod("dir", 0));
    show("below a closed directory", access("dir/x", F_OK));
}
