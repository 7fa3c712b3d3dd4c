/* chdir, fchdir, getcwd: relative paths follow; a directory that was deleted; errors. */
#include "show.h"

static char start[4096];

/* The working directory, below where the program began. */
static void here(const char *what)
{
    char path[4096];
    long size = syscall(SYS_getcwd, path, sizeof path);
    if (size < 0)
        show(what, size);
    else
        printf("%s: %s, size fits %d\n", what,
               strncmp(path, start, strlen(start)) ? path : path + strlen(start),
               (size_t)size == strlen(path) + 1);
}

int main(void)
{
    char small[4];
    struct stat st;
    must("getcwd", syscall(SYS_getcwd, start, sizeof start));
    must("mkdir", mkdir("a", 0777));
    must("mkdir", mkdir("a/b", 0777));
    put_file("a/file", "text");
    must("symlink", symlink("a/b", "link"));
    here("start");
    show("chdir a", chdir("a"));
    here("in a");
    show_file("file", "file");
    show("chdir b", chdir("./b/../b/."));
    here("in b");
    show("chdir ..", chdir(".."));
    int fd = must("open", open(".", O_RDONLY | O_DIRECTORY));
    show("chdir start", chdir(start));
    show("through a link", chdir("link"));
    here("the real name");
    show(".. of the real one", chdir(".."));
    here("in a");
    show("chdir start", chdir(start));
    show("fchdir", fchdir(fd));
    here("in a");
    show("rename under it", rename("../a", "../renamed"));
    here("renamed");
    show("chdir to a file", chdir("file"));
    show("missing", chdir("absent"));
    show("empty", chdir(""));
    show("null", chdir(NULL));
    show("fchdir bad", fchdir(99));
    show("fchdir to a file", fchdir(open("file", O_RDONLY)));
    here("unchanged");
    show("buffer too small", syscall(SYS_getcwd, small, sizeof small));
    show("size 0", syscall(SYS_getcwd, small, 0));
    show("bad buffer", syscall(SYS_getcwd, 8, 4096));
    show("null buffer", syscall(SYS_getcwd, NULL, 4096));

    show("chdir b", chdir("b"));
    show("rmdir it", rmdir("../b"));
    here("deleted");
    show("stat .", stat(".", &st));
    show("links", st.st_nlink);
    show("open .", open(".", O_RDONLY) < 0 ? -1 : 0);
    show("make a file", open("x", O_RDWR | O_CREAT, 0600));
    show("make a directory", mkdir("x", 0700));
    show("stat ..", stat("..", &st));
    show("chdir .", chdir("."));
    show("chdir ..", chdir(".."));
    here("out of it");
    show("chdir /", chdir("/"));
    here("root");
    show("chdir /..", chdir("/.."));
    here("root");
}
