/* /proc/self/maps: sorted, page-aligned ranges that show each mapping made, changed and removed. */
#include "show.h"

struct map {
    unsigned long from, to, offset, inode;
    char perms[5], name[256];
};

/* The mapping that holds AT, in TO; how many lines are wrong in form or order is added to *BAD. */
static int find(const void *at, struct map *to, int *bad)
{
    char line[512];
    unsigned long last = 0;
    int found = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, file) != NULL) {
        struct map map = {.name = ""};
        unsigned major, minor;
        int fields = sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %255s", &map.from, &map.to, map.perms,
                            &map.offset, &major, &minor, &map.inode, map.name);
        *bad += fields < 7 || map.from < last || map.from >= map.to || (map.from | map.to) % PAGE;
        last = map.to;
        if ((unsigned long)at >= map.from && (unsigned long)at < map.to) {
            *to = map;
            found = 1;
        }
    }
    fclose(file);
    return found;
}

static int bad;

static void where(const char *what, const void *at)
{
    struct map map;
    if (!find(at, &map, &bad)) {
        printf("%s: not mapped\n", what);
        return;
    }
    const char *base = strrchr(map.name, '/');
    printf("%s: %s %s\n", what, map.perms, base ? base + 1 : map.name);
}

int main(void)
{
    static int data = 1;
    int local;
    struct map map;
    where("code", (void *)(uintptr_t)main);
    where("constants", "text");
    where("data", &data);
    where("stack", &local);
    char *area = pages(9);
    must("mprotect", mprotect(area, PAGE, PROT_NONE));
    must("mprotect", mprotect(area + 8 * PAGE, PAGE, PROT_NONE));
    area += PAGE;
    where("anonymous", area);
    must("mprotect", mprotect(area + PAGE, PAGE, PROT_READ));
    must("mprotect", mprotect(area + 2 * PAGE, PAGE, PROT_NONE));
    must("mprotect", mprotect(area + 3 * PAGE, PAGE, PROT_READ | PROT_EXEC));
    must("munmap", munmap(area + 5 * PAGE, PAGE));
    for (int i = 0; i < 7; i++) {
        char what[16];
        snprintf(what, sizeof what, "page %d", i);
        where(what, area + i * PAGE);
    }
    put_file("mapped", "text");
    int fd = must("open", open("mapped", O_RDWR));
    must("ftruncate", ftruncate(fd, 4 * PAGE));
    char *file = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
    where("shared file", file);
    check("offset", find(file, &map, &bad) && map.offset == PAGE && map.to - map.from == 2 * PAGE);
    struct stat st;
    fstat(fd, &st);
    check("inode", map.inode == st.st_ino);
    char *end = (char *)syscall(SYS_brk, 0); /* musl's sbrk refuses to grow */
    check("brk", syscall(SYS_brk, end + 3 * PAGE) == (long)end + 3 * PAGE);
    where("heap", end + PAGE);
    must("munmap", munmap(file, PAGE));
    check("offset moved", find(file + PAGE, &map, &bad) && map.offset == 2 * PAGE);
    where("unmapped part", file);
    must("unlink", unlink("mapped"));
    where("deleted", file + PAGE);
    check("every line sound", bad == 0);
}
