/* opendir and readdir: all names with their types, whatever the order; changes in between. */
#include "show.h"
#include <dirent.h>

static char *names[600];
static size_t count;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(const char *path, int print)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    if (dir == NULL) {
        show(path, -1);
        return;
    }
    count = 0;
    while ((entry = readdir(dir)) != NULL) {
        char text[300];
        snprintf(text, sizeof text, "%s %d %d", entry->d_name, entry->d_type, entry->d_ino != 0);
        names[count++] = strdup(text);
    }
    closedir(dir);
    qsort(names, count, sizeof *names, by_name);
    printf("%s: %zu entries\n", path, count);
    for (size_t i = 0; print && i < count; i++)
        printf("  %s\n", names[i]);
}

int main(void)
{
    must("mkdir", mkdir("dir", 0777));
    list("dir", 1);
    put_file("dir/file", "x");
    must("mkdir", mkdir("dir/sub", 0777));
    must("symlink", symlink("file", "dir/link"));
    must("symlink", symlink("absent", "dir/dangling"));
    put_file("dir/.hidden", "x");
    put_file("dir/with space", "x");
    put_file("dir/\xc3\xa9t\xc3\xa9", "x");
    put_file("dir/bad\xff\xfe", "x");
    list("dir", 1);
    list("dir/sub", 1);
    list("dir/file", 1);
    list("absent", 1);

    must("mkdir", mkdir("many", 0777));
    for (int i = 0; i < 500; i++) {
        char path[300];
        snprintf(path, sizeof path, "many/%d-%.*s", i, i % 200,
                 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
                 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
        put_file(path, "");
    }
    list("many", 0);
    printf("first %.20s, last %.20s\n", names[0], names[count - 1]);

    DIR *dir = opendir("many");
    struct dirent *entry;
    int seen = 0, removed = 0;
    while ((entry = readdir(dir)) != NULL) {
        seen++;
        if (entry->d_name[0] != '.')
            removed += unlinkat(dirfd(dir), entry->d_name, 0) == 0;
    }
    printf("removed while reading: seen %d removed %d\n", seen, removed);
    list("many", 1);
    put_file("many/after", "x");
    rewinddir(dir);
    for (seen = 0; readdir(dir) != NULL; seen++)
        ;
    printf("rewound: %d\n", seen);
    closedir(dir);
}
