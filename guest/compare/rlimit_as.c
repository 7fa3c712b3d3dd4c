/* RLIMIT_AS and RLIMIT_DATA: mmap, brk, mremap and malloc give ENOMEM, and work again when raised. */
#include "show.h"
#include <sys/resource.h>

enum { MIB = 1 << 20 };

static void limit(int resource, long soft)
{
    struct rlimit now;
    must("getrlimit", getrlimit(resource, &now));
    now.rlim_cur = soft;
    must("setrlimit", setrlimit(resource, &now));
}

static void *map(const char *what, long size, int prot)
{
    void *at = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ok(what, at == MAP_FAILED ? -1 : 0);
    return at;
}

int main(void)
{
    limit(RLIMIT_AS, 64 * MIB);
    char *first = map("32 MiB", 32 * MIB, PROT_READ | PROT_WRITE);
    map("32 MiB more", 32 * MIB, PROT_READ | PROT_WRITE);
    map("PROT_NONE counts", 32 * MIB, PROT_NONE);
    ok("mremap to 80", mremap(first, 32 * MIB, 80 * MIB, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
    first = mremap(first, 32 * MIB, 50 * MIB, MREMAP_MAYMOVE);
    ok("mremap to 50", first == MAP_FAILED ? -1 : 0);
    volatile size_t size = 100 * MIB;
    ok("malloc", malloc(size) ? 0 : -1);
    long before = syscall(SYS_brk, 0);
    check("brk refused: unchanged", syscall(SYS_brk, before + 50L * MIB) == before);
    must("munmap", munmap(first, 50 * MIB));
    map("room again", 48 * MIB, PROT_READ);
    limit(RLIMIT_AS, RLIM_INFINITY);
    first = map("without a limit", 128 * MIB, PROT_READ | PROT_WRITE);
    first[127 * MIB] = 1;

    limit(RLIMIT_DATA, 256 * MIB);
    map("200 MiB of data", 200 * MIB, PROT_READ | PROT_WRITE);
    map("not counted: read only", 200 * MIB, PROT_READ);
    limit(RLIMIT_DATA, RLIM_INFINITY);
    map("without a limit", 200 * MIB, PROT_READ | PROT_WRITE);
}
