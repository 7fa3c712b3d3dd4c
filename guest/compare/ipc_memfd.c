/*
 * memfd_create(2) and seals: what each seal forbids, to writes, sizes, mappings and further seals.
 */
#include "show.h"

#define F_SEAL_EXEC_ 0x20
static int made(unsigned flags)
{
    int fd = must("memfd_create", memfd_create("some name", flags | MFD_CLOEXEC));
    must("ftruncate", ftruncate(fd, 2 * PAGE));
    return fd;
}

static void try_all(const char *what, int fd)
{
    static char bytes[3 * PAGE];
    printf("-- %s: seals %#x\n", what, fcntl(fd, F_GET_SEALS));
    show("write within", pwrite(fd, "x", 1, 0));
    show("write across the end", pwrite(fd, bytes, 100, 2 * PAGE - 50));
    show("write pages across the end", pwrite(fd, bytes, 3 * PAGE, 0));
    show("write behind", pwrite(fd, "x", 1, 3 * PAGE));
    show("grow", ftruncate(fd, 4 * PAGE));
    show("same", ftruncate(fd, lseek(fd, 0, SEEK_END)));
    show("shrink", ftruncate(fd, PAGE));
    show("allocate", fallocate(fd, 0, 0, 6 * PAGE));
    show("allocate, keep size", fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 7 * PAGE));
    show("punch", fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, PAGE));
    char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ok("map shared, write", at == MAP_FAILED ? -1 : 0);
    if (at != MAP_FAILED) {
        at[0] = 'm';
        munmap(at, PAGE);
    }
    at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    ok("map shared, read", at == MAP_FAILED ? -1 : 0);
    ok("then mprotect", mprotect(at, PAGE, PROT_READ | PROT_WRITE));
    munmap(at, PAGE);
    at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    ok("map private", at == MAP_FAILED ? -1 : 0);
    munmap(at, PAGE);
    show("chmod 0600", fchmod(fd, 0600));
    show("chmod 0700", fchmod(fd, 0700));
    show("size", lseek(fd, 0, SEEK_END));
    show("add F_SEAL_SEAL", fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
    show("add more", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    close(fd);
}

int main(void)
{
    static const struct {
        const char *name;
        int seals;
    } kinds[] = {
        {"none", 0}, {"shrink", F_SEAL_SHRINK}, {"grow", F_SEAL_GROW}, {"write", F_SEAL_WRITE},
        {"future write", F_SEAL_FUTURE_WRITE}, {"exec", F_SEAL_EXEC_},
    };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        int fd = made(MFD_ALLOW_SEALING);
        show("add", fcntl(fd, F_ADD_SEALS, kinds[i].seals));
        try_all(kinds[i].name, fd);
    }
    try_all("no sealing allowed", made(0));
    try_all("MFD_NOEXEC_SEAL", made(8));

    int fd = made(MFD_ALLOW_SEALING);
    struct stat status;
    fstat(fd, &status);
    printf("mode %o, %d links, size %d, flags %o, FD_CLOEXEC %d\n", status.st_mode, (int)status.st_nlink,
           (int)status.st_size, fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
    char name[64], path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(path, name, sizeof name);
    show_bytes("name", name, size);
    int again = open(path, O_RDONLY);
    show("read-only: add", fcntl(again, F_ADD_SEALS, F_SEAL_WRITE));
    show("read-only: get", fcntl(again, F_GET_SEALS));
    again = open(path, O_RDWR);
    void *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    show("mapped writable-to-be", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    show("future is no matter", fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
    munmap(at, PAGE);
    show("unmapped", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    show("by another file", write(again, "x", 1));
    show("unknown seal", fcntl(fd, F_ADD_SEALS, 0x40));

    show("unknown flag", memfd_create("x", 0x20));
    show("exec and noexec", memfd_create("x", 0x18));
    show("null name", memfd_create(NULL, 0));
    show("unknown flag, null name", memfd_create(NULL, 0x20));
    char text[300];
    memset(text, 'n', sizeof text);
    text[250] = 0;
    show("250 letters", memfd_create(text, 0));
    text[249] = 0;
    ok("249 letters", memfd_create(text, 0));
    ok("no letters", memfd_create("", 0));
    ok("slashes", memfd_create("a/b/../c", 0));
    show("seals of a pipe", pipe((int *)text) ? 0 : fcntl(*(int *)text, F_GET_SEALS));
}
