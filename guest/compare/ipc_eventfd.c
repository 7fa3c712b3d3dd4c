/*
 * eventfd(2): counter, semaphore, limits, poll, errors; and what all files without an inode of their own have in common.
 */
#include "show.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

static void polled(const char *what, int fd)
{
    struct pollfd p = {fd, 0x7fff, 0};
    int n = poll(&p, 1, 0);
    printf("%s: %d %#x\n", what, n, p.revents);
}

static void get(const char *what, int fd)
{
    uint64_t value = 0;
    ssize_t n = read(fd, &value, 8);
    if (n < 0)
        show(what, n);
    else
        printf("%s: %zd, %#llx\n", what, n, (unsigned long long)value);
}

static long put(int fd, uint64_t value)
{
    return write(fd, &value, 8);
}

static void common(const char *what, int fd)
{
    char bytes[128];
    printf("-- %s\n", what);
    show("lseek", lseek(fd, 5, SEEK_SET));
    show("lseek, bad whence", lseek(fd, 5, 9));
    show("pread", pread(fd, bytes, 128, 0));
    show("pwrite", pwrite(fd, bytes, 8, 0));
    show("fsync", fsync(fd));
    show("ftruncate", ftruncate(fd, 0));
    show("fallocate", fallocate(fd, 0, 0, 5));
    show("mmap", mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
    struct stat status;
    fstat(fd, &status);
    printf("mode %o, %d links, size %d\n", status.st_mode & 07777, (int)status.st_nlink, (int)status.st_size);
    char path[40];
    sprintf(path, "/proc/self/fd/%d", fd);
    int n = readlink(path, bytes, sizeof bytes);
    show_bytes("name", bytes, n > 0 ? n : 0);
    show("open", open(path, O_RDONLY));
    show("getdents64", syscall(SYS_getdents64, fd, bytes, 100));
    show("flags", fcntl(fd, F_GETFL));
    show("O_DIRECT", fcntl(fd, F_SETFL, O_DIRECT));
    show("fchdir", fchdir(fd));
    show("FIONREAD", ioctl(fd, FIONREAD, bytes));
    show("FIOQSIZE", ioctl(fd, 0x5460, bytes));
    show("F_GETPIPE_SZ", fcntl(fd, F_GETPIPE_SZ));
    show("F_GET_SEALS", fcntl(fd, F_GET_SEALS));
    show("sendfile", sendfile(1, fd, 0, 8));
}

int main(void)
{
    int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    show("FD_CLOEXEC", fcntl(fd, F_GETFD));
    polled("3", fd);
    get("read", fd);
    polled("0", fd);
    get("read", fd);
    show("add", put(fd, 5));
    show("add", put(fd, 0));
    get("read", fd);
    show("add nothing", put(fd, 0));
    get("read", fd);
    show("too large", put(fd, UINT64_MAX));
    show("just not", put(fd, UINT64_MAX - 1));
    polled("full", fd);
    show("one more", put(fd, 1));
    show("none more", put(fd, 0));
    get("read", fd);
    char bytes[16] = {1, 0, 0, 0, 0, 0, 0, 0, 2};
    show("7 bytes", write(fd, bytes, 7));
    show("9 bytes", write(fd, bytes, 9));
    show("16 bytes", write(fd, bytes, 16));
    show("none", write(fd, bytes, 0));
    put(fd, 1);
    show("read 7 bytes", read(fd, bytes, 7));
    show("read 16 bytes", read(fd, bytes, 16));
    struct iovec halves[2] = {{bytes, 4}, {bytes + 8, 4}};
    memset(bytes, 1, 16);
    show("writev", writev(fd, halves, 2));
    get("read", fd);
    put(fd, 7);
    show("bad buffer", read(fd, (void *)8, 8));
    get("gone all the same", fd);
    show("bad buffer", write(fd, (void *)8, 8));

    int semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    get("semaphore", semaphore);
    get("semaphore", semaphore);
    get("semaphore", semaphore);
    show("bad flags", eventfd(0, 4));
    int old = syscall(SYS_eventfd, 9);
    get("old call", old);

    sigset_t none;
    sigemptyset(&none);
    common("eventfd", semaphore);
    common("epoll", epoll_create1(0));
    common("signalfd", signalfd(-1, &none, SFD_NONBLOCK));
    common("timerfd", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
}
