/*
 * ioprio_set(2) and ioprio_get(2): classes, groups, what follows from nice, inheritance, permissions; set_mempolicy(2)
 * and get_mempolicy(2) with node 0, which every machine has.
 */
#include "show.h"
#include <sys/wait.h>

enum { PROCESS = 1, PGRP, USER };

static void policy(const char *what, void *address, unsigned long flags)
{
    int mode = 99;
    unsigned long nodes[16] = {99};
    long result = syscall(SYS_get_mempolicy, &mode, nodes, 1024, address, flags);
    if (result < 0)
        show(what, result);
    else
        printf("%s: mode %x, node 0 %s\n", what, mode, nodes[0] & 1 ? "in" : "out");
}

static long set(int mode, unsigned long nodes)
{
    return syscall(SYS_set_mempolicy, mode, &nodes, 64);
}

int main(void)
{
    setpgid(0, 0);
    puts("ioprio");
    show("new", syscall(SYS_ioprio_get, PROCESS, 0));
    show("group", syscall(SYS_ioprio_get, PGRP, 0));
    show("best effort 2", syscall(SYS_ioprio_set, PROCESS, 0, 2 << 13 | 2));
    show("get", syscall(SYS_ioprio_get, PROCESS, 0));
    show("by pid", syscall(SYS_ioprio_get, PROCESS, getpid()));
    show("group", syscall(SYS_ioprio_get, PGRP, getpid()));
    show("idle", syscall(SYS_ioprio_set, PGRP, 0, 3 << 13 | 1));
    show("get", syscall(SYS_ioprio_get, PROCESS, 0));
    if (fork() == 0) {
        show("child", syscall(SYS_ioprio_get, PROCESS, 0));
        _exit(0);
    }
    wait(NULL);
    show("none", syscall(SYS_ioprio_set, PROCESS, 0, 0));
    errno = 0;
    nice(6);
    show("of nice 6", syscall(SYS_ioprio_get, PGRP, 0));
    show("none with a level", syscall(SYS_ioprio_set, PROCESS, 0, 1));
    show("class 4", syscall(SYS_ioprio_set, PROCESS, 0, 4 << 13));
    show("class 7", syscall(SYS_ioprio_set, PROCESS, 0, 7 << 13));
    show("which 0", syscall(SYS_ioprio_set, 0, 0, 2 << 13));
    show("which 4", syscall(SYS_ioprio_get, 4, 0));
    show("no such process", syscall(SYS_ioprio_get, PROCESS, 0x3ffffff));
    show("no such group", syscall(SYS_ioprio_set, PGRP, 0x3ffffff, 2 << 13));

    puts("mempolicy");
    char *area = pages(1);
    area[0] = 1;
    policy("new", NULL, 0);
    policy("allowed", NULL, 4);
    policy("of an address", area, 2);
    policy("node of an address", area, 3);
    policy("address without flag", area, 0);
    policy("node without address", NULL, 1);
    policy("of nothing", NULL, 2);
    policy("unknown flag", NULL, 8);
    policy("allowed of an address", area, 6);
    show("into nothing", syscall(SYS_get_mempolicy, NULL, NULL, 0, NULL, 0));
    show("bad pointer", syscall(SYS_get_mempolicy, 8, NULL, 0, NULL, 0));
    show("bind", set(2, 1));
    policy("get", NULL, 0);
    policy("of an address", area, 2);
    if (fork() == 0) {
        policy("child", NULL, 0);
        _exit(0);
    }
    wait(NULL);
    show("interleave", set(3, 1));
    policy("next node", NULL, 1);
    show("preferred", set(1, 1));
    policy("get", NULL, 0);
    show("preferred nowhere", set(1, 0));
    policy("get", NULL, 0);
    show("local", set(4, 0));
    show("static", set(2 | 1 << 15, 1));
    policy("get", NULL, 0);
    show("local with nodes", set(4, 1));
    show("bind to nothing", set(2, 0));
    show("default with nodes", set(0, 1));
    show("static and relative", set(2 | 3 << 14, 1));
    show("mode 7", set(7, 1));
    show("mode -1", set(-1, 1));
    show("bad pointer", syscall(SYS_set_mempolicy, 2, 8, 64));
    show("too many nodes", syscall(SYS_set_mempolicy, 2, area, 40000));
    show("default", set(0, 0));
    policy("get", NULL, 0);

    if (geteuid() == 0)
        drop_root();
    show("real time", syscall(SYS_ioprio_set, PROCESS, 0, 1 << 13));
    return 0;
}
