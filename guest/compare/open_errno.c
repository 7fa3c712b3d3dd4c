/* Every error open(2) can give for a path, its flags and the state of the file system. */
#include "show.h"
#include <sys/resource.h>

static void attempt(const char *what, const char *path, int flags, mode_t mode)
{
    int fd = syscall(SYS_open, path, flags, mode);
    ok(what, fd);
    if (fd >= 0)
        close(fd);
}

int main(void)
{
    char long_name[300], long_path[5000];
    memset(long_name, 'n', sizeof long_name);
    long_name[256] = 0;
    for (size_t i = 0; i < sizeof long_path; i++)
        long_path[i] = i % 2 ? '/' : '.';
    long_path[4096] = 0;

    put_file("file", "x");
    must("mkdir", mkdir("dir", 0777));
    must("symlink", symlink("dangling-target", "dangling"));
    must("symlink", symlink("loop-b", "loop-a"));
    must("symlink", symlink("loop-a", "loop-b"));
    must("symlink", symlink("file", "link"));

    attempt("missing", "missing", O_RDONLY, 0);
    attempt("empty path", "", O_RDONLY, 0);
    attempt("missing directory", "missing/file", O_RDONLY | O_CREAT, 0666);
    attempt("file as directory", "file/x", O_RDONLY, 0);
    attempt("file with trailing slash", "file/", O_RDONLY, 0);
    attempt("create with trailing slash", "new/", O_WRONLY | O_CREAT, 0666);
    attempt("exclusive, exists", "file", O_RDWR | O_CREAT | O_EXCL, 0666);
    attempt("exclusive, dangling link", "dangling", O_RDWR | O_CREAT | O_EXCL, 0666);
    attempt("directory for writing", "dir", O_WRONLY, 0);
    attempt("directory for both", "dir", O_RDWR, 0);
    attempt("directory, O_CREAT", "dir", O_RDONLY | O_CREAT, 0666);
    attempt("directory, O_TRUNC", "dir", O_RDONLY | O_TRUNC, 0);
    attempt("O_DIRECTORY on a file", "file", O_RDONLY | O_DIRECTORY, 0);
    attempt("O_DIRECTORY on a link to a file", "link", O_RDONLY | O_DIRECTORY, 0);
    attempt("O_NOFOLLOW on a link", "link", O_RDONLY | O_NOFOLLOW, 0);
    attempt("O_NOFOLLOW|O_DIRECTORY on a link", "link", O_RDONLY | O_NOFOLLOW | O_DIRECTORY, 0);
    attempt("dangling link", "dangling", O_RDONLY, 0);
    attempt("loop", "loop-a", O_RDONLY, 0);
    attempt("loop, O_CREAT", "loop-a", O_RDWR | O_CREAT, 0666);
    attempt("loop as directory", "loop-a/x", O_RDONLY, 0);
    attempt("name of 256", long_name, O_RDONLY, 0);
    attempt("create name of 256", long_name, O_WRONLY | O_CREAT, 0666);
    long_name[255] = 0;
    attempt("name of 255", long_name, O_RDONLY, 0);
    attempt("path of 4096", long_path, O_RDONLY, 0);
    long_path[4095] = 0;
    attempt("path of 4095", long_path, O_RDONLY, 0);
    attempt("null", NULL, O_RDONLY, 0);
    attempt("kernel address", (char *)0xffff800000000000, O_RDONLY, 0);
    attempt("O_TMPFILE for reading", ".", O_TMPFILE | O_RDONLY, 0600);
    attempt("O_TMPFILE on a file", "file", O_TMPFILE | O_RDWR, 0600);
    attempt("O_TMPFILE missing", "missing", O_TMPFILE | O_RDWR, 0600);
    attempt("access mode 3", "file", 3, 0);
    attempt("unknown flag bits are ignored", "file", O_RDONLY | 0x40000000, 0);

    struct rlimit few = {3, 3};
    must("setrlimit", setrlimit(RLIMIT_NOFILE, &few));
    attempt("no descriptor left", "file", O_RDONLY, 0);
    attempt("no descriptor left, missing", "missing", O_RDONLY, 0);
    attempt("no descriptor left, null", NULL, O_RDONLY, 0);
}
