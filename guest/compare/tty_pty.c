/* The life of a pty: lock, open and close of either end, hangup, packet mode, TIOCGPTPEER. */
#include "tty.h"
#include <sys/sysmacros.h>

static void poll_both(void)
{
    struct pollfd ready[2] = {{master, POLLIN | POLLOUT | POLLPRI, 0}, {slave, POLLIN | POLLOUT, 0}};
    usleep(20000);
    long count = poll(ready, 2, 0);
    printf("poll %ld: %x %x\n", count, ready[0].revents, ready[1].revents);
}

int main(void)
{
    int number = -1, lock = 1;
    char name[32], text[100];
    puts("lock");
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    show("TIOCGPTN", ioctl(master, TIOCGPTN, &number));
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    show("locked", open(name, O_RDWR | O_NOCTTY));
    show("peer locked", ioctl(master, _IO('T', 0x41), O_RDWR | O_NOCTTY));
    struct stat status;
    show("stat", stat(name, &status));
    printf("%o %d %d\n", status.st_mode, major(status.st_rdev), minor(status.st_rdev) == (unsigned)number);
    fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
    show("read before an open", read(master, text, 10));
    lock = 0;
    show("unlock", ioctl(master, TIOCSPTLCK, &lock));
    show("write before an open", write(master, "early\n", 6));
    drain("echo", master);
    slave = open(name, O_RDWR | O_NOCTTY);
    read_once("early", slave, 100);
    poll_both();

    puts("close the slave");
    show("write", write(slave, "last words", 10));
    close(slave);
    slave = -1;
    poll_both();
    read_once("what was written", master, 100);
    show("read", read(master, text, 10));
    show("write", write(master, "x", 1));
    puts("open it again");
    int fd = ioctl(master, _IO('T', 0x41), O_RDWR | O_NOCTTY | O_CLOEXEC);
    check("peer", fd >= 0);
    slave = fd;
    show("cloexec", fcntl(slave, F_GETFD));
    poll_both();
    show("read", read(master, text, 10));

    puts("packets");
    int on = 1;
    show("TIOCPKT", ioctl(master, TIOCPKT, &on));
    fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
    show("write", write(slave, "data", 4));
    read_once("data", master, 100);
    show("write", write(slave, "data", 4));
    read_once("data", master, 3);
    read_once("data", master, 100);
    show("flush", tcflush(slave, TCIFLUSH));
    poll_both();
    read_once("flushed", master, 100);
    show("flush", tcflush(slave, TCIOFLUSH));
    read_once("flushed", master, 100);
    tcflow(slave, TCOOFF);
    read_once("stopped", master, 100);
    tcflow(slave, TCOON);
    read_once("started", master, 100);
    change(0, IXON, 0, 0, 0, 0);
    read_once("no flow control", master, 100);
    change(IXON, 0, 0, 0, 0, 0);
    read_once("flow control", master, 100);
    change(0, 0, 0, 0, EXTPROC, 0);
    read_once("EXTPROC", master, 100);
    change(0, 0, 0, 0, 0, EXTPROC);
    read_once("EXTPROC", master, 100);
    on = 0;
    show("TIOCPKT", ioctl(master, TIOCPKT, &on));

    puts("close the master");
    fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
    show("typed", write(master, "never read\n", 11));
    usleep(20000);
    close(master);
    master = -1;
    poll_both();
    show("read", read(slave, text, 10));
    show("write", write(slave, "x", 1));
    show("ioctl", ioctl(slave, TIOCGWINSZ, text));
    show("tcgetpgrp", tcgetpgrp(slave));
    show("tcsetpgrp", tcsetpgrp(slave, 1));
    show("stat", stat(name, &status));
    show("open", open(name, O_RDWR));
    snprintf(name, sizeof name, "/proc/self/fd/%d", slave);
    show("open by /proc", open(name, O_RDWR | O_NOCTTY));
    fstat(slave, &status);
    show("links", status.st_nlink);
    close(slave);
    show("statfs", access("/dev/pts/ptmx", F_OK));
    stat("/dev/pts/ptmx", &status);
    printf("%o %d %d\n", status.st_mode & S_IFMT, major(status.st_rdev), minor(status.st_rdev));
    int again = open("/dev/ptmx", O_RDWR | O_NOCTTY), second = -1;
    ioctl(again, TIOCGPTN, &second);
    check("the number is free again", second == number);
    return 0;
}
