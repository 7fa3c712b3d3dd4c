/* umask(2): what it returns and keeps, and to which calls it applies. */
#include "show.h"

static void made(const char *path)
{
    struct stat st;
    must(path, lstat(path, &st));
    printf("%s: %o\n", path, st.st_mode);
}

int main(void)
{
    umask(022);
    printf("was %o\n", umask(027));
    printf("was %o\n", umask(0));
    printf("was %o\n", umask(07777));
    printf("only permissions count: %o\n", umask(0xffffffff));
    printf("still: %o\n", umask(0137));
    must("mkdir", mkdir("dir", 0777));
    made("dir");
    close(must("open", open("file", O_RDWR | O_CREAT, 0777)));
    made("file");
    must("mknod", mknod("node", S_IFREG | 0666, 0));
    made("node");
    must("symlink", symlink("file", "link"));
    made("link");
    must("link", link("file", "hard"));
    made("hard");
    must("chmod", chmod("file", 0777));
    made("file");
    umask(0777);
    must("open", open("shut", O_RDWR | O_CREAT, 0666));
    made("shut");
    must("mkdir", mkdir("shutdir", 0777));
    made("shutdir");
    umask(0);
    must("openat", openat(AT_FDCWD, "open", O_RDWR | O_CREAT, 0666));
    made("open");
    must("chmod", chmod("shutdir", 0700));
}
