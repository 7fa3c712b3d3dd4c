/*
 * pipe(2), pipe2(2): bytes, end of file, EPIPE, room in slots of a page, packets, F_SETPIPE_SZ, FIONREAD, poll.
 */
#include "show.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static char big[1 << 20];

/* Writes of SIZE bytes that an empty pipe takes. */
static void capacity(const char *what, int pipe_size, size_t size)
{
    int fd[2];
    must("pipe2", pipe2(fd, O_NONBLOCK));
    if (pipe_size)
        must("F_SETPIPE_SZ", fcntl(fd[1], F_SETPIPE_SZ, pipe_size));
    long count = 0, last = 0, bytes = 0;
    for (;;) {
        long n = write(fd[1], big, size);
        if (n < 0)
            break;
        count++;
        last = n;
        bytes += n;
    }
    int queued = -1;
    ioctl(fd[0], FIONREAD, &queued);
    printf("%s: %ld writes, last %ld, %ld bytes, FIONREAD %d\n", what, count, last, bytes, queued);
    show("then one byte", write(fd[1], "x", 1));
    show("read 100", read(fd[0], big, 100));
    show("then 100 bytes", write(fd[1], big, 100));
    show("read 4096", read(fd[0], big, 4096));
    show("then 4096 bytes", write(fd[1], big, 4096));
    show("then 4097 bytes", write(fd[1], big, 4097));
    show("read all", read(fd[0], big, sizeof big));
    show("read empty", read(fd[0], big, 1));
    close(fd[0]);
    close(fd[1]);
}

static void polled(const char *what, int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | POLLRDHUP, 0};
    int n = poll(&p, 1, 0);
    printf("%s: %d %#x\n", what, n, p.revents);
}

static void ends(void)
{
    int fd[2];
    char byte[8];
    must("pipe", pipe(fd));
    struct stat status;
    fstat(fd[0], &status);
    printf("mode %o nlink %d size %d blksize %d\n", status.st_mode, (int)status.st_nlink, (int)status.st_size,
           (int)status.st_blksize);
    printf("flags %o %o\n", fcntl(fd[0], F_GETFL), fcntl(fd[1], F_GETFL));
    show("read from the writing end", read(fd[1], byte, 1));
    show("write to the reading end", write(fd[0], byte, 1));
    show("lseek", lseek(fd[0], 0, SEEK_CUR));
    show("pread", pread(fd[0], byte, 1, 0));
    show("pwrite", pwrite(fd[1], byte, 1, 0));
    show("fsync", fsync(fd[1]));
    show("ftruncate", ftruncate(fd[1], 0));
    show("fallocate", fallocate(fd[1], 0, 0, 1));
    show("read nothing", read(fd[0], byte, 0));
    show("write nothing", write(fd[1], byte, 0));
    show("mmap", mmap(0, 4096, PROT_READ, MAP_SHARED, fd[0], 0) == MAP_FAILED ? -1 : 0);
    show("FIONBIO ioctl", ioctl(fd[0], FIONBIO, &(int){1}));
    show("empty", read(fd[0], byte, 1));
    polled("reader, empty", fd[0]);
    polled("writer, empty", fd[1]);
    show("unknown ioctl", ioctl(fd[0], 0x1234, byte));
    write(fd[1], "abcdef", 6);
    polled("reader", fd[0]);
    show("bad buffer", read(fd[0], (void *)8, 3));
    struct iovec two[2] = {{byte, 2}, {byte + 4, 3}};
    show("readv", readv(fd[0], two, 2));
    show_bytes("bytes", byte, 2);
    show_bytes("bytes", byte + 4, 3);
    close(fd[1]);
    polled("reader, no writer", fd[0]);
    show("last byte", read(fd[0], byte, 8));
    show("end", read(fd[0], byte, 8));
    polled("reader at the end", fd[0]);
    close(fd[0]);

    must("pipe", pipe(fd));
    close(fd[0]);
    polled("writer, no reader", fd[1]);
    signal(SIGPIPE, SIG_IGN);
    show("write", write(fd[1], "x", 1));
    show("write nothing", write(fd[1], "x", 0));
    show("bad buffer", write(fd[1], (void *)8, 1));
    close(fd[1]);
}

static void packets(void)
{
    int fd[2];
    must("pipe2", pipe2(fd, O_DIRECT | O_NONBLOCK));
    printf("flags %o %o\n", fcntl(fd[0], F_GETFL), fcntl(fd[1], F_GETFL));
    show("5", write(fd[1], "first", 5));
    show("6", write(fd[1], "second", 6));
    show("5000", write(fd[1], big, 5000));
    char text[64];
    show("packet", read(fd[0], text, 3));
    show_bytes("cut", text, 3);
    show("packet", read(fd[0], text, 64));
    show_bytes("whole", text, 6);
    show("a page", read(fd[0], big, sizeof big));
    show("the rest", read(fd[0], big, sizeof big));
    show("off", fcntl(fd[1], F_SETFL, O_NONBLOCK));
    show("1", write(fd[1], "a", 1));
    show("1", write(fd[1], "b", 1));
    show("on", fcntl(fd[1], F_SETFL, O_NONBLOCK | O_DIRECT));
    show("1", write(fd[1], "c", 1));
    show("1", write(fd[1], "d", 1));
    show("plain, and the packet after it", read(fd[0], text, 64));
    show("packet", read(fd[0], text, 64));
    close(fd[0]);
    close(fd[1]);
}

static void sizes(void)
{
    int fd[2];
    must("pipe", pipe(fd));
    show("F_GETPIPE_SZ", fcntl(fd[0], F_GETPIPE_SZ));
    static const unsigned wanted[] = {0, 1, 4096, 4097, 10000, 65536, 1 << 20};
    for (size_t i = 0; i < COUNT(wanted); i++)
        show("F_SETPIPE_SZ", fcntl(fd[1], F_SETPIPE_SZ, wanted[i]));
    write(fd[1], big, 20000);
    show("too small", fcntl(fd[1], F_SETPIPE_SZ, 16384));
    show("just large enough", fcntl(fd[1], F_SETPIPE_SZ, 20000));
    show("2 GiB and more", fcntl(fd[1], F_SETPIPE_SZ, 0x80000001u));
    show("of a file", fcntl(open(".", O_RDONLY), F_GETPIPE_SZ));
    drop_root();
    show("too large for a user", fcntl(fd[1], F_SETPIPE_SZ, (1 << 20) + 1));
    show("not too large", fcntl(fd[1], F_SETPIPE_SZ, 1 << 20));
}

int main(void)
{
    int fd[2];
    capacity("1 byte", 0, 1);
    capacity("100 bytes", 0, 100);
    capacity("2049 bytes", 0, 2049);
    capacity("4096 bytes", 0, 4096);
    capacity("5000 bytes", 0, 5000);
    capacity("100000 bytes", 0, 100000);
    capacity("1 byte, one slot", 1, 1);
    capacity("3000 bytes, two slots", 8192, 3000);
    ends();
    packets();
    show("EINVAL", pipe2(fd, O_APPEND));
    show("EFAULT", pipe2((int *)8, 0));
    must("pipe2", pipe2(fd, O_CLOEXEC));
    printf("lowest free: %d %d, %d %d\n", fd[0], fd[1], fcntl(fd[0], F_GETFD), fcntl(fd[1], F_GETFD));
    sizes();
}
