/* madvise(2): DONTNEED gives zeros or the file again, the other advice changes nothing; errors. */
#include "show.h"

int main(void)
{
    char *map = pages(4);
    memset(map, 'x', 4 * PAGE);
    show("DONTNEED of the middle", madvise(map + PAGE, 2 * PAGE, MADV_DONTNEED));
    printf("%d %d %d %d\n", map[0], map[PAGE], map[3 * PAGE - 1], map[3 * PAGE]);
    map[PAGE] = 'y';
    check("written again", map[PAGE] == 'y');
    int advice[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTFORK,
                    MADV_DOFORK, MADV_DONTDUMP, MADV_DODUMP};
    for (size_t i = 0; i < COUNT(advice); i++) {
        printf("advice %d ", advice[i]);
        show("", madvise(map, 4 * PAGE, advice[i]));
    }
    check("content kept", map[0] == 'x' && map[PAGE] == 'y' && map[3 * PAGE] == 'x');
    show("FREE", madvise(map, PAGE, MADV_FREE));
    check("old content or zeros", map[0] == 'x' || map[0] == 0);

    show("unaligned", madvise(map + 1, PAGE, MADV_DONTNEED));
    show("length 0", madvise(map, 0, MADV_DONTNEED));
    show("length 0, bad advice", madvise(map, 0, 9999));
    show("length 1 is a page", madvise(map, 1, MADV_DONTNEED));
    check("zero", map[0] == 0 && map[PAGE - 1] == 0);
    show("unknown advice", madvise(map, PAGE, 9999));
    show("wraps", madvise(map, -1UL, MADV_DONTNEED));
    show("unmapped", madvise((void *)0x10000000, PAGE, MADV_DONTNEED));
    must("munmap", munmap(map + 2 * PAGE, PAGE));
    memset(map + 3 * PAGE, 'z', PAGE);
    show("over a gap", madvise(map, 4 * PAGE, MADV_DONTNEED));
    check("applied after the gap all the same", map[3 * PAGE] == 0);
    show("gap with NORMAL", madvise(map, 4 * PAGE, MADV_NORMAL));

    put_file("file", "text");
    int fd = must("open", open("file", O_RDWR));
    char *file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    file[0] = 'T';
    show("DONTNEED of a shared map", madvise(file, PAGE, MADV_DONTNEED));
    show_bytes("kept in the file", file, 4);
    show("FREE of a file's map", madvise(file, PAGE, MADV_FREE));
    must("mprotect", mprotect(map, PAGE, PROT_NONE));
    show("DONTNEED of PROT_NONE", madvise(map, PAGE, MADV_DONTNEED));
}
