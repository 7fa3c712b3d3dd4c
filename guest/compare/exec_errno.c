/* Every error of execve(2) that a plain file, path or argument list can cause. */
#include "show.h"
#include <elf.h>

static char *const none[] = {"x", NULL};

static void attempt(const char *what, const char *path)
{
    show(what, execve(path, none, none + 1));
}

static void binary(const char *name, const Elf64_Ehdr *header, size_t size)
{
    int fd = must(name, open(name, O_WRONLY | O_CREAT | O_TRUNC, 0700));
    must(name, write(fd, header, size));
    close(fd);
    attempt(name, name);
}

int main(void)
{
    put_file("plain", "#!/proc/self/exe\n");
    must("mkdir", mkdir("dir", 0777));
    must("symlink", symlink("loop", "loop"));
    must("symlink", symlink("absent", "dangling"));
    attempt("not executable", "plain");
    attempt("missing", "absent");
    attempt("dangling", "dangling");
    attempt("loop", "loop");
    attempt("directory", "dir");
    attempt("below a file", "plain/x");
    attempt("empty", "");
    attempt("null", NULL);
    attempt("device", "/dev/null");
    char long_name[300];
    memset(long_name, 'n', 299);
    long_name[299] = 0;
    attempt("name too long", long_name);
    must("chmod", chmod("plain", 0755));
    int writer = must("open", open("plain", O_WRONLY));
    attempt("open for writing", "plain");
    close(writer);
    show("bad argument array", execve("plain", (char **)8, NULL));
    show("bad argument", execve("plain", (char *[]){"a", (char *)8, NULL}, NULL));
    show("bad environment", execve("plain", none, (char **)8));

    /* One string may have 32 pages; all together a quarter of the stack's limit. */
    char *large = malloc(1 << 20);
    memset(large, 'a', 1 << 20);
    large[32 * PAGE] = 0;
    show("one argument too long", execve("plain", (char *[]){large, NULL}, NULL));
    show("one variable too long", execve("plain", none, (char *[]){large, NULL}));
    large[32 * PAGE - 1] = 0;
    char *many[101];
    for (int i = 0; i < 100; i++)
        many[i] = large;
    many[100] = NULL;
    show("too much in all", execve("plain", many, NULL));

    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = 1,
                         .e_phoff = sizeof header, .e_ehsize = sizeof header,
                         .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1};
    binary("only four bytes", &header, 4);
    binary("header without its program headers", &header, sizeof header);
    Elf64_Ehdr changed = header;
    changed.e_type = ET_REL;
    binary("relocatable", &changed, sizeof changed);
    changed = header;
    changed.e_machine = EM_AARCH64;
    binary("another machine", &changed, sizeof changed);
    changed = header;
    changed.e_phentsize = 1;
    binary("header entries of another size", &changed, sizeof changed);
    changed = header;
    changed.e_phnum = 0;
    binary("no program headers", &changed, sizeof changed);

    drop_root();
    put_file("mine", "#!/proc/self/exe\n");
    must("chmod", chmod("mine", 0677));
    attempt("others may execute it, the owner not", "mine");
    must("chmod", chmod("mine", 0000));
    attempt("no permission at all", "mine");
    must("mkdir", mkdir("shut", 0700));
    put_file("shut/x", "#!/proc/self/exe\n");
    must("chmod", chmod("shut/x", 0755));
    must("chmod", chmod("shut", 0600));
    attempt("in a directory that can't be searched", "shut/x");
    puts("still here");
}
