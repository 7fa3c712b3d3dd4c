/* fsync, fdatasync, sync, syncfs and fadvise: what takes them and what does not. */
#include "show.h"

int main(void)
{
    put_file("file", "x");
    must("mkdir", mkdir("dir", 0777));
    int fd = must("open", open("file", O_RDWR));
    show("fsync", fsync(fd));
    show("fdatasync", fdatasync(fd));
    show("fsync read-only", fsync(open("file", O_RDONLY)));
    show("fsync of a directory", fsync(open("dir", O_RDONLY)));
    show("fsync of /dev/null", fsync(open("/dev/null", O_RDWR)));
    show("fsync bad", fsync(99));
    show("fdatasync bad", fdatasync(-1));
    show("fadvise", posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
    show("fadvise unknown", posix_fadvise(fd, 0, 0, 77));
    char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    map[0] = 'y';
    show("msync", msync(map, PAGE, MS_SYNC));
    show_file("file", "file");
    show("msync MS_ASYNC", msync(map, PAGE, MS_ASYNC));
    show("msync both", msync(map, PAGE, MS_SYNC | MS_ASYNC));
    show("msync unknown", msync(map, PAGE, 64));
    show("msync unaligned", msync(map + 1, 1, MS_SYNC));
    show("msync length 0", msync(map, 0, MS_SYNC));
    must("munmap", munmap(map, PAGE));
    show("msync unmapped", msync(map, PAGE, MS_SYNC));
}
