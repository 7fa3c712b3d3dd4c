/* sendfile(2): from a file to a file, with and without an offset, at the end, and its errors. */
#include "show.h"
#include <sys/sendfile.h>

int main(void)
{
    put_file("in", "0123456789abcdef");
    must("mkdir", mkdir("dir", 0777));
    int in = must("open", open("in", O_RDWR));
    int out = must("open", open("out", O_RDWR | O_CREAT, 0600));
    int rdonly = must("open", open("out", O_RDONLY));
    int wronly = must("open", open("in", O_WRONLY));
    int append = must("open", open("out", O_WRONLY | O_APPEND));
    int null = must("open", open("/dev/null", O_RDWR));
    int dir = must("open", open("dir", O_RDONLY));

    show("by position", sendfile(out, in, NULL, 5));
    show("in position", lseek(in, 0, SEEK_CUR));
    show("out position", lseek(out, 0, SEEK_CUR));
    off_t offset = 10;
    show("by offset", sendfile(out, in, &offset, 3));
    show("offset moved", offset);
    show("in position stays", lseek(in, 0, SEEK_CUR));
    show_file("out", "out");
    show("more than there is", sendfile(out, in, NULL, 1000));
    show("at the end", sendfile(out, in, NULL, 1000));
    offset = 100;
    show("past the end", sendfile(out, in, &offset, 10));
    show("offset", offset);
    offset = 0;
    show("count 0", sendfile(out, in, &offset, 0));
    show("to /dev/null", sendfile(null, in, &offset, 16));
    show_file("out", "out");
    offset = 0;
    show("to /dev/full", sendfile(open("/dev/full", O_WRONLY), in, &offset, 4));
    offset = -1;
    show("negative offset", sendfile(out, in, &offset, 1));
    show("bad in", sendfile(out, 99, NULL, 1));
    show("bad out", sendfile(99, in, NULL, 1));
    show("in write-only", sendfile(out, wronly, NULL, 1));
    show("out read-only", sendfile(rdonly, in, NULL, 1));
    offset = 0;
    show("out is O_APPEND", sendfile(append, in, &offset, 1));
    show("in is a directory", sendfile(out, dir, NULL, 1));
    show("bad offset pointer", syscall(SYS_sendfile, out, in, 8, 1));
    show("size", lseek(out, 0, SEEK_END));

    char block[PAGE];
    int big = must("open", open("big", O_RDWR | O_CREAT, 0600));
    for (int i = 0; i < 64; i++) {
        memset(block, 'A' + i % 26, sizeof block);
        must("write", write(big, block, sizeof block));
    }
    offset = 0;
    must("ftruncate", ftruncate(out, 0));
    lseek(out, 0, SEEK_SET);
    show("256 KiB", sendfile(out, big, &offset, 1 << 20));
    pread(out, block, 1, 63 * PAGE);
    show_bytes("last page", block, 1);
}
