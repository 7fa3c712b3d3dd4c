/* Every error of mremap(2). */
#include "show.h"

static void attempt(const char *what, void *from, size_t old, size_t new, int flags, void *to)
{
    ok(what, syscall(SYS_mremap, from, old, new, flags, to) == -1 ? -1 : 0);
}

int main(void)
{
    char *map = pages(16), *other = pages(16);
    must("munmap", munmap(map + 8 * PAGE, PAGE));
    must("munmap", munmap(other + 4 * PAGE, PAGE));
    attempt("unaligned", map + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0);
    attempt("new size 0", map, PAGE, 0, MREMAP_MAYMOVE, 0);
    attempt("unknown flag", map, PAGE, PAGE, 0x10, 0);
    attempt("FIXED without MAYMOVE", map, PAGE, PAGE, MREMAP_FIXED, other);
    attempt("FIXED unaligned", map, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other + 1);
    attempt("FIXED over itself", map, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, map + PAGE);
    attempt("FIXED to the same place", map, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, map);
    attempt("FIXED to the kernel", map, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)(1UL << 63));
    attempt("unmapped", map + 8 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0);
    attempt("over a gap, grow", map, 16 * PAGE, 17 * PAGE, MREMAP_MAYMOVE, 0);
    attempt("more than is mapped", other + 3 * PAGE, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, 0);
    attempt("over a gap, shrink", map, 16 * PAGE, 2 * PAGE, 0, 0);
    attempt("too large", map, PAGE, 1UL << 47, MREMAP_MAYMOVE, 0);
    attempt("wraps", map, PAGE, -PAGE, MREMAP_MAYMOVE, 0);
    attempt("old size 0, private", map, 0, PAGE, MREMAP_MAYMOVE, 0);
    attempt("old size 0, without MAYMOVE", map, 0, PAGE, 0, 0);
    attempt("null", NULL, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0);
    attempt("sound", map, PAGE, 3 * PAGE, MREMAP_MAYMOVE, 0);
}
