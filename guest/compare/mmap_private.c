/* Private file mappings: copy on write, what later writes to the file show, zeros after the end. */
#include "show.h"

int main(void)
{
    char block[PAGE];
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0600));
    for (int i = 0; i < 3; i++) {
        memset(block, 'a' + i, PAGE);
        must("write", write(fd, block, PAGE));
    }
    must("write", write(fd, "tail", 4));
    char *map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    check("mapped", map != MAP_FAILED);
    printf("%c %c %c %.4s\n", map[0], map[PAGE], map[2 * PAGE], map + 3 * PAGE);
    int zeros = 1;
    for (int i = 4; i < PAGE; i++)
        zeros &= map[3 * PAGE + i] == 0;
    check("zeros after the end", zeros);

    map[0] = 'X';
    pread(fd, block, 1, 0);
    printf("changed %c, file has %c\n", map[0], block[0]);
    pwrite(fd, "Y", 1, 1);
    printf("copied page does not see the file: %c\n", map[1]);
    pwrite(fd, "Z", 1, PAGE + 1);
    printf("a page only read does: %c\n", map[PAGE + 1]);
    char *second = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);
    printf("at an offset: %c%c\n", second[0], second[1]);
    map[PAGE] = 'Q';
    printf("not seen by another map: %c\n", second[0]);
    strcpy(map + 3 * PAGE, "written past the end");
    show("file size", lseek(fd, 0, SEEK_END));
    pread(fd, block, 4, 3 * PAGE);
    show_bytes("file tail", block, 4);

    show("madvise DONTNEED", madvise(map, 4 * PAGE, MADV_DONTNEED));
    printf("the file again: %c%c %c%c %.4s\n", map[0], map[1], map[PAGE], map[PAGE + 1], map + 3 * PAGE);
    close(fd);
    must("unlink", unlink("file"));
    printf("lives after close and unlink: %c\n", map[2 * PAGE]);
    char *readonly = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open("/proc/self/exe", O_RDONLY), 0);
    show_bytes("one's own file", readonly, 4);
    show("made writable", mprotect(readonly, PAGE, PROT_READ | PROT_WRITE));
    readonly[0] = 'e';
    printf("%.4s\n", readonly);
}
