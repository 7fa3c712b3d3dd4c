"""Ptys where native Linux is no oracle: limits, TIOCSTI, what outlives a hangup."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import guest_run

LIMIT = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>
static int number(void)
{
    char text[32] = "";
    int fd = open("/proc/sys/kernel/pty/nr", O_RDONLY), n;
    read(fd, text, 31);
    close(fd);
    return sscanf(text, "%d", &n) == 1 ? n : -1;
}
int main(void)
{
    struct rlimit limit = {8192, 8192};
    int count = 0, fd, last = 0, index = -1;
    setrlimit(RLIMIT_NOFILE, &limit);
    while ((fd = open("/dev/ptmx", O_RDWR | O_NOCTTY)) >= 0) {
        last = fd;
        count++;
    }
    printf("%d pairs, %s, %d\n", count, errno == ENOSPC ? "ENOSPC" : "?", number());
    ioctl(last, TIOCGPTN, &index);
    printf("last %d\n", index);
    for (fd = 3; fd <= last; fd++)
        close(fd);
    printf("left %d\n", number());
    return 0;
}
"""

FLOOD = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
int main(void)
{
    static char text[1 << 20];
    int unlock = 0, index;
    char name[32];
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
    ioctl(master, TIOCSPTLCK, &unlock);
    ioctl(master, TIOCGPTN, &index);
    sprintf(name, "/dev/pts/%d", index);
    int slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
    memset(text, 1, sizeof text);
    long typed = 0, got;
    for (int i = 0; i < 50; i++) {
        got = write(master, text, sizeof text);
        if (got > 0) typed += got;
    }
    printf("typed to the end: %d\n", typed >= 50L << 20);
    long back = 0;
    static char out[1 << 16];
    while ((got = read(master, out, sizeof out)) > 0) back += got;
    printf("echo bounded: %d\n", back > 4096 && back < 65536);
    char x = 'x';
    printf("TIOCSTI %d\n", ioctl(slave, TIOCSTI, &x));
    if (setresuid(1000, 1000, 1000)) return 1;
    int result = ioctl(slave, TIOCSTI, &x);
    printf("TIOCSTI of a user %d, EIO %d\n", result, errno == EIO);
    return 0;
}
"""


def test_as_many_pairs_as_linux_has(
    guest_source: Callable[..., Path], emukernel: Callable[..., guest_run.Outcome]
) -> None:
    outcome = emukernel(guest_source(LIMIT, name="pty-limit"))
    assert outcome.out == "4096 pairs, ENOSPC, 4096\nlast 4095\nleft 0\n"


def test_typing_without_end_is_bounded(
    guest_source: Callable[..., Path], emukernel: Callable[..., guest_run.Outcome]
) -> None:
    outcome = emukernel(guest_source(FLOOD, name="pty-flood"))
    assert outcome.out == (
        "typed to the end: 1\necho bounded: 1\nTIOCSTI 0\nTIOCSTI of a user -1, EIO 1\n"
    )


LONG = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    char *text = mmap(0, 1 << 28, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (;;) write(master, text, 1 << 28);
}
"""


def test_a_long_write_does_not_keep_the_machine(
    guest_source: Callable[..., Path], emukernel: Callable[..., guest_run.Outcome]
) -> None:
    outcome = emukernel(guest_source(LONG, name="pty-long"), options=["--timeout", "1"])
    assert outcome.status == 124
