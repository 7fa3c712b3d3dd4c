/* fcntl: status flags that can be set and those that can't, descriptor flags, errors. */
#include "show.h"

#define SHOWN (O_ACCMODE | O_APPEND | O_NONBLOCK | O_CREAT | O_EXCL | O_TRUNC | O_DIRECTORY | O_CLOEXEC | O_PATH)

static void flags(const char *what, int fd)
{
    int value = fcntl(fd, F_GETFL);
    if (value < 0)
        show(what, value);
    else
        printf("%s: F_GETFL %o F_GETFD %d\n", what, value & SHOWN, fcntl(fd, F_GETFD));
}

int main(void)
{
    int fd = must("open", open("file", O_RDWR | O_CREAT | O_EXCL | O_TRUNC, 0600));
    flags("O_RDWR|O_CREAT|O_EXCL|O_TRUNC", fd);
    flags("O_RDONLY", open("file", O_RDONLY));
    flags("O_WRONLY|O_APPEND", open("file", O_WRONLY | O_APPEND));
    flags("O_RDONLY|O_CLOEXEC", open("file", O_RDONLY | O_CLOEXEC));
    flags("O_RDONLY|O_NONBLOCK", open("file", O_RDONLY | O_NONBLOCK));
    flags("O_DIRECTORY", open(".", O_RDONLY | O_DIRECTORY));
    flags("O_PATH|O_CLOEXEC", open(".", O_PATH | O_CLOEXEC));
    flags("access mode 3", open("file", 3));

    show("set O_APPEND|O_NONBLOCK", fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
    flags("set", fd);
    show("position", lseek(fd, 0, SEEK_SET));
    show("write", write(fd, "one", 3));
    lseek(fd, 0, SEEK_SET);
    show("write appends", write(fd, "two", 3));
    int copy = dup(fd);
    show("clear by a copy", fcntl(copy, F_SETFL, 0));
    flags("cleared for both", fd);
    lseek(fd, 0, SEEK_SET);
    show("write", write(fd, "new", 3));
    show_file("file", "file");
    show("access mode can't be set", fcntl(fd, F_SETFL, O_WRONLY | O_TRUNC | O_CREAT));
    flags("unchanged", fd);
    show("file not emptied", lseek(fd, 0, SEEK_END));

    show("F_SETFD", fcntl(fd, F_SETFD, FD_CLOEXEC));
    flags("close-on-exec", fd);
    flags("not for the copy", copy);
    show("F_SETFD other bits", fcntl(fd, F_SETFD, 0xfe));
    flags("only bit 0 counts", fd);
    show("bad descriptor", fcntl(99, F_GETFL));
    show("unknown command", fcntl(fd, 9999));
    show("bad descriptor, unknown command", fcntl(99, 9999));
}
