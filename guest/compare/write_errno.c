/* write(2): errors, short writes at a bad address, and the file size limit with SIGXFSZ ignored. */
#include "show.h"
#include <sys/resource.h>

int main(void)
{
    put_file("file", "");
    must("mkdir", mkdir("dir", 0777));
    int fd = must("open", open("file", O_RDWR));
    int rdonly = must("open", open("file", O_RDONLY));
    int dir = must("open", open("dir", O_RDONLY));
    int full = must("open", open("/dev/full", O_RDWR));
    int null = must("open", open("/dev/null", O_WRONLY));

    show("write", write(fd, "hello", 5));
    show("count 0", write(fd, "x", 0));
    show("count 0, null buffer", write(fd, NULL, 0));
    show("null buffer", write(fd, NULL, 4));
    show("kernel buffer", write(fd, (void *)0xffff800000000000, 4));
    show("negative count", syscall(SYS_write, fd, "x", -1L));
    show("bad descriptor", write(-1, "x", 1));
    show("closed descriptor", write(1000, "x", 1));
    show("read-only", write(rdonly, "x", 1));
    show("directory", write(dir, "x", 1));
    show("/dev/full", write(full, "x", 1));
    show("/dev/full, count 0", write(full, "x", 0));
    show("/dev/full, null buffer", write(full, NULL, 1));
    show("/dev/null", write(null, "12345", 5));
    show("/dev/null, null buffer", write(null, NULL, 5));

    char *edge = pages(2) + PAGE;
    memset(edge - 3, 'e', 3);
    must("munmap", munmap(edge, PAGE));
    show("buffer that ends after 3 bytes", write(fd, edge - 3, 10));
    show("size", lseek(fd, 0, SEEK_END));
    char *guard = pages(1);
    must("mprotect", mprotect(guard, PAGE, PROT_NONE));
    show("PROT_NONE buffer", write(fd, guard, 4));

    lseek(fd, 20, SEEK_SET);
    show("after a gap", write(fd, "end", 3));
    show_file("gap of zeros", "file");
    show("pwrite", pwrite(fd, "P", 1, 2));
    show("pwrite negative", pwrite(fd, "P", 1, -1));
    show("position untouched by pwrite", lseek(fd, 0, SEEK_CUR));
    show("pwrite, offset overflow", pwrite(fd, "ab", 2, INT64_MAX));

    signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = {30, 30};
    must("setrlimit", setrlimit(RLIMIT_FSIZE, &small));
    show("up to the limit", write(fd, "0123456789", 10));
    show("at the limit", write(fd, "x", 1));
    show("pwrite beyond the limit", pwrite(fd, "x", 1, 100));
    show("ftruncate beyond the limit", ftruncate(fd, 31));
    show("ftruncate to the limit", ftruncate(fd, 30));
    show("inside the limit", pwrite(fd, "x", 1, 29));
    show("size", lseek(fd, 0, SEEK_END));
}
