/* ioctl(2) on what is no terminal: ENOTTY, and the few that every descriptor takes. */
#include "show.h"
#include <sys/ioctl.h>
#include <termios.h>

int main(void)
{
    struct termios settings;
    struct winsize size;
    int value = 0;
    put_file("file", "0123456789");
    int fd = must("open", open("file", O_RDWR));
    int dir = must("open", open(".", O_RDONLY));
    int null = must("open", open("/dev/null", O_RDWR));
    int fds[] = {fd, dir, null};
    const char *names[] = {"file", "directory", "/dev/null"};
    for (size_t i = 0; i < COUNT(fds); i++) {
        printf("%s\n", names[i]);
        show(" TCGETS", ioctl(fds[i], TCGETS, &settings));
        show(" TIOCGWINSZ", ioctl(fds[i], TIOCGWINSZ, &size));
        show(" TIOCGPGRP", ioctl(fds[i], TIOCGPGRP, &value));
        show(" isatty", isatty(fds[i]) ? 1 : -1);
        show(" unknown", ioctl(fds[i], 0xdeadbeef, &value));
        show(" FIOCLEX", ioctl(fds[i], FIOCLEX));
        show(" F_GETFD", fcntl(fds[i], F_GETFD));
        show(" FIONCLEX", ioctl(fds[i], FIONCLEX));
        show(" F_GETFD", fcntl(fds[i], F_GETFD));
        value = 1;
        show(" FIONBIO", ioctl(fds[i], FIONBIO, &value));
        check(" O_NONBLOCK", fcntl(fds[i], F_GETFL) & O_NONBLOCK);
        value = 0;
        show(" FIONBIO off", ioctl(fds[i], FIONBIO, &value));
        check(" O_NONBLOCK", fcntl(fds[i], F_GETFL) & O_NONBLOCK);
    }
    lseek(fd, 4, SEEK_SET);
    show("FIONREAD", ioctl(fd, FIONREAD, &value));
    show("left to read", value);
    show("FIONREAD, bad pointer", ioctl(fd, FIONREAD, 8));
    show("FIONBIO, bad pointer", ioctl(fd, FIONBIO, 8));
    show("bad descriptor", ioctl(99, TCGETS, &settings));
    show("standard output", isatty(1));
}
