/* A position-independent static program: relocations done, pointers in data right, code where it says. */
// build: -static-pie -fPIE
// libc: glibc
#include "show.h"
#include <elf.h>
#include <sys/auxv.h>

static int one(void)
{
    return 1;
}

static int two(void)
{
    return 2;
}

static const char *const words[] = {"relocated", "pointers", "to text"};
static int (*const functions[])(void) = {one, two};
static int value = 5;
static int *const pointer = &value;
extern const Elf64_Ehdr __ehdr_start;

int main(void)
{
    for (size_t i = 0; i < COUNT(words); i++)
        puts(words[i]);
    printf("%d %d %d\n", functions[0](), functions[1](), *pointer);
    check("loaded above 4 GiB", (uintptr_t)&__ehdr_start > 1UL << 32);
    check("on a page", (uintptr_t)&__ehdr_start % PAGE == 0);
    check("type ET_DYN", __ehdr_start.e_type == ET_DYN);
    check("AT_PHDR is in it", getauxval(AT_PHDR) == (uintptr_t)&__ehdr_start + __ehdr_start.e_phoff);
    check("AT_ENTRY is in it", getauxval(AT_ENTRY) == (uintptr_t)&__ehdr_start + __ehdr_start.e_entry);
    show("AT_BASE", getauxval(AT_BASE));
    int interpreter = 0;
    const Elf64_Phdr *header = (const Elf64_Phdr *)getauxval(AT_PHDR);
    for (int i = 0; i < __ehdr_start.e_phnum; i++)
        interpreter |= header[i].p_type == PT_INTERP;
    show("interpreter", interpreter);
}
