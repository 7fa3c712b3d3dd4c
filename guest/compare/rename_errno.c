/* rename(2): what replaces what, and every refusal that does not need a second file system. */
#include "show.h"

int main(void)
{
    struct stat before, after;
    char long_name[257];
    memset(long_name, 'n', 256);
    long_name[256] = 0;
    put_file("a", "text of a");
    put_file("b", "text of b");
    must("mkdir", mkdir("dir", 0777));
    must("mkdir", mkdir("dir/sub", 0777));
    must("mkdir", mkdir("empty", 0777));
    must("mkdir", mkdir("full", 0777));
    put_file("full/x", "x");
    must("symlink", symlink("b", "soft"));
    must("symlink", symlink("dir", "softdir"));
    must("symlink", symlink("loop", "loop"));

    stat("a", &before);
    show("to a new name", rename("a", "a2"));
    stat("a2", &after);
    check("same inode", before.st_ino == after.st_ino);
    show("old name gone", stat("a", &after));
    show("over a file", rename("a2", "b"));
    show_file("b", "b");
    show("to itself", rename("b", "b"));
    must("link", link("b", "b-hard"));
    show("to another name of itself", rename("b", "b-hard"));
    show("both names stay", stat("b", &after));
    show("missing", rename("absent", "x"));
    show("empty source", rename("", "x"));
    show("empty target", rename("b", ""));
    show("null", rename(NULL, "x"));
    show("target in a missing directory", rename("b", "absent/x"));
    show("source below a file", rename("b/x", "y"));
    show("target below a file", rename("b", "b-hard/x"));
    show("file over a directory", rename("b", "empty"));
    show("directory over a file", rename("empty", "b"));
    show("directory over an empty directory", rename("dir", "empty"));
    show("moved with its content", stat("empty/sub", &after));
    show("directory over a full one", rename("empty", "full"));
    show("directory into itself", rename("empty", "empty/sub/deeper"));
    show("directory to its own child", rename("empty", "empty/sub"));
    show("child over its parent", rename("empty/sub", "empty"));
    show("file to a name with a slash", rename("b", "c/"));
    show("directory to a name with a slash", rename("empty", "dir/"));
    show("file with a slash", rename("b/", "c"));
    show("directory with a slash", rename("dir/", "empty"));
    show(".", rename(".", "x"));
    show("..", rename("..", "x"));
    show("to .", rename("b", "."));
    show("empty/.", rename("empty/.", "x"));
    show("link itself moves", rename("soft", "soft2"));
    lstat("soft2", &after);
    check("a link", S_ISLNK(after.st_mode));
    show("over a link", rename("b", "soft2"));
    lstat("soft2", &after);
    check("a file now", S_ISREG(after.st_mode));
    show("link to a directory with a slash", rename("softdir/", "x"));
    show("through a loop", rename("loop/x", "y"));
    show("the loop", rename("loop", "loop2"));
    show("name too long", rename("loop2", long_name));
    show("across file systems", rename("soft2", "/proc/x"));
    int fd = must("open", open("soft2", O_RDONLY));
    put_file("replacement", "new");
    show("over an open file", rename("replacement", "soft2"));
    char text[16];
    ssize_t size = read(fd, text, sizeof text);
    show_bytes("the open one keeps its content", text, size);
}
