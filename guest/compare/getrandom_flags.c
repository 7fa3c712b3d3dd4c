/* getrandom(2): all bytes, different each time, flags and errors. */
#include "show.h"
#include <sys/random.h>

int main(void)
{
    unsigned char a[64], b[64];
    show("64 bytes", getrandom(a, sizeof a, 0));
    show("64 bytes", getrandom(b, sizeof b, GRND_NONBLOCK));
    check("they differ", memcmp(a, b, sizeof a) != 0);
    show("GRND_RANDOM", getrandom(a, 16, GRND_RANDOM));
    show("both", getrandom(a, 16, GRND_RANDOM | GRND_NONBLOCK));
    show("nothing", getrandom(a, 0, 0));
    show("null, nothing", syscall(SYS_getrandom, NULL, 0, 0));
    show("null", syscall(SYS_getrandom, NULL, 1, 0));
    show("bad pointer", syscall(SYS_getrandom, 8, 16, 0));
    show("unknown flag", syscall(SYS_getrandom, a, 16, 0x40));
    show("GRND_INSECURE", syscall(SYS_getrandom, a, 16, 4));
    show("INSECURE with RANDOM", syscall(SYS_getrandom, a, 16, 6));
    char *edge = pages(2) + PAGE;
    must("munmap", munmap(edge, PAGE));
    show("buffer that ends after 8", syscall(SYS_getrandom, edge - 8, 64, 0));
    show("large", getrandom(pages(16), 16 * PAGE, 0));
    int counts[256] = {0}, seen = 0;
    unsigned char *many = (unsigned char *)pages(4);
    must("getrandom", getrandom(many, 4 * PAGE, 0));
    for (int i = 0; i < 4 * PAGE; i++)
        counts[many[i]]++;
    for (int i = 0; i < 256; i++)
        seen += counts[i] > 20 && counts[i] < 200;
    show("byte values seen as often as they should", seen);
    show("getentropy", getentropy(a, 64));
    unsigned char large[300];
    show("getentropy, too much", getentropy(large, 257));
}
