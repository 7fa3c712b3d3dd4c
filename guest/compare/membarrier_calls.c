/*
 * membarrier(2): commands that need a registration, what is registered, fork and exec, errors.
 */
#include "show.h"
#include <sys/wait.h>

static long barrier(int cmd, unsigned flags)
{
    return syscall(SYS_membarrier, cmd, flags, 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        show("after exec", barrier(512, 0));
        return 0;
    }
    check("commands", (barrier(0, 0) & 0x7f) == 0x7f);
    show("query with flags", barrier(0, 1));
    show("none", barrier(512, 0));
    show("global", barrier(1, 0));
    show("global expedited", barrier(2, 0));
    show("private", barrier(8, 0));
    show("sync core", barrier(32, 0));
    show("rseq", barrier(128, 0));
    show("rseq of a CPU", barrier(128, 1));
    show("rseq with flags", barrier(128, 2));
    show("unknown", barrier(1024, 0));
    show("two", barrier(24, 0));
    show("negative", barrier(-1, 0));
    show("register with flags", barrier(16, 1));
    show("register sync core", barrier(64, 0));
    show("registered", barrier(512, 0));
    show("sync core", barrier(32, 0));
    show("private", barrier(8, 0));
    show("register private", barrier(16, 0));
    show("again", barrier(16, 0));
    show("private", barrier(8, 0));
    show("register rseq", barrier(256, 0));
    show("rseq of a CPU", barrier(128, 1));
    show("register global", barrier(4, 0));
    show("registered", barrier(512, 0));
    if (fork() == 0) {
        show("child", barrier(512, 0));
        show("child's private", barrier(8, 0));
        execl("/proc/self/exe", argv[0], "again", (char *)NULL);
        _exit(9);
    }
    wait(NULL);
    return 0;
}
