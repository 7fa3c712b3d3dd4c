/* lseek: whence, errors, positions past the end, and SEEK_DATA and SEEK_HOLE on a sparse file. */
#include "show.h"

int main(void)
{
    enum { MIB = 1 << 20 };
    int fd = must("open", open("sparse", O_RDWR | O_CREAT, 0600));
    show("SEEK_DATA, empty", lseek(fd, 0, SEEK_DATA));
    show("SEEK_HOLE, empty", lseek(fd, 0, SEEK_HOLE));
    show("write at 1 MiB", pwrite(fd, "data", 4, MIB));
    show("write at 3 MiB", pwrite(fd, "data", 4, 3 * MIB));
    show("extend to 5 MiB", ftruncate(fd, 5 * MIB));
    long at[] = {0, MIB, MIB + 2, MIB + PAGE, 2 * MIB, 3 * MIB, 4 * MIB, 5 * MIB - 1, 5 * MIB, 9 * MIB, -1};
    for (size_t i = 0; i < COUNT(at); i++) {
        printf("from %ld ", at[i]);
        show("data", lseek(fd, at[i], SEEK_DATA));
        printf("from %ld ", at[i]);
        show("hole", lseek(fd, at[i], SEEK_HOLE));
    }
    show("SEEK_SET", lseek(fd, 100, SEEK_SET));
    show("SEEK_CUR", lseek(fd, -50, SEEK_CUR));
    show("SEEK_CUR below zero", lseek(fd, -51, SEEK_CUR));
    show("SEEK_END", lseek(fd, -1, SEEK_END));
    show("SEEK_END past", lseek(fd, 1000, SEEK_END));
    show("SEEK_END below zero", lseek(fd, -5 * MIB - 1, SEEK_END));
    show("negative", lseek(fd, -1, SEEK_SET));
    show("overflow", lseek(fd, INT64_MAX, SEEK_CUR));
    show("unknown whence", lseek(fd, 0, 99));
    show("bad descriptor", lseek(-1, 0, SEEK_SET));
    show("bad descriptor, unknown whence", lseek(-1, 0, 99));
    show("failed seeks kept the position", lseek(fd, 0, SEEK_CUR));
    int null = must("open", open("/dev/null", O_RDWR));
    show("/dev/null", lseek(null, 1000, SEEK_SET));
    int zero = must("open", open("/dev/zero", O_RDWR));
    show("/dev/zero", lseek(zero, 1000, SEEK_SET));
    char byte = 'x';
    show("hole reads", pread(fd, &byte, 1, 2 * MIB));
    show("as", byte);
    struct stat st;
    fstat(fd, &st);
    check("uses less than it shows", st.st_blocks * 512 < st.st_size);
}
