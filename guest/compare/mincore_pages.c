/* mincore(2): which anonymous pages exist, and which ranges are mapped at all. */
#include "show.h"

static void resident(const char *what, char *map, size_t count)
{
    unsigned char core[16];
    if (mincore(map, count * PAGE, core) < 0) {
        show(what, -1);
        return;
    }
    printf("%s:", what);
    for (size_t i = 0; i < count; i++)
        printf(" %d", core[i] & 1);
    puts("");
}

int main(void)
{
    unsigned char core[16];
    char *map = pages(6);
    madvise(map, 6 * PAGE, MADV_NOHUGEPAGE);
    resident("fresh", map, 6);
    map[0] = map[2 * PAGE] = map[5 * PAGE] = 'x';
    resident("three written", map, 6);
    must("madvise", madvise(map + 2 * PAGE, PAGE, MADV_DONTNEED));
    resident("one given back", map, 6);
    show("written by read(2)", read(open("/dev/zero", O_RDONLY), map + 3 * PAGE, 1));
    resident("now", map, 6);
    show("length 1", mincore(map, 1, core));
    show("length 0", mincore(map, 0, core));
    show("unaligned", mincore(map + 1, PAGE, core));
    show("bad vector", mincore(map, PAGE, (void *)8));
    show("kernel", mincore((void *)0xffff800000000000, PAGE, core));
    show("too long", mincore(map, 1UL << 47, core));
    must("munmap", munmap(map + 4 * PAGE, PAGE));
    resident("with a gap", map, 6);
    resident("before the gap", map, 4);
    resident("unmapped", (char *)0x10000000, 1);
    put_file("file", "text");
    int fd = must("open", open("file", O_RDWR));
    char *file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    file[0] = 'T';
    resident("a file's page that was touched", file, 1);
    must("mprotect", mprotect(map, PAGE, PROT_NONE));
    resident("PROT_NONE", map, 1);
}
