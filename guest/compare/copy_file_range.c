/* copy_file_range(2): positions or offsets on either side, overlap, the end, errors. */
#include "show.h"

static long copy(int in, long *in_at, int out, long *out_at, size_t size, unsigned flags)
{
    return syscall(SYS_copy_file_range, in, in_at, out, out_at, size, flags);
}

int main(void)
{
    long in_at, out_at;
    put_file("in", "0123456789abcdef");
    put_file("out", "");
    must("mkdir", mkdir("dir", 0777));
    int in = must("open", open("in", O_RDWR));
    int out = must("open", open("out", O_RDWR));

    show("by positions", copy(in, NULL, out, NULL, 5, 0));
    show("in position", lseek(in, 0, SEEK_CUR));
    show("out position", lseek(out, 0, SEEK_CUR));
    in_at = 8;
    show("in by offset", copy(in, &in_at, out, NULL, 2, 0));
    show("in offset", in_at);
    show("in position", lseek(in, 0, SEEK_CUR));
    out_at = 20;
    show("out by offset", copy(in, NULL, out, &out_at, 3, 0));
    show("out offset", out_at);
    show("out position", lseek(out, 0, SEEK_CUR));
    show_file("out", "out");
    show("more than there is", copy(in, NULL, out, NULL, 1000, 0));
    show("at the end", copy(in, NULL, out, NULL, 1000, 0));
    in_at = 1000;
    show("past the end", copy(in, &in_at, out, NULL, 1, 0));
    show("size 0", copy(in, NULL, out, NULL, 0, 0));
    in_at = 0, out_at = 100;
    show("same file", copy(in, &in_at, in, &out_at, 4, 0));
    in_at = 0, out_at = 2;
    show("same file, overlap", copy(in, &in_at, in, &out_at, 4, 0));
    in_at = 4, out_at = 0;
    show("same file, adjacent", copy(in, &in_at, in, &out_at, 4, 0));
    show_file("in", "in");
    show("flags", copy(in, NULL, out, NULL, 1, 1));
    show("bad in", copy(99, NULL, out, NULL, 1, 0));
    show("bad out", copy(in, NULL, 99, NULL, 1, 0));
    in_at = 0;
    show("in write-only", copy(open("in", O_WRONLY), &in_at, out, NULL, 1, 0));
    show("out read-only", copy(in, &in_at, open("out", O_RDONLY), NULL, 1, 0));
    show("out O_APPEND", copy(in, &in_at, open("out", O_WRONLY | O_APPEND), NULL, 1, 0));
    show("in is a directory", copy(open("dir", O_RDONLY), NULL, out, NULL, 1, 0));
    in_at = -1;
    show("negative offset", copy(in, &in_at, out, NULL, 1, 0));
    show("bad offset pointer", copy(in, (long *)8, out, NULL, 1, 0));
    show("out is a device", copy(in, NULL, open("/dev/null", O_WRONLY), NULL, 1, 0));
}
