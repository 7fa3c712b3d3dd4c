/* openat2(2): how RESOLVE_* flags bound the walk, and how its argument structure is checked. */
#include "show.h"

struct how {
    uint64_t flags, mode, resolve, tail;
};
enum { NO_XDEV = 1, NO_MAGICLINKS = 2, NO_SYMLINKS = 4, BENEATH = 8, IN_ROOT = 16, SIZE = 24 };

static void attempt(const char *what, int dir, const char *path, uint64_t flags, uint64_t mode,
                    uint64_t resolve, size_t size)
{
    struct how how = {flags, mode, resolve, 0};
    int fd = syscall(SYS_openat2, dir, path, &how, size);
    ok(what, fd);
    if (fd >= 0)
        close(fd);
}

static void walk(const char *path, uint64_t resolve)
{
    char what[96];
    snprintf(what, sizeof what, "%s%s%s%s%s %s", resolve & NO_XDEV ? "NO_XDEV " : "",
             resolve & NO_MAGICLINKS ? "NO_MAGICLINKS " : "", resolve & NO_SYMLINKS ? "NO_SYMLINKS " : "",
             resolve & BENEATH ? "BENEATH" : "", resolve & IN_ROOT ? "IN_ROOT" : "", path);
    attempt(what, open("jail", O_PATH), path, O_RDONLY, 0, resolve, SIZE);
}

int main(void)
{
    must("mkdir", mkdir("jail", 0777));
    must("mkdir", mkdir("jail/sub", 0777));
    put_file("jail/file", "x");
    put_file("outside", "x");
    must("symlink", symlink("file", "jail/link"));
    must("symlink", symlink("../outside", "jail/escape"));
    must("symlink", symlink("/file", "jail/absolute"));
    must("symlink", symlink("sub/../file", "jail/roundabout"));
    must("symlink", symlink("/proc/self/exe", "jail/magic"));

    const char *paths[] = {"file", "sub/../file", "link", "escape", "absolute", "roundabout",
                           "../outside", "../jail/file", "/file", "..", "missing", "file/x", "."};
    uint64_t resolves[] = {0, NO_SYMLINKS, BENEATH, IN_ROOT, NO_SYMLINKS | BENEATH};
    for (size_t r = 0; r < COUNT(resolves); r++)
        for (size_t p = 0; p < COUNT(paths); p++)
            walk(paths[p], resolves[r]);
    walk("magic", 0);
    walk("magic", NO_MAGICLINKS);
    walk("/proc/self/exe", NO_MAGICLINKS);
    walk("/proc/self/exe", NO_SYMLINKS);
    walk("/proc/self/exe", NO_XDEV);

    attempt("BENEATH with IN_ROOT", AT_FDCWD, "outside", 0, 0, BENEATH | IN_ROOT, SIZE);
    attempt("unknown resolve bit", AT_FDCWD, "outside", 0, 0, 0x100, SIZE);
    attempt("unknown flag", AT_FDCWD, "outside", 0x40000000, 0, 0, SIZE);
    attempt("flag above 32 bits", AT_FDCWD, "outside", 1ULL << 40, 0, 0, SIZE);
    attempt("mode without O_CREAT", AT_FDCWD, "outside", 0, 0644, 0, SIZE);
    attempt("mode with more than permissions", AT_FDCWD, "new", O_CREAT | O_WRONLY, 0100644, 0, SIZE);
    attempt("size too small", AT_FDCWD, "outside", 0, 0, 0, SIZE - 1);
    attempt("size zero", AT_FDCWD, "outside", 0, 0, 0, 0);
    attempt("larger with a zero tail", AT_FDCWD, "outside", 0, 0, 0, SIZE + 8);
    struct how tail = {0, 0, 0, 1};
    show("larger with a tail", syscall(SYS_openat2, AT_FDCWD, "outside", &tail, sizeof tail));
    show("more than a page", syscall(SYS_openat2, AT_FDCWD, "outside", &tail, 5000));
    show("null how", syscall(SYS_openat2, AT_FDCWD, "outside", NULL, SIZE));
    attempt("O_PATH with O_RDWR", AT_FDCWD, "outside", O_PATH | O_RDWR, 0, 0, SIZE);
    attempt("plain", AT_FDCWD, "outside", O_RDWR | O_CLOEXEC, 0, 0, SIZE);
}
