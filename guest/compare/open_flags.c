/* What the flags of open(2) do to a file: O_CREAT, O_EXCL, O_TRUNC, O_APPEND, and the modes it makes. */
#include "show.h"

static void show_mode(const char *path)
{
    struct stat st;
    must(path, stat(path, &st));
    printf("%s: mode %o size %lld\n", path, st.st_mode, (long long)st.st_size);
}

int main(void)
{
    umask(022);
    int fd = must("create", open("a", O_RDWR | O_CREAT | O_EXCL, 0777));
    show("write", write(fd, "hello", 5));
    show_mode("a");
    close(fd);

    fd = must("create again", open("a", O_RDWR | O_CREAT, 0));
    show_file("kept without O_TRUNC", "a");
    show("read and write", pwrite(fd, "J", 1, 0));
    close(fd);
    show_file("after pwrite", "a");

    fd = must("O_APPEND", open("a", O_WRONLY | O_APPEND));
    show("position at first", lseek(fd, 0, SEEK_CUR));
    show("append", write(fd, " one", 4));
    show("position after", lseek(fd, 0, SEEK_CUR));
    lseek(fd, 0, SEEK_SET);
    show("append after lseek", write(fd, " two", 4));
    show("pwrite on O_APPEND", pwrite(fd, "!", 1, 0));
    close(fd);
    show_file("appended", "a");

    fd = must("O_TRUNC", open("a", O_WRONLY | O_TRUNC));
    close(fd);
    show_mode("a");

    put_file("b", "text");
    fd = must("O_RDONLY|O_TRUNC", open("b", O_RDONLY | O_TRUNC));
    show("truncated though read-only", lseek(fd, 0, SEEK_END));
    close(fd);

    umask(0);
    mode_t modes[] = {0, 0400, 0644, 0666, 0777, 04755, 02755, 01777, 07777};
    for (size_t i = 0; i < COUNT(modes); i++) {
        char name[16];
        snprintf(name, sizeof name, "mode-%o", modes[i]);
        fd = must(name, open(name, O_RDWR | O_CREAT | O_EXCL, modes[i]));
        ok("written although the mode may forbid it", write(fd, "x", 1));
        close(fd);
    }
    umask(077);
    close(must("masked", open("masked", O_RDWR | O_CREAT, 0666)));
    show_mode("masked");
    must("symlink", symlink("made-by-link", "link"));
    close(must("through a dangling link", open("link", O_RDWR | O_CREAT, 0644)));
    show_mode("made-by-link");
    fd = must("creat", creat("created", 0600));
    char byte;
    show("creat can't read", read(fd, &byte, 1));
    close(fd);
    fd = open("b", 3);
    ok("access mode 3 opens", fd);
    show("and reads", read(fd, &byte, 1));
    show("and writes", write(fd, "x", 1));
}
