/* Permission bits hold for who is not root: open, create, search, unlink and chmod of another's file. */
#include "show.h"

static void attempt(const char *path, int flags)
{
    char what[64];
    snprintf(what, sizeof what, "%s %s", path,
             flags == O_RDONLY ? "r" : flags == O_WRONLY ? "w" : flags == O_RDWR ? "rw" : "create");
    int fd = open(path, flags, 0600);
    ok(what, fd);
    if (fd >= 0)
        close(fd);
}

int main(void)
{
    drop_root();
    must("mkdir", mkdir("readonly", 0777));
    must("mkdir", mkdir("unreadable", 0777));
    must("mkdir", mkdir("unsearchable", 0777));
    for (int mode = 0; mode < 8; mode++) {
        char name[8];
        snprintf(name, sizeof name, "mode%d", mode);
        put_file(name, "x");
        must("chmod", chmod(name, mode << 6 | 077));
        attempt(name, O_RDONLY);
        attempt(name, O_WRONLY);
        attempt(name, O_RDWR);
    }
    put_file("unsearchable/file", "x");
    put_file("unreadable/file", "x");
    put_file("readonly/file", "x");
    must("chmod", chmod("readonly", 0555));
    must("chmod", chmod("unreadable", 0333));
    must("chmod", chmod("unsearchable", 0666));

    attempt("readonly/file", O_RDWR);
    attempt("readonly/new", O_WRONLY | O_CREAT);
    ok("unlink readonly/file", unlink("readonly/file"));
    ok("mkdir readonly/dir", mkdir("readonly/dir", 0777));
    ok("rename readonly/file", rename("readonly/file", "elsewhere"));
    ok("link into readonly", link("mode7", "readonly/link"));
    ok("symlink into readonly", symlink("mode7", "readonly/symlink"));
    attempt("unreadable", O_RDONLY);
    attempt("unreadable/file", O_RDONLY);
    attempt("unsearchable", O_RDONLY);
    attempt("unsearchable/file", O_RDONLY);
    attempt("unsearchable/missing", O_RDONLY);
    struct stat st;
    ok("stat unsearchable/file", stat("unsearchable/file", &st));
    ok("chdir unsearchable", chdir("unsearchable"));
    ok("truncate mode4", truncate("mode4", 0));
    ok("truncate mode2", truncate("mode2", 0));
    ok("stat mode0", stat("mode0", &st));
    ok("chmod /", chmod("/", 0777));
    ok("chown away", chown("mode7", 0, -1));
    chmod("readonly", 0777);
    chmod("unreadable", 0777);
    chmod("unsearchable", 0777);
}
