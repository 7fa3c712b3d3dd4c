/* mremap: shrink, grow in place, move, to a fixed place, over another map; with contents. */
#include "show.h"

static int filled(const char *map, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (map[i * PAGE] != (char)('a' + i % 26))
            return 0;
    return 1;
}

static char *fill(size_t count)
{
    char *map = pages(count);
    for (size_t i = 0; i < count; i++)
        map[i * PAGE] = 'a' + i % 26;
    return map;
}

static int mapped(char *page)
{
    unsigned char core;
    return mincore(page, PAGE, &core) == 0;
}

int main(void)
{
    char *map = fill(8);
    char *to = mremap(map, 8 * PAGE, 4 * PAGE, 0);
    check("shrunk in place", to == map && filled(map, 4));
    check("the rest is gone", mapped(map + 3 * PAGE) && !mapped(map + 4 * PAGE));
    to = mremap(map, 4 * PAGE, 8 * PAGE, 0);
    check("grown where there is room", to == map && filled(map, 4) && map[4 * PAGE] == 0);
    must("mmap", mmap(map + 4 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
                 MAP_FAILED ? -1 : 0);
    show("no room", mremap(map, 4 * PAGE, 5 * PAGE, 0) == MAP_FAILED ? -1 : 0);
    to = mremap(map, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    check("moved", to != MAP_FAILED && to != map && filled(to, 4) && to[63 * PAGE] == 0);
    check("the old place is gone", !mapped(map) && mapped(map + 4 * PAGE));

    char *place = pages(70);
    char *fixed = mremap(to, 64 * PAGE, 64 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place + 2 * PAGE);
    check("fixed", fixed == place + 2 * PAGE && filled(fixed, 4));
    check("source is gone", !mapped(to));
    check("neighbours stay", place[PAGE] == 0 && place[66 * PAGE] == 0);
    fixed[63 * PAGE] = 'z';
    to = mremap(fixed + 60 * PAGE, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    check("moved and shrunk", to == place && to[0] == 0 && filled(fixed, 4));
    check("cut part is gone", !mapped(fixed + 63 * PAGE));

    char *middle = fill(9);
    to = mremap(middle + 3 * PAGE, 3 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
    check("from the middle", to != MAP_FAILED && to[0] == 'd' && to[2 * PAGE] == 'f' && to[5 * PAGE] == 0);
    check("both ends stay", middle[2 * PAGE] == 'c' && middle[6 * PAGE] == 'g' && !mapped(middle + 3 * PAGE));

    int fd = must("open", open("file", O_RDWR | O_CREAT, 0600));
    must("ftruncate", ftruncate(fd, 4 * PAGE));
    pwrite(fd, "four", 4, 3 * PAGE);
    char *file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    to = mremap(file, PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    show_bytes("a file's map shows more of it", to + 3 * PAGE, 4);
    strcpy(to, "through the moved map");
    show_file("file", "file");
    char *copy = mremap(to, 0, 4 * PAGE, MREMAP_MAYMOVE);
    check("old size 0 maps shared pages twice", copy != MAP_FAILED && copy != to);
    copy[0] = 'T';
    check("same pages", to[0] == 'T');
    char *kept = fill(2);
    must("mprotect", mprotect(kept, 2 * PAGE, PROT_READ));
    to = mremap(kept, 2 * PAGE, 40 * PAGE, MREMAP_MAYMOVE);
    check("protection moves along", to != MAP_FAILED && read(open("/dev/zero", O_RDONLY), to, 1) == -1);
    to = mremap(pages(1), PAGE, PAGE, 0);
    check("same size", to != MAP_FAILED);
}
