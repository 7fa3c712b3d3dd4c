/* Touches the MiB of memory that argv[1] says, then reads its input and ends: what does going back
 * to the read cost beside so much memory?
 */
// build: -static

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long size = argc > 1 ? atol(argv[1]) << 20 : 1 << 20;
    volatile char *memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (long at = 0; at < size; at += 4096) memory[at] = 1;
    char input[16];
    long got = read(0, input, sizeof input);
    for (long at = 0; at < 8 * 4096; at += 4096) memory[at] = 2;
    _exit((int)got);
}
