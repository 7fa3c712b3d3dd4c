/* mkdir(2) and rmdir(2): modes, link counts, and every refusal. */
#include "show.h"

int main(void)
{
    struct stat st;
    char long_name[257];
    memset(long_name, 'n', 256);
    long_name[256] = 0;
    umask(022);
    put_file("file", "x");
    must("symlink", symlink("absent", "dangling"));
    must("symlink", symlink("dir", "softdir"));
    must("symlink", symlink("loop", "loop"));

    show("mkdir", mkdir("dir", 0777));
    stat("dir", &st);
    printf("mode %o\n", st.st_mode);
    show("mkdir with a slash", mkdir("slash/", 01777));
    stat("slash", &st);
    printf("mode %o\n", st.st_mode);
    show("setuid bit", mkdir("bits", 07755));
    stat("bits", &st);
    printf("mode %o\n", st.st_mode);
    show("exists", mkdir("dir", 0777));
    show("exists as a file", mkdir("file", 0777));
    show("exists as a dangling link", mkdir("dangling", 0777));
    show("dangling link with a slash", mkdir("dangling/", 0777));
    show("exists as a loop", mkdir("loop", 0777));
    show("through a loop", mkdir("loop/x", 0777));
    show("missing parent", mkdir("absent/x", 0777));
    show("below a file", mkdir("file/x", 0777));
    show("empty", mkdir("", 0777));
    show("null", mkdir(NULL, 0777));
    show(".", mkdir(".", 0777));
    show("..", mkdir("..", 0777));
    show("dir/.", mkdir("dir/.", 0777));
    show("new/.", mkdir("new/.", 0777));
    show("/", mkdir("/", 0777));
    show("name too long", mkdir(long_name, 0777));
    show("through a link", mkdir("softdir/sub", 0700));
    show("deep", mkdir("dir/sub/deep", 0700));

    show("rmdir full", rmdir("dir"));
    show("rmdir a file", rmdir("file"));
    show("rmdir a link", rmdir("softdir"));
    show("rmdir a link with a slash", rmdir("softdir/"));
    show("rmdir missing", rmdir("absent"));
    show("rmdir empty", rmdir(""));
    show("rmdir null", rmdir(NULL));
    show("rmdir .", rmdir("."));
    show("rmdir dir/.", rmdir("dir/."));
    show("rmdir dir/sub/..", rmdir("dir/sub/.."));
    show("rmdir below a file", rmdir("file/x"));
    show("rmdir /", rmdir("/"));
    show("rmdir deep", rmdir("dir/sub/deep"));
    show("rmdir sub with slashes", rmdir("dir/sub//"));
    show("rmdir dir", rmdir("dir"));
    show("gone", stat("dir", &st));
    show("again", mkdir("dir", 0));
    stat("dir", &st);
    printf("mode %o\n", st.st_mode);
    int fd = must("open", open("slash", O_RDONLY | O_DIRECTORY));
    show("rmdir an open one", rmdir("slash"));
    show("nothing can be made in it", mkdirat(fd, "x", 0777));
    show("nor opened", openat(fd, "x", O_RDWR | O_CREAT, 0600));
    char entries[256];
    show("and it lists nothing", syscall(SYS_getdents64, fd, entries, sizeof entries));
    show("links", fstat(fd, &st) < 0 ? -1 : (long)st.st_nlink);
}
