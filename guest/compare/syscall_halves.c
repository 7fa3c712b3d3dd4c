/*
 * Which bits of a register a call looks at: the low 32 of an int, 16 of a mode, all of a long; the low 32 of a
 * descriptor and of a count of segments even where the call declares them as unsigned long.
 */
#include "show.h"
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define HIGH(x) ((unsigned long)(unsigned)(x) | 1UL << 32)

static long valid(long result)
{
    return result >= 0 ? 1 : result;
}

int main(void)
{
    char room[16];
    struct iovec out = {"hello", 5}, in = {room, sizeof room};
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0644));
    int other = must("open", open("other", O_RDWR | O_CREAT, 0644));

    show("write", syscall(SYS_write, HIGH(fd), "hello", 5L));
    show("pwrite64", syscall(SYS_pwrite64, HIGH(fd), "hello", 5L, 0L));
    show("writev", syscall(SYS_writev, HIGH(fd), &out, 1L));
    show("writev, segments", syscall(SYS_writev, (long)fd, &out, HIGH(1)));
    show("writev, too many segments", syscall(SYS_writev, (long)fd, &out, HIGH(1025)));
    show("pwritev", syscall(SYS_pwritev, HIGH(fd), &out, HIGH(1), 0L, 0L));
    show("pwritev2", syscall(SYS_pwritev2, HIGH(fd), &out, HIGH(1), 0L, 0L, HIGH(0)));
    show("readv", syscall(SYS_readv, HIGH(fd), &in, HIGH(1)));
    show("preadv", syscall(SYS_preadv, HIGH(fd), &in, HIGH(1), 0L, 0L));
    show("preadv2", syscall(SYS_preadv2, HIGH(fd), &in, HIGH(1), 0L, 0L, HIGH(0)));
    show("lseek", syscall(SYS_lseek, HIGH(fd), 0L, HIGH(SEEK_SET)));
    show("lseek, offset", syscall(SYS_lseek, (long)fd, HIGH(1), (long)SEEK_SET));
    show("lseek, back", syscall(SYS_lseek, (long)fd, 0L, (long)SEEK_SET));
    show("sendfile", syscall(SYS_sendfile, HIGH(other), HIGH(fd), 0L, 5L));
    show("copy_file_range", syscall(SYS_copy_file_range, HIGH(fd), 0L, HIGH(other), 0L, 3L, HIGH(0)));
    show("openat", valid(syscall(SYS_openat, HIGH(AT_FDCWD), "file", HIGH(O_RDONLY), HIGH(0))));
    show("openat2", valid(syscall(SYS_openat2, HIGH(AT_FDCWD), "file", (long[3]){0}, 24L)));
    show("openat2, flags", syscall(SYS_openat2, (long)AT_FDCWD, "file", (long[3]){HIGH(0)}, 24L));
    show("fcntl F_DUPFD", valid(syscall(SYS_fcntl, HIGH(fd), HIGH(F_DUPFD), 50L)));
    show("dup2", syscall(SYS_dup2, HIGH(fd), HIGH(60)));
    show("close", syscall(SYS_close, HIGH(60)));
    int size = -1;
    show("ioctl FIONREAD", syscall(SYS_ioctl, HIGH(fd), HIGH(FIONREAD), &size));
    show("left", size);
    show("fchmod", syscall(SYS_fchmod, HIGH(fd), 0x10000UL | 0600));
    struct stat st;
    must("fstat", fstat(fd, &st));
    show("mode", st.st_mode & 07777);
    show("socket", valid(syscall(SYS_socket, HIGH(AF_UNIX), HIGH(SOCK_STREAM), HIGH(0))));
    show("kill", syscall(SYS_kill, HIGH(getpid()), HIGH(0)));

    show("mmap, prot", valid(syscall(SYS_mmap, 0L, 4096L, HIGH(PROT_READ), 0x22L, -1L, 0L)));
    show("mmap, unknown prot", valid(syscall(SYS_mmap, 0L, 4096L, 0x100L | PROT_READ, 0x22L, -1L, 0L)));
    show("mmap, flags", valid(syscall(SYS_mmap, 0L, 4096L, (long)PROT_READ, HIGH(0x22), -1L, 0L)));
    show("mmap, fd", valid(syscall(SYS_mmap, 0L, 4096L, (long)PROT_READ, (long)MAP_SHARED, HIGH(fd), 0L)));
    void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    show("mprotect, prot", syscall(SYS_mprotect, page, 4096L, HIGH(PROT_READ)));
    show("madvise", syscall(SYS_madvise, page, 4096L, HIGH(MADV_NORMAL)));
    return 0;
}
