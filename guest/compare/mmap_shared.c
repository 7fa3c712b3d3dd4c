/* Shared file mappings are the file: each sees what read, write, another map and truncation do. */
#include "show.h"

int main(void)
{
    char text[16];
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0600));
    must("ftruncate", ftruncate(fd, 2 * PAGE));
    char *one = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *two = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
    check("mapped twice", one != MAP_FAILED && two != MAP_FAILED && one != two);

    strcpy(one, "by map");
    pread(fd, text, 7, 0);
    show_bytes("read sees the map", text, 7);
    pwrite(fd, "by write", 9, 0);
    show_bytes("the map sees write", one, 9);
    strcpy(one + PAGE, "other");
    show_bytes("maps see each other", two, 6);
    strcpy(two, "back");
    show_bytes("both ways", one + PAGE, 5);
    int again = must("open", open("file", O_RDONLY));
    pread(again, text, 5, PAGE);
    show_bytes("another descriptor", text, 5);
    char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PAGE);
    show_bytes("a private map before it is written", private, 5);
    private[0] = 'P';
    show_bytes("the shared one is not changed by it", two, 5);
    strcpy(one + PAGE, "later");
    show_bytes("nor it by the shared one", private, 5);

    close(fd);
    strcpy(one, "after close");
    pread(again, text, 12, 0);
    show_bytes("lives after close", text, 12);
    show("read into the map from itself", pread(again, two, 8, 0));
    show_bytes("copied", one + PAGE, 8);
    show("unmap the first page", munmap(one, PAGE));
    show_bytes("the rest stays", one + PAGE, 8);
    show("write-protect", mprotect(two, PAGE, PROT_READ));
    show("write of the map to a file", write(open("copy", O_WRONLY | O_CREAT, 0600), two, 8));
    show_file("copy", "copy");
    show_file("file", "file");

    char *anonymous = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check("shared anonymous is zero", anonymous[0] == 0 && anonymous[PAGE] == 0);
    anonymous[0] = 'S';
    show("madvise keeps it", madvise(anonymous, PAGE, MADV_DONTNEED));
    check("kept", anonymous[0] == 'S');
}
