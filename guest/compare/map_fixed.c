/* MAP_FIXED replaces what is there, whole or in part, anonymous or a file's, and leaves the rest. */
#include "show.h"

static void state(const char *what, char *map)
{
    printf("%s:", what);
    for (int i = 0; i < 6; i++) {
        unsigned char core;
        if (mincore(map + i * PAGE, PAGE, &core) < 0)
            printf(" -");
        else
            printf(" %c", map[i * PAGE] ? map[i * PAGE] : '0');
    }
    puts("");
}

int main(void)
{
    enum { RW = PROT_READ | PROT_WRITE, FIXED = MAP_FIXED | MAP_PRIVATE };
    put_file("file", "file content");
    int fd = must("open", open("file", O_RDWR));
    char *map = pages(6);
    for (int i = 0; i < 6; i++)
        map[i * PAGE] = 'a' + i;
    state("at first", map);
    check("middle", mmap(map + PAGE, PAGE, RW, FIXED | MAP_ANONYMOUS, -1, 0) == map + PAGE);
    state("one new page", map);
    check("file", mmap(map + 2 * PAGE, PAGE, RW, FIXED, fd, 0) == map + 2 * PAGE);
    state("a file's page", map);
    must("munmap", munmap(map + 3 * PAGE, 2 * PAGE));
    state("a gap", map);
    check("over gap and rest", mmap(map + 3 * PAGE, 3 * PAGE, RW, MAP_FIXED | MAP_SHARED | MAP_ANONYMOUS,
                                    -1, 0) == map + 3 * PAGE);
    state("filled", map);
    map[4 * PAGE] = 's';
    check("hint that is free", munmap(map + 5 * PAGE, PAGE) == 0 &&
          mmap(map + 5 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == map + 5 * PAGE);
    check("hint that is taken", mmap(map, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != map);
    state("kept", map);
    check("all at once", mmap(map, 6 * PAGE, PROT_READ, FIXED | MAP_ANONYMOUS, -1, 0) == map);
    state("all new", map);
    show("failed one", mmap(map, PAGE, RW, FIXED, 99, 0) == MAP_FAILED ? -1 : 0);
    state("did no harm", map);

    char *low = mmap((void *)0x20000000, PAGE, RW, FIXED | MAP_ANONYMOUS, -1, 0);
    check("at a chosen address", low == (char *)0x20000000);
    char *below4g = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    check("MAP_32BIT", below4g != MAP_FAILED && (uintptr_t)below4g < 1UL << 31);
    char *populated = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    unsigned char core[2];
    check("MAP_POPULATE", mincore(populated, 2 * PAGE, core) == 0 && core[0] & core[1] & 1);
}
