/* getrlimit, setrlimit, prlimit64: lowering, raising again, the hard limit, errors. */
#include "show.h"
#include <sys/resource.h>

struct limits {
    uint64_t soft, hard;
};

static void limit(const char *what, int resource)
{
    struct limits now;
    if (show(what, syscall(SYS_prlimit64, 0, resource, NULL, &now)) == 0)
        printf("  %llu %llu\n", (unsigned long long)now.soft, (unsigned long long)now.hard);
}

static void set(const char *what, int resource, uint64_t soft, uint64_t hard)
{
    struct limits next = {soft, hard};
    show(what, syscall(SYS_prlimit64, 0, resource, &next, NULL));
}

int main(void)
{
    struct limits old, next = {500, 600};
    drop_root();
    set("lower", RLIMIT_NOFILE, 1000, 1000);
    limit("now", RLIMIT_NOFILE);
    set("soft only", RLIMIT_NOFILE, 100, 1000);
    set("soft up to hard", RLIMIT_NOFILE, 1000, 1000);
    set("soft above hard", RLIMIT_NOFILE, 1001, 1000);
    set("hard raised", RLIMIT_NOFILE, 1000, 1001);
    set("infinite", RLIMIT_NOFILE, RLIM_INFINITY, RLIM_INFINITY);
    show("old and new at once", syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &next, &old));
    printf("  old %llu %llu\n", (unsigned long long)old.soft, (unsigned long long)old.hard);
    limit("now", RLIMIT_NOFILE);
    set("hard below soft", RLIMIT_STACK, 1 << 20, 0);
    limit("104", 104);
    limit("negative", -1);
    limit("16", 16);
    show("own pid", syscall(SYS_prlimit64, getpid(), RLIMIT_NOFILE, NULL, &old));
    show("no such process", syscall(SYS_prlimit64, 4194304, RLIMIT_NOFILE, NULL, &old));
    show("negative process", syscall(SYS_prlimit64, -1, RLIMIT_NOFILE, NULL, &old));
    show("bad pointer, old", syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, 8));
    show("bad pointer, new", syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 8, NULL));
    show("both null", syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, NULL));
    show("getrlimit", syscall(SYS_getrlimit, RLIMIT_NOFILE, &old));
    printf("  %llu %llu\n", (unsigned long long)old.soft, (unsigned long long)old.hard);
    show("getrlimit, unknown", syscall(SYS_getrlimit, 77, &old));
    show("getrlimit, bad pointer", syscall(SYS_getrlimit, RLIMIT_NOFILE, 8));
    next = (struct limits){7, 5};
    show("setrlimit, soft above hard", syscall(SYS_setrlimit, RLIMIT_NOFILE, &next));
    show("setrlimit, bad pointer", syscall(SYS_setrlimit, RLIMIT_NOFILE, 8));
    for (int resource = 0; resource < 16; resource++) {
        must("getrlimit", syscall(SYS_getrlimit, resource, &old));
        if (old.soft > old.hard)
            printf("limit %d: soft above hard\n", resource);
    }
    limit("unchanged", RLIMIT_NOFILE);
}
