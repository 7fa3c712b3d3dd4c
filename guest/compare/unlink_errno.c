/* unlink(2), and that an unlinked file lives on for as long as it is open or mapped. */
#include "show.h"

int main(void)
{
    char text[16];
    put_file("file", "content");
    put_file("other", "other");
    must("mkdir", mkdir("dir", 0777));
    must("mkdir", mkdir("dir/sub", 0777));
    must("symlink", symlink("file", "soft"));
    must("symlink", symlink("dir", "softdir"));
    must("symlink", symlink("loop", "loop"));

    show("missing", unlink("absent"));
    show("empty", unlink(""));
    show("null", unlink(NULL));
    show("directory", unlink("dir"));
    show("directory with a slash", unlink("dir/"));
    show("file with a slash", unlink("file/"));
    show("link with a slash", unlink("soft/"));
    show("link to a directory with a slash", unlink("softdir/"));
    show("below a file", unlink("file/x"));
    show(".", unlink("."));
    show("..", unlink(".."));
    show("dir/.", unlink("dir/."));
    show("dir/..", unlink("dir/.."));
    show("through a loop", unlink("loop/x"));
    show("the loop itself", unlink("loop"));
    show("a link, not its target", unlink("soft"));
    show_file("file", "file");
    show("a link to a directory", unlink("softdir"));
    show("in a subdirectory, missing", unlink("dir/sub/x"));

    int fd = must("open", open("file", O_RDWR));
    char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    show("unlink an open file", unlink("file"));
    show("gone", unlink("file"));
    show("still read", read(fd, text, sizeof text));
    show("still written", pwrite(fd, "C", 1, 0));
    close(fd);
    show_bytes("still mapped", map, 7);
    put_file("file", "another file");
    show_bytes("not that one", map, 7);
    show_file("file", "file");

    fd = must("open", open("other", O_RDONLY));
    show("remove(3)", remove("other"));
    show("remove(3) of a full directory", remove("dir"));
    show("remove(3) of an empty directory", remove("dir/sub"));
    struct stat st;
    show("fstat", fstat(fd, &st));
    show("links", st.st_nlink);
}
