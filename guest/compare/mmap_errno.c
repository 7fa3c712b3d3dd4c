/* Every error of mmap(2) and munmap(2), and the order in which they are looked for. */
#include "show.h"

static void attempt(const char *what, void *at, size_t length, int prot, int flags, int fd, long offset)
{
    ok(what, syscall(SYS_mmap, at, length, prot, flags, fd, offset) == -1 ? -1 : 0);
}

int main(void)
{
    enum { RW = PROT_READ | PROT_WRITE, ANON = MAP_PRIVATE | MAP_ANONYMOUS };
    put_file("file", "0123456789");
    int rdwr = must("open", open("file", O_RDWR));
    int rdonly = must("open", open("file", O_RDONLY));
    int wronly = must("open", open("file", O_WRONLY));
    int dir = must("open", open(".", O_RDONLY));
    int path = must("open", open("file", O_PATH));

    attempt("anonymous", NULL, PAGE, RW, ANON, -1, 0);
    attempt("length 0", NULL, 0, RW, ANON, -1, 0);
    attempt("length 1", NULL, 1, RW, ANON, -1, 0);
    attempt("no sharing type", NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0);
    attempt("sharing type 3, anonymous", NULL, PAGE, RW, MAP_ANONYMOUS | 3, -1, 0);
    attempt("sharing type 5", NULL, PAGE, RW, MAP_ANONYMOUS | 5, -1, 0);
    attempt("anonymous, descriptor not looked at", NULL, PAGE, RW, ANON, 99, 0);
    attempt("anonymous, offset", NULL, PAGE, RW, ANON, -1, PAGE);
    attempt("anonymous, unaligned offset", NULL, PAGE, RW, ANON, -1, 1);
    attempt("unaligned hint", (void *)0x10000001, PAGE, RW, ANON, -1, 0);
    attempt("unaligned fixed", (void *)0x10000001, PAGE, RW, ANON | MAP_FIXED, -1, 0);
    attempt("larger than the address space", NULL, 1UL << 47, RW, ANON, -1, 0);
    attempt("length that wraps", NULL, -1UL, RW, ANON, -1, 0);
    attempt("length that wraps to 0", NULL, -PAGE + 1UL, RW, ANON, -1, 0);
    attempt("fixed in the kernel's half", (void *)0xffff800000000000, PAGE, RW, ANON | MAP_FIXED, -1, 0);
    attempt("fixed at the end of user space", (void *)0x7ffffffff000, PAGE, RW, ANON | MAP_FIXED, -1, 0);
    attempt("fixed across the end", (void *)0x7fffffffe000, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
    attempt("hint in the kernel's half", (void *)0xffff800000000000, PAGE, RW, ANON, -1, 0);
    attempt("unknown prot bits", NULL, PAGE, RW | 0x40, ANON, -1, 0);
    attempt("unknown flag bits", NULL, PAGE, RW, ANON | 0x200000, -1, 0);
    attempt("PROT_NONE", NULL, PAGE, PROT_NONE, ANON, -1, 0);
    attempt("MAP_NORESERVE", NULL, 1L << 36, RW, ANON | MAP_NORESERVE, -1, 0);

    attempt("file", NULL, PAGE, RW, MAP_SHARED, rdwr, 0);
    attempt("bad descriptor", NULL, PAGE, RW, MAP_PRIVATE, 99, 0);
    attempt("bad descriptor, length 0", NULL, 0, RW, MAP_PRIVATE, 99, 0);
    attempt("file, length 0", NULL, 0, RW, MAP_PRIVATE, rdwr, 0);
    attempt("directory", NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0);
    attempt("O_PATH", NULL, PAGE, PROT_READ, MAP_PRIVATE, path, 0);
    attempt("write-only, shared", NULL, PAGE, PROT_WRITE, MAP_SHARED, wronly, 0);
    attempt("write-only, private", NULL, PAGE, PROT_READ, MAP_PRIVATE, wronly, 0);
    attempt("read-only, shared, writable", NULL, PAGE, RW, MAP_SHARED, rdonly, 0);
    attempt("read-only, shared, readable", NULL, PAGE, PROT_READ, MAP_SHARED, rdonly, 0);
    attempt("read-only, private, writable", NULL, PAGE, RW, MAP_PRIVATE, rdonly, 0);
    attempt("unaligned offset", NULL, PAGE, PROT_READ, MAP_PRIVATE, rdonly, 100);
    attempt("unaligned offset, bad descriptor", NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 100);
    attempt("offset past the end", NULL, PAGE, PROT_READ, MAP_PRIVATE, rdonly, 100 * PAGE);
    attempt("negative offset", NULL, PAGE, PROT_READ, MAP_PRIVATE, rdonly, -PAGE);
    attempt("offset that overflows", NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, rdonly, INT64_MAX & -PAGE);
    attempt("no sharing type, file", NULL, PAGE, PROT_READ, 0, rdonly, 0);
    attempt("SHARED_VALIDATE", NULL, PAGE, PROT_READ, 3, rdonly, 0);
    attempt("SHARED_VALIDATE, unknown flag", NULL, PAGE, PROT_READ, 3 | 0x200000, rdonly, 0);

    char *base = pages(4);
    attempt("FIXED_NOREPLACE over a map", base, PAGE, RW, ANON | 0x100000, -1, 0);
    must("munmap", munmap(base + PAGE, PAGE));
    attempt("FIXED_NOREPLACE in a gap", base + PAGE, PAGE, RW, ANON | 0x100000, -1, 0);
    show("munmap unaligned", munmap(base + 1, PAGE));
    show("munmap length 0", munmap(base, 0));
    show("munmap wraps", munmap(base, -1UL));
    show("munmap kernel", munmap((void *)0xffff800000000000, PAGE));
    show("munmap nothing", munmap((void *)0x10000000, PAGE));
    show("munmap with gaps", munmap(base, 4 * PAGE));
    show("munmap part of a page", munmap(pages(2), 1));
}
