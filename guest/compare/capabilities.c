/* capget and capset: sets by version, dropping, and not getting back; the bounding set by prctl. */
#include "show.h"
#include <sys/prctl.h>

struct header {
    uint32_t version;
    int pid;
};
struct sets {
    uint32_t effective, permitted, inheritable;
};
enum { V1 = 0x19980330, V2 = 0x20071026, V3 = 0x20080522 };

int main(void)
{
    struct header header = {V3, 0};
    struct sets sets[2];
    if (geteuid() == 0) {
        must("capget", syscall(SYS_capget, &header, sets));
        if (sets[0].permitted == 0 || sets[0].effective != sets[0].permitted)
            puts("root without capabilities?");
        struct sets some[2] = {{1, 3, 0}, {0, 0, 0}};
        must("capset", syscall(SYS_capset, &header, some));
        must("capget", syscall(SYS_capget, &header, sets));
        if (sets[0].effective != 1 || sets[0].permitted != 3 || sets[1].permitted != 0)
            puts("capset was not taken");
    }
    struct sets none[2] = {{0, 0, 0}, {0, 0, 0}};
    show("drop all", syscall(SYS_capset, &header, none));
    show("capget", syscall(SYS_capget, &header, sets));
    printf("%x %x %x %x %x %x\n", sets[0].effective, sets[0].permitted, sets[0].inheritable,
           sets[1].effective, sets[1].permitted, sets[1].inheritable);
    struct sets more[2] = {{1, 1, 0}, {0, 0, 0}};
    show("get one back", syscall(SYS_capset, &header, more));
    struct sets inherit[2] = {{0, 0, 1 << 10}, {0, 0, 0}};
    show("inheritable alone", syscall(SYS_capset, &header, inherit));
    header.version = 0;
    show("version 0", syscall(SYS_capget, &header, sets));
    printf("kernel's version %x\n", header.version);
    header.version = 0;
    show("version 0, no sets", syscall(SYS_capget, &header, NULL));
    header.version = 0;
    show("version 0, capset", syscall(SYS_capset, &header, none));
    header = (struct header){V1, 0};
    show("version 1", syscall(SYS_capget, &header, sets));
    header = (struct header){V2, 0};
    show("version 2", syscall(SYS_capget, &header, sets));
    header = (struct header){V3, getpid()};
    show("by process id", syscall(SYS_capget, &header, sets));
    header.pid = 4194304;
    show("no such process", syscall(SYS_capget, &header, sets));
    header.pid = -1;
    show("negative process", syscall(SYS_capget, &header, sets));
    show("null header", syscall(SYS_capget, NULL, sets));
    header.pid = 1;
    show("capset of another", syscall(SYS_capset, &header, none));
    show("bounding set drop", prctl(PR_CAPBSET_DROP, 5, 0, 0, 0));
    show("bounding set read, unknown", prctl(PR_CAPBSET_READ, 1000, 0, 0, 0));
    show("keep capabilities", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
}
