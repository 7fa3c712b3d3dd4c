// build: -static
/*
 * faults.c - demand-zero page faults.
 *
 *   faults [PAGES]
 *
 * Prints `first SECONDS PAGES` and `again SECONDS PAGES`: writing a byte to each page of fresh anonymous
 * memory, and once more when the pages are there. The difference is what the faults cost. Huge pages are
 * declined, so that every page faults on machines that have them.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "clock.h"

enum { PAGE = 4096 };

static double touch(volatile char *memory, long pages)
{
    double start = seconds();

    for (long i = 0; i < pages; i++)
        memory[i * PAGE] += 1;
    return seconds() - start;
}

int main(int argc, char **argv)
{
    long pages = number(argc, argv, 1, 20000);
    char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    double first, again;

    if (memory == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    madvise(memory, pages * PAGE, MADV_NOHUGEPAGE);
    first = touch(memory, pages);
    again = touch(memory, pages);
    for (long i = 0; i < pages; i++)
        if (memory[i * PAGE] != 2) {
            fprintf(stderr, "page %ld was not zero at first\n", i);
            return 1;
        }
    printf("first %.9f %ld\nagain %.9f %ld\n", first, pages, again, pages);
    return 0;
}
