/* /proc/self/fd: one link per open descriptor, that names the file and opens it anew. */
#include "show.h"
#include <dirent.h>

static void target(int fd)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(path, text, sizeof text - 1);
    if (size < 0) {
        show(path, size);
        return;
    }
    text[size] = 0;
    const char *base = strrchr(text, '/');
    printf("%s -> %s\n", path, base ? base + 1 : text);
}

static int count(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n - 2; /* dots */
}

int main(void)
{
    char path[64], text[16];
    struct stat st;
    printf("open %d\n", count());
    put_file("file", "0123456789");
    int fd = must("open", open("file", O_RDONLY));
    must("mkdir", mkdir("dir", 0777));
    int dir = must("open", open("dir", O_RDONLY));
    int gone = must("open", open("gone", O_RDWR | O_CREAT, 0600));
    int null = must("open", open("/dev/null", O_RDWR));
    unlink("gone");
    printf("open %d\n", count());
    target(fd);
    target(dir);
    target(gone);
    target(null);
    target(99);
    must("rename", rename("file", "renamed"));
    target(fd);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    lstat(path, &st);
    printf("link mode %o\n", st.st_mode);
    snprintf(path, sizeof path, "/proc/self/fd/%d", null);
    lstat(path, &st);
    printf("link mode %o\n", st.st_mode);

    lseek(fd, 5, SEEK_SET);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_RDWR);
    ok("opened anew, for more than before", again);
    show("position of its own", lseek(again, 0, SEEK_CUR));
    show("write", write(again, "X", 1));
    pread(fd, text, 2, 0);
    show_bytes("same file", text, 2);
    snprintf(path, sizeof path, "/proc/self/fd/%d", gone);
    again = open(path, O_RDWR);
    ok("a deleted one too", again);
    show("stat of it", stat(path, &st));
    snprintf(path, sizeof path, "/proc/self/fd/%d/..", dir);
    ok("through a directory's", stat(path, &st));
    snprintf(path, sizeof path, "/dev/fd/%d", dir);
    ok("/dev/fd", open(path, O_RDONLY | O_DIRECTORY));
    show("unlink in there", unlink("/proc/self/fd/0") == -1 && (errno == EPERM || errno == EACCES) ? 1 : 0);
    close(fd);
    target(fd);
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", dir);
    again = open(path, O_RDONLY);
    show("fdinfo", read(again, text, 5));
    show_bytes("starts", text, 5);
}
