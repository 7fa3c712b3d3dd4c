/* Path resolution: dots, slashes, links in the middle and at the end, 40 links, 4095 bytes. */
#include "show.h"

static void where(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        printf("%.40s: %s\n", path, errno_name(errno));
    else
        printf("%.40s: %s %lld\n", path, S_ISDIR(st.st_mode) ? "directory" : "file",
               S_ISDIR(st.st_mode) ? 0 : (long long)st.st_size);
}

int main(void)
{
    static char path[8192];
    must("mkdir", mkdir("a", 0777));
    must("mkdir", mkdir("a/b", 0777));
    must("mkdir", mkdir("a/b/c", 0777));
    put_file("a/b/c/leaf", "12345");
    put_file("top", "1");
    must("symlink", symlink("b/c", "a/into"));
    must("symlink", symlink("../../top", "a/b/up"));
    must("symlink", symlink("..", "a/parent"));
    must("symlink", symlink("./b/./c/../c//", "a/winding"));
    must("symlink", symlink("top/", "a/filedir"));
    must("symlink", symlink("../top", "a/file"));

    const char *paths[] = {
        "a/b/c/leaf", "./a/./b/.//c///leaf", "a/b/c/../../b/c/leaf", "a/into/leaf", "a/into/../c/leaf",
        "a/into/..", "a/b/up", "a/parent/top", "a/parent/a/parent/a/into/leaf", "a/winding/leaf",
        "a/winding", "a/b/c/leaf/", "a/b/c/leaf/.", "a/b/c/leaf/..", "a/b/c/leaf/../leaf", "a/b/",
        "a/b/.", "a/file", "a/file/", "a/file/.", "a/filedir", "a/absent/..", "a/b/absent", "", "/", "//",
        "/..", "/../..", "/./.", ".", "./", "..a", "...", "a/b/c/LEAF", " a", "/proc/self/cwd/top",
        "/proc/self/root/proc/../..", "/dev/./null/",
    };
    for (size_t i = 0; i < COUNT(paths); i++)
        where(paths[i]);

    must("symlink", symlink("top", "chain0"));
    for (int i = 1; i <= 41; i++) {
        char from[16], to[16];
        snprintf(from, sizeof from, "chain%d", i);
        snprintf(to, sizeof to, "chain%d", i - 1);
        must("symlink", symlink(to, from));
    }
    where("chain38");
    where("chain39");
    where("chain40");
    where("chain41");
    must("symlink", symlink(".", "here"));
    for (int i = 0; i < 40; i++)
        strcat(path, "here/");
    strcat(path, "top");
    where(path);
    where(path + 5);
    where(path + 10);
    must("symlink", symlink("self", "self"));
    where("self");
    where("self/x");

    memset(path, '/', 4095);
    memcpy(path, "a/b", 3);
    strcpy(path + 4095 - 6, "c/leaf");
    printf("%zu bytes ", strlen(path));
    where(path);
    memmove(path + 4, path + 3, 4096);
    path[3] = '/';
    printf("%zu bytes ", strlen(path));
    where(path);
}
