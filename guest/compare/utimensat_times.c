/* utimensat, futimens, utime, utimes: exact times, UTIME_NOW, UTIME_OMIT, errors. */
#include "show.h"
#include <sys/time.h>
#include <time.h>
#include <utime.h>

static void times_of(const char *path)
{
    struct stat st;
    must(path, lstat(path, &st));
    printf("%s: %lld.%09ld %lld.%09ld\n", path, (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
           (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static long set(const char *path, long as, long an, long ms, long mn, int flags)
{
    struct timespec times[2] = {{as, an}, {ms, mn}};
    return utimensat(AT_FDCWD, path, times, flags);
}

int main(void)
{
    struct stat st;
    put_file("file", "x");
    must("symlink", symlink("file", "link"));
    int fd = must("open", open("file", O_RDWR));

    show("set", set("file", 1000000000, 123456789, 1100000000, 987654321, 0));
    times_of("file");
    show("omit atime", set("file", 5, UTIME_OMIT, 1200000000, 1, 0));
    times_of("file");
    show("omit mtime", set("file", 1300000000, 2, 5, UTIME_OMIT, 0));
    times_of("file");
    show("omit both", set("file", 5, UTIME_OMIT, 5, UTIME_OMIT, 0));
    times_of("file");
    show("epoch", set("file", 0, 0, 0, 0, 0));
    times_of("file");
    show("before the epoch", set("file", -1000, 0, -1, 0, 0));
    times_of("file");
    show("through a link", set("link", 42, 0, 43, 0, 0));
    times_of("file");
    show("the link itself", set("link", 44, 0, 45, 0, AT_SYMLINK_NOFOLLOW));
    times_of("link");
    times_of("file");
    struct timespec pair[2] = {{100, 5}, {200, 6}};
    show("futimens", futimens(fd, pair));
    times_of("file");
    struct utimbuf seconds = {300, 400};
    show("utime", utime("file", &seconds));
    times_of("file");
    struct timeval micro[2] = {{500, 250000}, {600, 999999}};
    show("utimes", utimes("file", micro));
    times_of("file");
    show("now", utimensat(AT_FDCWD, "file", NULL, 0));
    stat("file", &st);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    check("recent", now.tv_sec - st.st_mtime < 100 && st.st_mtime <= now.tv_sec && st.st_atime == st.st_mtime);
    set("file", 1, 0, 1, 0, 0);
    show("write", write(fd, "y", 1));
    stat("file", &st);
    check("a write changes mtime, not atime", st.st_mtime > 1000000000 && st.st_atime == 1);
    set("file", 1, 0, 1, 0, 0);
    must("chmod", chmod("file", 0640));
    stat("file", &st);
    check("chmod changes ctime only", st.st_mtime == 1 && st.st_ctime > 1000000000);
    ftruncate(fd, 0);
    stat("file", &st);
    check("truncation changes mtime", st.st_mtime > 1000000000);

    show("bad nanoseconds", set("file", 1, 1000000000, 1, 0, 0));
    show("negative nanoseconds", set("file", 1, 0, 1, -1, 0));
    show("bad microseconds", syscall(SYS_utimes, "file", (struct timeval[]){{1, 1000000}, {1, 0}}));
    show("missing", set("absent", 1, 0, 1, 0, 0));
    show("unknown flag", set("file", 1, 0, 1, 0, 0x40000000));
    show("bad times", syscall(SYS_utimensat, AT_FDCWD, "file", 8, 0));
    show("null path, descriptor", syscall(SYS_utimensat, fd, NULL, pair, 0));
    show("null path, AT_FDCWD", syscall(SYS_utimensat, AT_FDCWD, NULL, pair, 0));
    drop_root();
    show("another's file, now", utimensat(AT_FDCWD, "/proc/version", NULL, 0));
    show("another's file, set", set("/proc/version", 1, 0, 1, 0, 0));
}
