/* The auxiliary vector: what the kernel tells a program at its start, and how the stack is laid out. */
// args: one two
// env: A=1 B=2
#include "show.h"
#include <elf.h>
#include <sys/auxv.h>

extern char **environ;

int main(int argc, char **argv)
{
    Elf64_auxv_t *entry;
    char **at = environ;
    while (*at != NULL)
        at++;
    entry = (Elf64_auxv_t *)(at + 1);
    int count = 0, last = 0;
    for (; entry->a_type != AT_NULL; entry++)
        count++, last = entry->a_type;
    check("a dozen entries and an end", count >= 12 && last != 0);
    show("AT_PAGESZ", getauxval(AT_PAGESZ));
    show("AT_CLKTCK", getauxval(AT_CLKTCK));
    show("AT_PHENT", getauxval(AT_PHENT));
    show("AT_BASE", getauxval(AT_BASE));
    show("AT_FLAGS", getauxval(AT_FLAGS));
    show("AT_SECURE", getauxval(AT_SECURE));
    check("ids", getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid() &&
          getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
    show_bytes("AT_PLATFORM", (char *)getauxval(AT_PLATFORM), 7);
    check("AT_EXECFN is argv[0]", strcmp((char *)getauxval(AT_EXECFN), argv[0]) == 0);
    check("AT_HWCAP has FPU, TSC, CMOV, FXSR, SSE, SSE2", (getauxval(AT_HWCAP) & 0x7008011) == 0x7008011);
    check("AT_MINSIGSTKSZ", getauxval(51) >= 1024);
    check("AT_RANDOM", getauxval(AT_RANDOM) != 0);
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
    int set = 0;
    for (int i = 0; i < 16; i++)
        set |= random[i];
    check("is random", set != 0);
    const Elf64_Phdr *header = (const Elf64_Phdr *)getauxval(AT_PHDR);
    int loads = 0;
    for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
        loads += header[i].p_type == PT_LOAD;
    check("AT_PHDR has PT_LOADs", loads >= 2);
    check("AT_ENTRY is code", *(const unsigned char *)getauxval(AT_ENTRY) != 0);
    char *strings = argv[0];
    for (int i = 0; i < argc; i++) {
        check("arguments stand one after the other", argv[i] == strings);
        strings += strlen(strings) + 1;
    }
    for (int i = 0; environ[i] != NULL; i++) {
        check("then the environment", environ[i] == strings);
        strings += strlen(strings) + 1;
    }
    check("then the file name", (char *)getauxval(AT_EXECFN) == strings);
    check("argv ends with null, environ follows", argv[argc] == NULL && environ == argv + argc + 1);
    check("argc stands before argv", *((long *)argv - 1) == argc);
    check("aligned to 16", ((uintptr_t)argv - 8) % 16 == 0);
    int fd = open("/proc/self/auxv", O_RDONLY);
    Elf64_auxv_t copy[64];
    ssize_t size = read(fd, copy, sizeof copy);
    check("/proc/self/auxv is the same", size == (count + 1) * 16 &&
          memcmp(copy, entry - count, size) == 0);
}
