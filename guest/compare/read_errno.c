/* read(2): ends, errors, and what is delivered before a bad address stops it. */
#include "show.h"

int main(void)
{
    char text[64];
    put_file("file", "0123456789");
    must("mkdir", mkdir("dir", 0777));
    int fd = must("open", open("file", O_RDONLY));
    int wronly = must("open", open("file", O_WRONLY));
    int dir = must("open", open("dir", O_RDONLY));

    show("all", read(fd, text, sizeof text));
    show("at the end", read(fd, text, sizeof text));
    show("seek past the end", lseek(fd, 100, SEEK_SET));
    show("past the end", read(fd, text, sizeof text));
    show("past the end, bad buffer", read(fd, (void *)8, 10));
    lseek(fd, 0, SEEK_SET);
    show("count 0", read(fd, text, 0));
    show("count 0, null buffer", read(fd, NULL, 0));
    show("null buffer", read(fd, NULL, 4));
    show("kernel buffer", read(fd, (void *)0xffff800000000000, 4));
    show("non-canonical buffer", read(fd, (void *)0x800000000000, 4));
    show("position kept on error", lseek(fd, 0, SEEK_CUR));
    show("bad descriptor", read(-1, text, 1));
    show("closed descriptor", read(1000, text, 1));
    show("huge descriptor", syscall(SYS_read, 0x100000000 + 1000, text, 1));
    show("write-only", read(wronly, text, 1));
    show("write-only, count 0", read(wronly, text, 0));
    show("directory", read(dir, text, 1));
    show("directory, count 0", read(dir, text, 0));
    show("negative count", syscall(SYS_read, fd, text, -1L));
    show("count above SSIZE_MAX", syscall(SYS_read, fd, text, 1UL << 63));
    show("a huge count reads what is there", syscall(SYS_read, fd, text, 1UL << 40));

    char *edge = pages(2) + PAGE;
    must("munmap", munmap(edge, PAGE));
    lseek(fd, 0, SEEK_SET);
    show("buffer that ends after 3 bytes", read(fd, edge - 3, 10));
    show_bytes("got", edge - 3, 3);
    show("position", lseek(fd, 0, SEEK_CUR));
    char *guard = pages(1);
    must("mprotect", mprotect(guard, PAGE, PROT_READ));
    show("read-only buffer", read(fd, guard, 4));
    must("mprotect", mprotect(guard, PAGE, PROT_NONE));
    show("PROT_NONE buffer", read(fd, guard, 4));
    show("position", lseek(fd, 0, SEEK_CUR));
    show("pread at 8", pread(fd, text, 8, 8));
    show("pread negative", pread(fd, text, 8, -1));
    show("pread, directory", pread(dir, text, 8, 0));
    show("standard input", read(0, text, sizeof text));
}
