/* link(2), linkat(2): counts, what can't be linked, and AT_EMPTY_PATH, AT_SYMLINK_FOLLOW. */
#include "show.h"

static void links(const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        show(path, -1);
    else
        printf("%s: links %ld\n", path, (long)st.st_nlink);
}

int main(void)
{
    char long_name[257];
    memset(long_name, 'n', 256);
    long_name[256] = 0;
    put_file("file", "content");
    must("mkdir", mkdir("dir", 0777));
    must("symlink", symlink("file", "soft"));
    must("symlink", symlink("absent", "dangling"));
    must("symlink", symlink("loop", "loop"));

    show("link", link("file", "hard"));
    links("file");
    links("hard");
    show_file("hard", "hard");
    put_file("hard", "changed by the other name");
    show_file("file", "file");
    show("target exists", link("file", "hard"));
    show("target is a directory", link("file", "dir"));
    show("target is a dangling link", link("file", "dangling"));
    show("source missing", link("absent", "new"));
    show("source is a directory", link("dir", "new"));
    show("source empty", link("", "new"));
    show("target empty", link("file", ""));
    show("target in a missing directory", link("file", "absent/new"));
    show("target below a file", link("file", "hard/new"));
    show("target with a slash at its end", link("file", "new/"));
    show("source with a slash at its end", link("file/", "new"));
    show("source is a dangling link", link("dangling", "copied"));
    links("copied");
    show("source loops", link("loop", "looped"));
    links("looped");
    show("source through a loop", link("loop/x", "new"));
    show("target name too long", link("file", long_name));
    show("source null", link(NULL, "new"));
    show("target null", link("file", NULL));
    show("link of a link", link("soft", "soft2"));
    links("soft");
    show("linkat follows", linkat(AT_FDCWD, "soft", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW));
    links("file");
    show("linkat follows, dangling", linkat(AT_FDCWD, "dangling", AT_FDCWD, "x", AT_SYMLINK_FOLLOW));
    show("across file systems", link("/proc/version", "new"));
    show("unlink", unlink("hard"));
    links("file");
    int fd = must("open", open("file", O_RDONLY));
    show("unlink", unlink("file"));
    links("followed");
    show("unlink", unlink("followed"));
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    show("no name left", linkat(AT_FDCWD, path, AT_FDCWD, "again", AT_SYMLINK_FOLLOW));
}
