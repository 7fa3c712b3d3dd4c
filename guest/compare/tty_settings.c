/* struct termios in its three forms, window size, and the ioctls that ask and tell. */
#include "tty.h"
#include <sys/sysmacros.h>

struct termios2_ {
    unsigned iflag, oflag, cflag, lflag;
    unsigned char line, cc[19];
    unsigned ispeed, ospeed;
};
struct termio_ {
    unsigned short iflag, oflag, cflag, lflag;
    unsigned char line, cc[8];
};
#define GETS2 _IOR('T', 0x2A, struct termios2_)
#define SETS2 _IOW('T', 0x2B, struct termios2_)

static void print(int fd)
{
    struct termios2_ t;
    memset(&t, 0x55, sizeof t);
    show("TCGETS2", ioctl(fd, GETS2, &t));
    printf("%x %x %x %x %d %u %u ", t.iflag, t.oflag, t.cflag, t.lflag, t.line, t.ispeed, t.ospeed);
    for (int i = 0; i < 19; i++)
        printf("%02x", t.cc[i]);
    putchar('\n');
}

int main(void)
{
    open_pair();
    print(slave);
    print(master);
    struct termios2_ t = {0};
    struct termio_ old;
    memset(&old, 0x55, sizeof old);
    show("TCGETA", ioctl(slave, TCGETA, &old));
    printf("%x %x %x %x %d %02x%02x\n", old.iflag, old.oflag, old.cflag, old.lflag, old.line, old.cc[0], old.cc[7]);
    old.iflag = 0x105;
    old.cc[2] = 8;
    show("TCSETA", ioctl(slave, TCSETA, &old));
    print(slave);
    ioctl(slave, GETS2, &t);
    t.cflag = (t.cflag & ~(CBAUD | CSIZE)) | CS5 | PARENB | 0x1000;
    t.ospeed = 12345;
    t.ispeed = 777;
    t.line = 3;
    show("TCSETS2", ioctl(slave, SETS2, &t));
    print(slave);
    t.cflag |= 0x1000 << 16;
    show("TCSETS2", ioctl(master, SETS2, &t));
    print(slave);
    t.cflag = B115200 | (B300 << 16);
    show("TCSETSW2", ioctl(slave, _IOW('T', 0x2C, struct termios2_), &t));
    print(slave);
    t.cflag = B0;
    show("TCSETSF2", ioctl(slave, _IOW('T', 0x2D, struct termios2_), &t));
    print(slave);
    show("TCSETS, bad", ioctl(slave, TCSETS, NULL));
    show("TCGETS, bad", ioctl(slave, TCGETS, NULL));

    struct winsize size = {1, 2, 3, 4};
    show("TIOCGWINSZ", ioctl(slave, TIOCGWINSZ, &size));
    printf("%d %d %d %d\n", size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel);
    size = (struct winsize){24, 80, 5, 6};
    show("TIOCSWINSZ", ioctl(master, TIOCSWINSZ, &size));
    size.ws_row = 0;
    show("TIOCGWINSZ", ioctl(slave, TIOCGWINSZ, &size));
    printf("%d %d %d %d\n", size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel);

    int value = 77;
    show("TIOCGETD", ioctl(slave, TIOCGETD, &value));
    printf("%d\n", value);
    show("TIOCSETD", ioctl(slave, TIOCSETD, &value));
    value = 500;
    show("TIOCSETD 500", ioctl(slave, TIOCSETD, &value));
    show("TIOCGPTLCK", ioctl(master, _IOR('T', 0x39, int), &value));
    printf("%d\n", value);
    show("TIOCGPTN of the slave", ioctl(slave, TIOCGPTN, &value));
    show("TIOCGPGRP", ioctl(slave, TIOCGPGRP, &value));
    show("TIOCGPGRP", ioctl(master, TIOCGPGRP, &value));
    printf("%d\n", value);
    show("TIOCGSID", ioctl(slave, TIOCGSID, &value));
    show("TIOCGSID", ioctl(master, TIOCGSID, &value));
    show("TIOCNOTTY", ioctl(slave, TIOCNOTTY, 0));
    show("TIOCGSOFTCAR", ioctl(slave, TIOCGSOFTCAR, &value));
    printf("%d\n", value);
    show("TIOCGEXCL", ioctl(slave, TIOCGEXCL, &value));
    printf("%d\n", value);
    show("TIOCEXCL", ioctl(slave, TIOCEXCL, 0));
    show("TIOCGEXCL", ioctl(slave, TIOCGEXCL, &value));
    printf("%d\n", value);
    show("TIOCNXCL", ioctl(slave, TIOCNXCL, 0));
    show("TIOCGPKT", ioctl(master, _IOR('T', 0x38, int), &value));
    printf("%d\n", value);
    show("TIOCMGET", ioctl(slave, TIOCMGET, &value));
    show("TIOCSIG", ioctl(master, _IOW('T', 0x36, int), 9));
    show("unknown", ioctl(slave, 0x54ff, &value));
    show("unknown", ioctl(master, 0x54ff, &value));
    show("lseek", lseek(slave, 0, SEEK_SET));
    show("pread", pread(slave, &value, 1, 0));
    show("mmap", mmap(NULL, 4096, PROT_READ, MAP_SHARED, slave, 0) == MAP_FAILED ? -1 : 0);
    show("fsync", fsync(slave));
    show("ftruncate", ftruncate(slave, 0));
    struct stat status;
    fstat(slave, &status);
    printf("%o %d\n", status.st_mode & S_IFMT, major(status.st_rdev));
    fstat(master, &status);
    printf("%o %d %d\n", status.st_mode & S_IFMT, major(status.st_rdev), minor(status.st_rdev));
    return 0;
}
