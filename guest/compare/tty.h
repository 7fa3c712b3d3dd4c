/*
 * tty.h - a pseudo-terminal pair to type at, and what comes out at either end, with control characters spelled out.
 */
#ifndef TTY_H
#define TTY_H

#include "show.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

static int master, slave;

/* A pair, neither end anybody's controlling terminal. */
__attribute__((unused)) static void open_pair(void)
{
    int unlock = 0, number = -1;
    char name[32];
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    ioctl(master, TIOCSPTLCK, &unlock);
    ioctl(master, TIOCGPTN, &number);
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    slave = open(name, O_RDWR | O_NOCTTY);
    if (master < 0 || slave < 0)
        exit(99);
}

__attribute__((unused)) static void print_text(const char *what, const char *text, long size)
{
    printf("%s: ", what);
    if (size < 0)
        printf("%s", errno_name(errno));
    else if (size == 0)
        printf("end");
    for (long i = 0; i < size; i++) {
        unsigned char c = text[i];
        if (c < 32 || c > 126 || c == '\\')
            printf("\\%02x", c);
        else
            putchar(c);
    }
    putchar('\n');
}

/* All that has come at a descriptor; waits a little for more. */
__attribute__((unused)) static void drain(const char *what, int fd)
{
    static char text[65536];
    long size = 0;
    struct pollfd ready = {fd, POLLIN, 0};
    while (size < (long)sizeof text && poll(&ready, 1, 40) > 0 && ready.revents & POLLIN) {
        long got = read(fd, text + size, sizeof text - size);
        if (got <= 0)
            break;
        size += got;
    }
    print_text(what, text, size);
}

/* Types at the master, waits until the echo has come, and shows it. */
__attribute__((unused)) static void type_text(const char *text, long size)
{
    if (write(master, text, size) != size)
        printf("typing: %s\n", errno_name(errno));
    drain("  echo", master);
}

#define TYPE(text) type_text(text, sizeof(text) - 1)

/* One read, without waiting for ever. */
__attribute__((unused)) static void read_once(const char *what, int fd, long size)
{
    static char text[65536];
    struct pollfd ready = {fd, POLLIN, 0};
    if (poll(&ready, 1, 40) == 0) {
        printf("%s: nothing\n", what);
        return;
    }
    long got = read(fd, text, size);
    print_text(what, text, got);
}

/* Changes the slave's settings: bits on, bits off. */
__attribute__((unused)) static void change(tcflag_t iflag_on, tcflag_t iflag_off, tcflag_t oflag_on, tcflag_t oflag_off,
                                           tcflag_t lflag_on, tcflag_t lflag_off)
{
    struct termios settings;
    tcgetattr(slave, &settings);
    settings.c_iflag = (settings.c_iflag | iflag_on) & ~iflag_off;
    settings.c_oflag = (settings.c_oflag | oflag_on) & ~oflag_off;
    settings.c_lflag = (settings.c_lflag | lflag_on) & ~lflag_off;
    if (tcsetattr(slave, TCSANOW, &settings))
        printf("tcsetattr: %s\n", errno_name(errno));
}

__attribute__((unused)) static void set_cc(int which, int value)
{
    struct termios settings;
    tcgetattr(slave, &settings);
    settings.c_cc[which] = value;
    tcsetattr(slave, TCSANOW, &settings);
}

#endif
