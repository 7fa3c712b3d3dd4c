/* mprotect(2): splitting and joining maps, gaps, what a file's own mode allows, errors. */
#include "show.h"

/* The call itself: musl's wrapper rounds what it is given. */
#define mprotect(at, size, prot) syscall(SYS_mprotect, at, size, prot)

int main(void)
{
    char *map = pages(6);
    show("whole", mprotect(map, 6 * PAGE, PROT_READ));
    show("middle", mprotect(map + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE));
    map[2 * PAGE] = 'a';
    map[4 * PAGE - 1] = 'b';
    check("readable around it", map[0] == 0 && map[4 * PAGE] == 0);
    show("back", mprotect(map, 6 * PAGE, PROT_READ | PROT_WRITE));
    map[0] = map[5 * PAGE] = 'c';
    check("content kept", map[2 * PAGE] == 'a' && map[4 * PAGE - 1] == 'b');
    show("unaligned", mprotect(map + 1, PAGE, PROT_READ));
    show("length 0", mprotect(map, 0, PROT_READ));
    show("length 0, unmapped", mprotect((void *)0x10000000, 0, PROT_READ));
    show("length 1 is a page", mprotect(map, 1, PROT_READ | PROT_WRITE));
    show("unmapped", mprotect((void *)0x10000000, PAGE, PROT_READ));
    show("kernel", mprotect((void *)0xffff800000000000, PAGE, PROT_READ));
    show("wraps", mprotect(map, -1UL & -PAGE, PROT_READ));
    show("unknown bits", mprotect(map, PAGE, 0x40));
    show("GROWSDOWN on a plain map", mprotect(map, PAGE, PROT_READ | PROT_GROWSDOWN));
    show("GROWSUP and GROWSDOWN", mprotect(map, PAGE, PROT_GROWSUP | PROT_GROWSDOWN));
    must("munmap", munmap(map + 3 * PAGE, PAGE));
    show("over a gap", mprotect(map, 6 * PAGE, PROT_NONE));
    char byte;
    int zero = open("/dev/zero", O_RDONLY);
    show("what stood before the gap was changed", read(zero, map, 1));
    show("after it not", read(zero, map + 4 * PAGE, 1));
    show("back", mprotect(map, 3 * PAGE, PROT_READ | PROT_WRITE));
    check("content kept", map[0] == 'c' && map[2 * PAGE] == 'a');

    put_file("file", "text");
    int rdonly = must("open", open("file", O_RDONLY));
    char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, rdonly, 0);
    char *private = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, rdonly, 0);
    show("write to a read-only file's shared map", mprotect(shared, PAGE, PROT_READ | PROT_WRITE));
    show("to its private map", mprotect(private, PAGE, PROT_READ | PROT_WRITE));
    private[0] = 'T';
    show_bytes("shared", shared, 4);
    show_bytes("private", private, 4);
    int rdwr = must("open", open("file", O_RDWR));
    shared = mmap(NULL, PAGE, PROT_NONE, MAP_SHARED, rdwr, 0);
    show("NONE to write", mprotect(shared, PAGE, PROT_READ | PROT_WRITE));
    shared[1] = 'E';
    pread(rdwr, &byte, 1, 1);
    show_bytes("in the file", &byte, 1);
    show("executable", mprotect(shared, PAGE, PROT_READ | PROT_EXEC));
}
