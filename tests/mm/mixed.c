// Does pseudo-random memory calls in a region of its own, and prints what each answered and, now and then, what is
// mapped and what it holds. Natively and emulated the output must be the same.
//
//   mixed SEED COUNT
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

enum { PAGE = 4096, PAGES = 48, FILE_PAGES = 24 };
#define BASE ((char *)0x200000000)

static uint64_t state;
static int file, copy;
static sigjmp_buf back;
static volatile int signal_code;

static unsigned pick(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % n;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    signal_code = number * 1000 + info->si_code;
    siglongjmp(back, 1);
}

static char *page(void) { return BASE + (size_t)pick(PAGES) * PAGE; }

static size_t size(void)
{
    static const size_t odd[] = {0, 1, 4095, 4097, (size_t)-1, (size_t)-4096, (size_t)1 << 47, (size_t)1 << 63};

    return pick(20) ? (size_t)(1 + pick(12)) * PAGE : odd[pick(8)];
}

static int prot(void)
{
    static const int usual[] = {0, 1, 3, 3, 3, 5, 7, 2, 4};

    return usual[pick(9)];
}

static const char *error(long result) { return result < 0 ? strerror(errno) : "ok"; }

static long where(void *p)
{
    char *address = p;

    return address >= BASE && address < BASE + (size_t)PAGES * 2 * PAGE ? (address - BASE) / PAGE : 9999;
}

static void do_mmap(void)
{
    static const int kinds[] = {MAP_PRIVATE, MAP_SHARED};
    char *at = page();
    size_t length = size();
    int flags = kinds[pick(2)] | (pick(6) ? MAP_FIXED : MAP_FIXED_NOREPLACE), protection = prot(), fd = -1;
    off_t offset = 0;

    if (pick(3)) {
        flags |= MAP_ANONYMOUS;
    } else {
        fd = file;
        offset = (off_t)pick(FILE_PAGES) * PAGE;
    }
    if (!pick(12))
        flags |= MAP_POPULATE;
    if (!pick(20))
        flags |= MAP_NORESERVE;
    if (!pick(30))
        flags |= MAP_LOCKED;
    if (!pick(30))
        flags = flags & ~MAP_SHARED;
    char *result = mmap(at, length, protection, flags, fd, offset);
    printf("mmap %ld %zx %d %x %ld: %s\n", where(at), length, protection, flags, (long)offset,
           result == MAP_FAILED ? strerror(errno) : "ok");
}

static void do_mremap(void)
{
    char *at = page(), *target = page();
    size_t old = pick(12) ? (size_t)(1 + pick(8)) * PAGE : 0, new = pick(2) ? old : size();
    int flags = pick(8);

    if (new == 0 || new > 64 * PAGE)
        new = PAGE;
    if (flags & MREMAP_MAYMOVE && !(flags & MREMAP_FIXED) && flags & MREMAP_DONTUNMAP)
        flags |= MREMAP_FIXED;
    char *result = mremap(at, old, new, flags, target);
    printf("mremap %ld %zx %zx %d %ld: %s", where(at), old, new, flags, where(target),
           result == MAP_FAILED ? strerror(errno) : "ok");
    if (result != MAP_FAILED && where(result) == 9999) {
        printf(" moved out");
        char *again = mremap(result, new, new, MREMAP_MAYMOVE | MREMAP_FIXED, target);
        printf(" and back: %s", again == MAP_FAILED ? strerror(errno) : "ok");
        if (again == MAP_FAILED)
            munmap(result, new);
    }
    printf("\n");
}

static void do_madvise(void)
{
    static const int advices[] = {0, 1, 2, 3, 4, 4, 4, 9, 10, 11, 14, 16, 17, 18, 19, 20, 21, MADV_POPULATE_READ,
                                  MADV_POPULATE_WRITE, MADV_DONTNEED_LOCKED, 77};
    char *at = page();
    size_t length = size();
    int advice = advices[pick(21)];

    // Advice for all that is above the region would reach the stack, and areas that only one kernel has.
    if (length == (size_t)1 << 47 || length == (size_t)1 << 63)
        length = PAGE;
    int result = madvise(at, length, advice);

    printf("madvise %ld %zx %d: %s\n", where(at), length, advice, error(result));
}

static void touch(void)
{
    char *at = page() + pick(PAGE);
    int write = pick(2);

    signal_code = 0;
    if (sigsetjmp(back, 1) == 0) {
        if (write)
            *(volatile char *)at = (char)pick(256);
        else
            (void)*(volatile char *)at;
    }
    printf("touch %ld %d: %d\n", where(at), write, signal_code);
}

static void do_mincore(void)
{
    unsigned char vector[16] = {0};
    char *at = page();
    size_t length = (size_t)(1 + pick(8)) * PAGE - pick(3);

    // Which pages are in core is not asked: the machine has its own view of readahead.
    printf("mincore %ld %zx: %s\n", where(at), length, error(mincore(at, length, vector)));
}

static void copies(void)
{
    char *at = page() + pick(PAGE);
    size_t length = 1 + pick(3 * PAGE);
    long result = pread(copy, at, length, pick(PAGE));

    printf("pread %ld %zx: %ld %s\n", where(at), length, result, error(result));
    at = page() + pick(PAGE);
    // Not to `file`, which may be what the buffer shows: each system has its own order then.
    result = pwrite(copy, at, length, pick(PAGE));
    printf("pwrite %ld %zx: %ld %s\n", where(at), length, result, error(result));
}

static void show(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], previous[5] = "";
    unsigned long start, end, offset, inode, last = 0, last_offset = 0, pages = 0;
    static char buffer[PAGE];

    while (fgets(line, sizeof line, maps)) {
        char perms[5];

        sscanf(line, "%lx-%lx %4s %lx %*x:%*x %lu", &start, &end, perms, &offset, &inode);
        if (start < (unsigned long)BASE || start >= (unsigned long)BASE + 2ul * PAGES * PAGE)
            continue;
        if (start == last && !strcmp(perms, previous) && offset == last_offset) {
            pages += (end - start) / PAGE;
        } else {
            // Neighbours that only differ in where the kernel cut them count as one.
            printf(" %lx\n %lx %s %lx", pages, (start - (unsigned long)BASE) / PAGE, perms, offset);
            pages = (end - start) / PAGE;
        }
        last = end;
        last_offset = inode ? offset + (end - start) : 0;
        strcpy(previous, perms);
    }
    fclose(maps);
    printf(" %lx\n", pages);
    for (int i = 0; i < PAGES; i++) {
        unsigned sum = 0;

        signal_code = 0;
        if (sigsetjmp(back, 1) == 0) {
            memcpy(buffer, BASE + (size_t)i * PAGE, PAGE);
            for (int j = 0; j < PAGE; j++)
                sum = sum * 31 + (unsigned char)buffer[j];
            printf(" %x", sum);
        } else {
            printf(" !%d", signal_code);
        }
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    int count = argc > 2 ? atoi(argv[2]) : 1000;
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    static char text[PAGE * 8];

    state = argc > 1 ? strtoull(argv[1], NULL, 10) * 0x9E3779B97F4A7C15 + 1 : 1;
    setvbuf(stdout, malloc(1 << 16), _IOFBF, 1 << 16);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    copy = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (char)pick(256);
    for (int i = 0; i < 3; i++)
        write(file, text, sizeof text);
    write(copy, text, sizeof text);
    for (int i = 0; i < count; i++) {
        char *at = page();
        size_t length = size();
        int protection = prot();

        switch (pick(16)) {
        case 0: case 1: case 2:
            do_mmap();
            break;
        case 3:
            printf("munmap %ld %zx: %s\n", where(at), length, error(munmap(at, length)));
            break;
        case 4: case 5:
            printf("mprotect %ld %zx %d: %s\n", where(at), length, protection, error(mprotect(at, length, protection)));
            break;
        case 6: case 7:
            do_mremap();
            break;
        case 8:
            do_madvise();
            break;
        case 9:
            do_mincore();
            break;
        case 10:
            copies();
            break;
        case 11:
            if (pick(4))
                break;
            printf("truncate: %s\n", error(ftruncate(file, (off_t)pick(FILE_PAGES * PAGE))));
            break;
        case 12:
            if (pick(3) == 0)
                printf("mlock %ld %zx: %s\n", where(at), length, error(mlock(at, length)));
            else
                printf("munlock %ld %zx: %s\n", where(at), length, error(munlock(at, length)));
            break;
        case 13:
            printf("msync %ld %zx: %s\n", where(at), length, error(msync(at, length, pick(8))));
            break;
        default:
            touch();
            break;
        }
        if (i % 50 == 49)
            show();
    }
    show();
    return 0;
}
