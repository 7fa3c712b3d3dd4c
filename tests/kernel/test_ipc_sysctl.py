"""The limits of IPC can be set in /proc/sys, and hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import guest_run

PROGRAM = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

static void set(const char *name, const char *value)
{
    char path[100], text[100];
    snprintf(path, sizeof path, "/proc/sys/%s", name);
    int fd = open(path, O_RDWR);
    if (fd < 0) {
        printf("%s: %s\n", name, strerror(errno));
        return;
    }
    if (write(fd, value, strlen(value)) < 0)
        printf("%s: %s\n", name, strerror(errno));
    ssize_t n = pread(fd, text, sizeof text, 0);
    printf("%s: %.*s", name, (int)n, text);
    close(fd);
}

static void show(const char *what, long result)
{
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "ok");
}

int main(void)
{
    struct { long type; char text[200]; } message = {1};
    struct sembuf ops[3] = {{0, 1, 0}, {0, 1, 0}, {0, 1, 0}};
    set("kernel/shmmax", "4096\n");
    show("shmget", shmget(IPC_PRIVATE, 4097, 0600));
    set("kernel/shmmni", "1");
    shmget(IPC_PRIVATE, 10, 0600);
    show("shmget", shmget(IPC_PRIVATE, 10, 0600));
    set("kernel/sem", "10 20 2\n");
    show("semget", semget(IPC_PRIVATE, 11, 0600));
    int id = semget(IPC_PRIVATE, 10, 0600);
    show("semop", semop(id, ops, 3));
    set("kernel/msgmax", "100");
    set("kernel/msgmnb", "150");
    id = msgget(IPC_PRIVATE, 0600);
    show("msgsnd", msgsnd(id, &message, 101, 0));
    show("msgsnd", msgsnd(id, &message, 100, IPC_NOWAIT));
    show("msgsnd", msgsnd(id, &message, 51, IPC_NOWAIT));
    set("fs/mqueue/msg_default", "5");
    int fd = syscall(SYS_mq_open, "q", O_RDWR | O_CREAT, 0600, NULL);
    struct mq_attr attr;
    syscall(SYS_mq_getsetattr, fd, NULL, &attr);
    printf("messages: %ld\n", attr.mq_maxmsg);
    set("kernel/msgmni", "abc");
    set("kernel/msgmni", "-1");
    set("kernel/msgmni", "32769");
    set("kernel/msgmni", " \n");
    set("fs/mqueue/msg_max", "0");
    setuid(65534);
    set("kernel/msgmni", "5");
    return 0;
}
"""

EXPECTED = """\
kernel/shmmax: 4096
shmget: Invalid argument
kernel/shmmni: 1
shmget: No space left on device
kernel/sem: 10\t20\t2\t32000
semget: Invalid argument
semop: Argument list too long
kernel/msgmax: 100
kernel/msgmnb: 150
msgsnd: Invalid argument
msgsnd: ok
msgsnd: Resource temporarily unavailable
fs/mqueue/msg_default: 5
messages: 5
kernel/msgmni: Invalid argument
kernel/msgmni: 32000
kernel/msgmni: Invalid argument
kernel/msgmni: 32000
kernel/msgmni: Invalid argument
kernel/msgmni: 32000
kernel/msgmni: Invalid argument
kernel/msgmni: 32000
fs/mqueue/msg_max: Invalid argument
fs/mqueue/msg_max: 10
kernel/msgmni: Permission denied
"""


def test_limits(
    guest_source: Callable[..., Path], emukernel: Callable[..., guest_run.Outcome]
) -> None:
    done = emukernel(guest_source(PROGRAM, libc="glibc"))
    assert done.out == EXPECTED, done.err
