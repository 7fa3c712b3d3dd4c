/* Descriptors of O_PATH: a place in the tree, with nothing that reads, writes or changes the file. */
#include "show.h"
#include <sys/ioctl.h>

int main(void)
{
    struct stat st;
    char text[64] = "";
    put_file("file", "content");
    must("mkdir", mkdir("dir", 0777));
    put_file("dir/inner", "inner content");
    must("symlink", symlink("file", "link"));

    int fd = must("open", open("file", O_PATH));
    show("read", read(fd, text, sizeof text));
    show("write", write(fd, "x", 1));
    show("pread", pread(fd, text, 1, 0));
    show("lseek", lseek(fd, 0, SEEK_END));
    show("fchmod", syscall(SYS_fchmod, fd, 0600));
    show("fchown", syscall(SYS_fchown, fd, -1, -1));
    show("ftruncate", ftruncate(fd, 0));
    show("fsync", fsync(fd));
    show("ioctl", ioctl(fd, FIONREAD, text));
    show("getdents64", syscall(SYS_getdents64, fd, text, sizeof text));
    ok("mmap", (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
    show("fstat", fstat(fd, &st));
    printf("size %lld\n", (long long)st.st_size);
    check("F_GETFL has O_PATH", fcntl(fd, F_GETFL) & O_PATH);
    show("F_GETFD", fcntl(fd, F_GETFD));
    show("F_SETFL", fcntl(fd, F_SETFL, O_NONBLOCK));
    int copy = dup(fd);
    ok("dup", copy);
    check("dup has O_PATH", fcntl(copy, F_GETFL) & O_PATH);
    show("openat below a file", openat(fd, "x", O_RDONLY));
    show("fchdir to a file", fchdir(fd));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    show_file("reopened by /proc/self/fd", path);

    int dir = must("open dir", open("dir", O_PATH | O_DIRECTORY));
    int inner = openat(dir, "inner", O_RDONLY);
    ok("openat below a directory", inner);
    ssize_t size = read(inner, text, sizeof text);
    show_bytes("inner", text, size);
    show("fstatat", fstatat(dir, "inner", &st, 0));
    show("fchdir", fchdir(dir));
    show_file("inner from there", "inner");
    show("back", chdir(".."));

    int link = must("open link", open("link", O_PATH | O_NOFOLLOW));
    show("fstat of the link", fstat(link, &st));
    check("is a link", S_ISLNK(st.st_mode));
    size = readlinkat(link, "", text, sizeof text);
    show_bytes("readlinkat \"\"", text, size);
    show("readlinkat \"\" of a file", readlinkat(fd, "", text, sizeof text));
    show("O_PATH|O_DIRECTORY on a file", open("file", O_PATH | O_DIRECTORY));
    ok("O_PATH|O_CREAT only looks", open("absent", O_PATH | O_CREAT, 0666));
    ok("O_PATH|O_TRUNC does not empty", open("file", O_PATH | O_TRUNC));
    show_file("file", "file");
    drop_root();
    put_file("closed", "x");
    must("chmod", chmod("closed", 0));
    ok("O_PATH needs no permission", open("closed", O_PATH));
}
