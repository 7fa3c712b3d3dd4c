/* chmod, fchmod, fchmodat: bits kept and cleared, on files and directories; errors. */
#include "show.h"

static void mode(const char *path)
{
    struct stat st;
    must(path, lstat(path, &st));
    printf("%s is %o\n", path, st.st_mode);
}

int main(void)
{
    umask(022);
    put_file("file", "x");
    must("mkdir", mkdir("dir", 0777));
    must("symlink", symlink("file", "link"));
    int fd = must("open", open("file", O_RDONLY));
    mode_t modes[] = {0, 0644, 0777, 04711, 02770, 01777, 07777, 0170000 | 0600, 0xffff0000 | 0640};
    for (size_t i = 0; i < COUNT(modes); i++) {
        show("chmod", chmod("file", modes[i]));
        mode("file");
    }
    show("fchmod", fchmod(fd, 0604));
    mode("file");
    show("chmod of a directory", chmod("dir", 01755));
    mode("dir");
    show("through a link", chmod("link", 0611));
    mode("file");
    mode("link");
    show("fchmodat", fchmodat(AT_FDCWD, "dir", 0711, 0));
    mode("dir");
    show("missing", chmod("absent", 0600));
    show("below a file", chmod("file/x", 0600));
    show("with a slash", chmod("file/", 0600));
    show("empty", chmod("", 0600));
    show("null", chmod(NULL, 0600));
    show("fchmod bad", syscall(SYS_fchmod, 99, 0600));
    show("fchmodat bad", fchmodat(99, "x", 0600, 0));

    must("chmod", chmod("file", 06777));
    int w = must("open", open("file", O_WRONLY));
    drop_root();
    show("a write takes the setuid bit away", write(w, "y", 1));
    mode("file");
    put_file("mine", "x");
    show("one's own", chmod("mine", 0400));
    mode("mine");
    show("another's", chmod("/dev/null", 0666));
    show("setgid on one's own", chmod("mine", 02755));
    mode("mine");
}
