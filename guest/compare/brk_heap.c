/* brk(2) as it is: growing, shrinking, zeros in new pages, refusals that return the old break. */
#include "show.h"
#include <sys/resource.h>

static char *brk_raw(void *to)
{
    return (char *)syscall(SYS_brk, to);
}

int main(void)
{
    char *start = brk_raw(NULL);
    char *base = (char *)(((uintptr_t)start + PAGE - 1) & -(uintptr_t)PAGE);
    show("to a page boundary", brk_raw(base) - base);
    show("grow by 4 pages", brk_raw(base + 4 * PAGE) - base);
    check("zeros", base[0] == 0 && base[4 * PAGE - 1] == 0);
    memset(base, 'h', 4 * PAGE);
    show("asked with 0", brk_raw(NULL) - base);
    show("asked with 1", brk_raw((void *)1) - base);
    show("asked below its start", brk_raw((void *)0x1000) - base);
    show("asked in the kernel", brk_raw((void *)0xffff800000000000) - base);
    show("asked far above", brk_raw(base + (1L << 46)) - base);
    show("shrink by 2 pages", brk_raw(base + 2 * PAGE) - base);
    check("kept", base[0] == 'h' && base[2 * PAGE - 1] == 'h');
    unsigned char core;
    show("what was cut is unmapped", mincore(base + 2 * PAGE, PAGE, &core));
    show("grow again", brk_raw(base + 4 * PAGE) - base);
    check("zeros", base[2 * PAGE] == 0 && base[4 * PAGE - 1] == 0);
    show("inside a page", brk_raw(base + 4 * PAGE + 100) - base);
    base[4 * PAGE + 4000] = 'x';
    check("the page is whole", base[4 * PAGE + 4000] == 'x');
    show("less, in the page", brk_raw(base + 4 * PAGE + 10) - base);
    show("more, in the page", brk_raw(base + 4 * PAGE + 4090) - base);
    check("the page kept its content", base[4 * PAGE + 4000] == 'x');

    char *wall = base + 16 * PAGE;
    must("mmap", mmap(wall, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
    show("up to a map", brk_raw(wall - PAGE) - base);
    show("into a map", brk_raw(wall + 1) - base);
    must("munmap", munmap(wall, PAGE));
    show("the map gone", brk_raw(wall + PAGE) - base);
    struct rlimit limit = {8 << 20, 8 << 20};
    must("setrlimit", setrlimit(RLIMIT_DATA, &limit));
    show("over RLIMIT_DATA", brk_raw(base + (16 << 20)) - base);
    show("under RLIMIT_DATA", brk_raw(base + (2 << 20)) - base);
    base[(2 << 20) - 1] = 'e';
    show("down to the start", brk_raw(base) - base);
}
