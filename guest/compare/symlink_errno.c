/* symlink(2) and readlink(2): targets of any text, lengths, truncation, refusals. */
#include "show.h"

static void target(const char *path, size_t size)
{
    char text[64];
    ssize_t length = readlink(path, text, size);
    if (length < 0)
        show(path, length);
    else
        show_bytes(path, text, length);
}

int main(void)
{
    struct stat st;
    static char long_text[4200];
    memset(long_text, 'a', sizeof long_text);
    put_file("file", "x");
    must("mkdir", mkdir("dir", 0777));

    show("to a file", symlink("file", "link"));
    show("to nothing", symlink("absent/thing", "dangling"));
    show("odd text", symlink("  //a\nb/../..", "odd"));
    show("empty target", symlink("", "empty"));
    show("empty name", symlink("file", ""));
    show("exists", symlink("file", "file"));
    show("exists as a link", symlink("x", "dangling"));
    show("exists as a directory", symlink("x", "dir"));
    show("name with a slash at its end", symlink("x", "new/"));
    show("dangling with a slash", symlink("x", "dangling/"));
    show("missing directory", symlink("x", "absent/new"));
    show("below a file", symlink("x", "file/new"));
    show("null target", symlink(NULL, "new"));
    show("null name", symlink("x", NULL));
    long_text[4096] = 0;
    show("target of 4096", symlink(long_text, "long"));
    long_text[4095] = 0;
    show("target of 4095", symlink(long_text, "long"));
    lstat("long", &st);
    show("its size", st.st_size);
    show("through it", open("long", O_RDONLY));
    long_text[255] = 0;
    show("target of 255", symlink(long_text, "long255"));

    target("link", 64);
    target("link", 2);
    target("link", 4);
    target("dangling", 64);
    target("odd", 64);
    target("file", 64);
    target("dir", 64);
    target("absent", 64);
    target("", 64);
    target("link/", 64);
    show("size 0", syscall(SYS_readlink, "link", long_text, 0));
    show("negative size", syscall(SYS_readlink, "link", long_text, -1));
    show("bad buffer", syscall(SYS_readlink, "link", 8, 10));
    show("no link, bad buffer", syscall(SYS_readlink, "file", 8, 10));
    lstat("link", &st);
    printf("link: mode %o size %lld\n", st.st_mode, (long long)st.st_size);
    show("chmod follows", chmod("link", 0600));
    show("chmod of the dangling", chmod("dangling", 0600));
    show("lchown of the dangling", lchown("dangling", -1, -1));
    show("chown of the dangling", chown("dangling", -1, -1));
    show("write through a dangling link into no directory", open("dangling", O_CREAT | O_WRONLY, 0600));
}
