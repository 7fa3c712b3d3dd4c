/* truncate and ftruncate: shrinking, growing with zeros, errors; and what maps and positions see. */
#include "show.h"

int main(void)
{
    char text[32];
    put_file("file", "0123456789");
    must("mkdir", mkdir("dir", 0777));
    must("symlink", symlink("file", "link"));
    must("symlink", symlink("loop", "loop"));
    int fd = must("open", open("file", O_RDWR));
    int rdonly = must("open", open("file", O_RDONLY));

    show("shrink", truncate("file", 4));
    show_file("file", "file");
    show("grow", ftruncate(fd, 8));
    show_file("file", "file");
    show("same size", ftruncate(fd, 8));
    show("through a link", truncate("link", 6));
    show("size", lseek(fd, 0, SEEK_END));
    show("to nothing", ftruncate(fd, 0));
    show("position stays", lseek(fd, 0, SEEK_CUR));
    show("write there", write(fd, "ab", 2));
    show_file("file", "file");
    show("shrink inside a page", ftruncate(fd, 7));
    show("grow again", ftruncate(fd, 10));
    show_file("what was cut is zero", "file");

    show("negative", truncate("file", -1));
    show("negative, descriptor", ftruncate(fd, -1));
    show("read-only descriptor", ftruncate(rdonly, 1));
    show("bad descriptor", ftruncate(99, 1));
    show("directory", truncate("dir", 1));
    show("directory descriptor", ftruncate(open("dir", O_RDONLY), 1));
    show("missing", truncate("absent", 1));
    show("below a file", truncate("file/x", 1));
    show("with a slash", truncate("file/", 1));
    show("empty", truncate("", 1));
    show("null", truncate(NULL, 1));
    show("loop", truncate("loop", 1));
    show("device", truncate("/dev/null", 1));
    show("device descriptor", ftruncate(open("/dev/null", O_RDWR), 1));
    show("negative before missing", truncate("absent", -1));

    show("large and sparse", ftruncate(fd, 1L << 32));
    show("size", lseek(fd, 0, SEEK_END));
    show("read far inside", pread(fd, text, 4, (1L << 32) - 4));
    show_bytes("zeros", text, 4);
    show("read over the end", pread(fd, text, 8, (1L << 32) - 4));
    show("small again", ftruncate(fd, 10000));
    char *map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memset(map + 8000, 'm', 2000);
    show("cut a mapped file", ftruncate(fd, 9000));
    show("in the map the rest of the page is zero", map[8999] == 'm' && map[9000] == 0);
    show("grown", ftruncate(fd, 10000));
    pread(fd, text, 4, 8998);
    show_bytes("zeros after 9000", text, 4);
    int append = must("open", open("file", O_WRONLY | O_APPEND));
    show("O_APPEND descriptor", ftruncate(append, 3));
    show("append", write(append, "!", 1));
    show_file("file", "file");
}
