/* Bad addresses given to some forty calls: EFAULT, or what the call finds wrong before, never harm. */
#include "show.h"
#include <poll.h>
#include <sys/resource.h>

static char *const kinds[] = {(char *)8, (char *)0x7fffffffe000, (char *)0x800000000000,
                              (char *)0xffffffff81000000, (char *)-1};

#define TRY(call, ...)                                             \
    do {                                                           \
        printf("%s:", #call);                                      \
        for (size_t i = 0; i < COUNT(kinds); i++) {                \
            char *bad = kinds[i];                                  \
            long result = syscall(SYS_##call, __VA_ARGS__);        \
            printf(" %s", result == -1 ? errno_name(errno) : "ok"); \
        }                                                          \
        puts("");                                                  \
    } while (0)

int main(void)
{
    put_file("file", "0123456789");
    must("symlink", symlink("file", "link"));
    int fd = must("open", open("file", O_RDWR));
    int dir = must("open", open(".", O_RDONLY));
    TRY(read, fd, bad, 5);
    TRY(write, fd, bad, 5);
    TRY(pread64, fd, bad, 5, 0);
    TRY(pwrite64, fd, bad, 5, 0);
    TRY(readv, fd, bad, 1);
    TRY(writev, fd, bad, 1);
    TRY(open, bad, 0);
    TRY(openat, AT_FDCWD, bad, 0);
    TRY(stat, bad, pages(1));
    TRY(stat, "file", bad);
    TRY(lstat, "file", bad);
    TRY(fstat, fd, bad);
    TRY(newfstatat, AT_FDCWD, "file", bad, 0);
    TRY(access, bad, 0);
    TRY(readlink, "link", bad, 10);
    TRY(readlink, bad, pages(1), 10);
    TRY(getdents64, dir, bad, 1000);
    TRY(getcwd, bad, 1000);
    TRY(chdir, bad);
    TRY(mkdir, bad, 0777);
    TRY(rmdir, bad);
    TRY(unlink, bad);
    TRY(rename, bad, "x");
    TRY(rename, "file", bad);
    TRY(link, "file", bad);
    TRY(symlink, bad, "x");
    TRY(chmod, bad, 0600);
    TRY(chown, bad, -1, -1);
    TRY(truncate, bad, 0);
    TRY(statfs, "file", bad);
    TRY(utimensat, AT_FDCWD, bad, 0, 0);
    TRY(uname, bad);
    TRY(sysinfo, bad);
    TRY(times, bad);
    TRY(getrusage, RUSAGE_SELF, bad);
    TRY(getrlimit, RLIMIT_NOFILE, bad);
    TRY(clock_gettime, 1, bad);
    TRY(gettimeofday, bad, 0);
    TRY(nanosleep, bad, 0);
    TRY(getrandom, bad, 10, 0);
    TRY(rt_sigaction, SIGUSR1, bad, 0, 8);
    TRY(rt_sigprocmask, 0, bad, 0, 8);
    TRY(sigaltstack, bad, 0);
    TRY(execve, bad, 0, 0);
    TRY(poll, bad, 1, 0);
    TRY(mincore, (char *)((uintptr_t)&fd & -PAGE), PAGE, bad);
    show_file("the file is unharmed", "file");
}
