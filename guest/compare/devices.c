/* /dev/null, zero, full, random, urandom: reads, writes, maps and permissions. */
#include "show.h"

int main(void)
{
    char text[64], other[64];
    int null = must("open", open("/dev/null", O_RDWR));
    int zero = must("open", open("/dev/zero", O_RDWR));
    int full = must("open", open("/dev/full", O_RDWR));
    int urandom = must("open", open("/dev/urandom", O_RDONLY));
    int random = must("open", open("/dev/random", O_RDONLY));
    memset(text, 'x', sizeof text);
    show("null read", read(null, text, sizeof text));
    show("null write", write(null, text, sizeof text));
    show("null pread", pread(null, text, 1, 1000));
    show("null size", lseek(null, 0, SEEK_END));
    show("zero read", read(zero, text, 8));
    show_bytes("zeros", text, 10);
    show("zero write", write(zero, text, 8));
    show("zero read, bad buffer", read(zero, (void *)8, 8));
    show("full write", write(full, text, 8));
    show("full pwrite", pwrite(full, text, 8, 0));
    memset(text, 'x', sizeof text);
    show("full read", read(full, text, 8));
    show_bytes("zeros", text, 10);
    show("urandom", read(urandom, text, sizeof text));
    show("urandom again", read(urandom, other, sizeof other));
    check("they differ", memcmp(text, other, sizeof text) != 0);
    show("random", read(random, other, 16));
    show("urandom, bad buffer", read(urandom, (void *)8, 16));
    show("a large read", pread(urandom, pages(64), 64 * PAGE, 0));

    char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    check("zero maps", map != MAP_FAILED && map[0] == 0 && map[PAGE] == 0);
    map[5] = 'm';
    check("privately", map[5] == 'm');
    ok("null maps", (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, null, 0));
    ok("full maps", (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, full, 0));
    ok("null with O_TRUNC|O_CREAT", open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT, 0600));
    show("null with O_EXCL", open("/dev/null", O_WRONLY | O_CREAT | O_EXCL, 0600));
    show("null with O_DIRECTORY", open("/dev/null", O_RDONLY | O_DIRECTORY));
    show("below null", open("/dev/null/x", O_RDONLY));
    FILE *file = fopen("/dev/full", "w");
    show("fputs to full is buffered", fputs("text", file) < 0 ? -1 : 0);
    show("fflush tells", fflush(file));
}
