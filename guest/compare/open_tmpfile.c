/* O_TMPFILE: a file without a name, that linkat may give one, unless O_EXCL forbids it. */
#include "show.h"

int main(void)
{
    struct stat st;
    char path[64], text[16];
    umask(022);
    must("mkdir", mkdir("dir", 0777));
    int fd = must("O_TMPFILE", open("dir", O_TMPFILE | O_RDWR, 0666));
    show("write", write(fd, "nameless", 8));
    show("fstat", fstat(fd, &st));
    printf("mode %o links %ld size %lld\n", st.st_mode, (long)st.st_nlink, (long long)st.st_size);
    show("pread", pread(fd, text, sizeof text, 4));
    show("the directory is empty", rmdir("dir"));
    must("mkdir", mkdir("dir", 0777) == -1 && errno != EEXIST ? -1 : 0);

    fd = must("O_TMPFILE", open(".", O_TMPFILE | O_WRONLY, 0640));
    show("write", write(fd, "kept", 4));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    show("linkat", linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    show_file("named", "named");
    fstat(fd, &st);
    printf("mode %o links %ld\n", st.st_mode, (long)st.st_nlink);
    show("linkat again", linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));

    fd = must("O_TMPFILE|O_EXCL", open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    show("linkat of O_EXCL", linkat(AT_FDCWD, path, AT_FDCWD, "other", AT_SYMLINK_FOLLOW));

    put_file("deleted", "x");
    fd = must("open", open("deleted", O_RDONLY));
    must("unlink", unlink("deleted"));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    show("linkat of an unlinked file", linkat(AT_FDCWD, path, AT_FDCWD, "back", AT_SYMLINK_FOLLOW));
}
