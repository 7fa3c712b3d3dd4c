/* dup, dup2, dup3 and F_DUPFD: the lowest free number, shared positions, limits and errors. */
#include "show.h"
#include <sys/resource.h>

int main(void)
{
    char byte;
    put_file("file", "0123456789");
    struct rlimit limit = {64, 64};
    must("setrlimit", setrlimit(RLIMIT_NOFILE, &limit));
    int fd = show("open", open("file", O_RDONLY));
    int copy = show("dup", dup(fd));
    show("read", read(fd, &byte, 1));
    show("copy shares the position", lseek(copy, 0, SEEK_CUR));
    int other = show("open again", open("file", O_RDONLY));
    show("its position is its own", lseek(other, 0, SEEK_CUR));
    show("close", close(fd));
    show("lowest free is taken", dup(copy));
    show("dup2 to 10", dup2(copy, 10));
    show("dup2 over an open one", dup2(other, 10));
    show("10 is the other now", lseek(10, 0, SEEK_CUR));
    show("dup2 to itself", dup2(10, 10));
    show("dup2 bad to itself", dup2(50, 50));
    show("dup2 bad source", dup2(50, 11));
    show("11 stays closed", fcntl(11, F_GETFD));
    show("dup2 to 63", dup2(copy, 63));
    show("dup2 to the limit", dup2(copy, 64));
    show("dup2 to -1", dup2(copy, -1));
    show("dup3 to itself", dup3(10, 10, 0));
    show("dup3 with O_CLOEXEC", dup3(copy, 12, O_CLOEXEC));
    show("F_GETFD", fcntl(12, F_GETFD));
    show("dup2 drops close-on-exec", dup2(12, 12));
    show("F_GETFD", fcntl(12, F_GETFD));
    show("copied over another", dup2(12, 13));
    show("F_GETFD", fcntl(13, F_GETFD));
    show("dup3 bad flags", dup3(copy, 14, O_NONBLOCK));
    show("dup3 bad source", dup3(50, 14, 0));
    show("F_DUPFD from 20", fcntl(copy, F_DUPFD, 20));
    show("F_DUPFD from 20 again", fcntl(copy, F_DUPFD, 20));
    show("F_DUPFD_CLOEXEC", fcntl(copy, F_DUPFD_CLOEXEC, 20));
    show("F_GETFD", fcntl(22, F_GETFD));
    show("F_DUPFD at the limit", fcntl(copy, F_DUPFD, 64));
    show("F_DUPFD negative", fcntl(copy, F_DUPFD, -1));
    show("F_DUPFD from a taken last one", fcntl(copy, F_DUPFD, 63));
    show("dup of a closed one", dup(50));
    show("dup of -1", dup(-1));
    show("close of a closed one", close(50));
    show("close of -1", close(-1));
    while (dup(copy) >= 0)
        ;
    show("dup when all are taken", dup(copy));
    show("dup2 works still", dup2(copy, 10));
    show("close_range", syscall(SYS_close_range, 20, 40, 0));
    show("closed", fcntl(30, F_GETFD));
    show("not closed", fcntl(41, F_GETFD));
    show("close_range reversed", syscall(SYS_close_range, 40, 20, 0));
    show("close_range CLOEXEC", syscall(SYS_close_range, 41, 45, 4));
    show("F_GETFD", fcntl(45, F_GETFD));
    show("close_range bad flags", syscall(SYS_close_range, 20, 40, 1 << 10));
}
