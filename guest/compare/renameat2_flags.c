/* renameat2(2): RENAME_NOREPLACE and RENAME_EXCHANGE, with files, directories and links. */
#include "show.h"

enum { NOREPLACE = 1, EXCHANGE = 2, WHITEOUT = 4 };

static void attempt(const char *from, const char *to, unsigned flags)
{
    char what[80];
    snprintf(what, sizeof what, "%s -> %s%s%s", from, to, flags & NOREPLACE ? " NOREPLACE" : "",
             flags & EXCHANGE ? " EXCHANGE" : "");
    show(what, syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags));
}

static void type(const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        show(path, -1);
    else
        printf("%s: %s\n", path, S_ISDIR(st.st_mode) ? "directory" : S_ISLNK(st.st_mode) ? "link" : "file");
}

int main(void)
{
    put_file("a", "text of a");
    put_file("b", "text of b");
    must("mkdir", mkdir("dir", 0777));
    must("mkdir", mkdir("full", 0777));
    put_file("full/x", "x");
    must("symlink", symlink("a", "soft"));
    must("symlink", symlink("absent", "dangling"));

    attempt("a", "b", NOREPLACE);
    attempt("a", "dir", NOREPLACE);
    attempt("a", "dangling", NOREPLACE);
    attempt("a", "a", NOREPLACE);
    attempt("a", "c", NOREPLACE);
    attempt("absent", "b", NOREPLACE);
    attempt("c", "a", 0);
    attempt("a", "b", EXCHANGE);
    show_file("a", "a");
    show_file("b", "b");
    attempt("a", "absent", EXCHANGE);
    attempt("absent", "a", EXCHANGE);
    attempt("a", "full", EXCHANGE);
    type("a");
    type("full");
    show_file("a/x", "a/x");
    attempt("a", "full", EXCHANGE);
    attempt("dir", "full", EXCHANGE);
    type("dir/x");
    type("full/x");
    attempt("soft", "b", EXCHANGE);
    type("soft");
    type("b");
    attempt("dir", "dir/x", EXCHANGE);
    attempt("dir/x", "dir", EXCHANGE);
    attempt("dir", "dir/new", 0);
    attempt("b", "c", NOREPLACE | EXCHANGE);
    attempt("b", "c", EXCHANGE | WHITEOUT);
    attempt("b", "c", 0x80);
    attempt("b", "/proc/x", NOREPLACE);
    show("bad descriptors", syscall(SYS_renameat2, 98, "a", 99, "b", 0));
    show("null", syscall(SYS_renameat2, AT_FDCWD, NULL, AT_FDCWD, "b", 0));
}
