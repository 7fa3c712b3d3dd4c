/*
 * directory.c - a directory with very many names: made, counted, looked up and removed again.
 *
 *     directory COUNT
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : 1000, found = 0, sum = 0;
    char name[32];
    if (mkdir("many", 0700) || chdir("many"))
        return 2;
    for (long i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%ld", i);
        /* A link costs less than a file, and is as much of a name. */
        if (i ? link("0", name) : mknod(name, S_IFREG | 0600, 0)) {
            printf("at %ld: %s\n", i, strerror(errno));
            return 1;
        }
    }
    DIR *directory = opendir(".");
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.')
            found++, sum += atol(entry->d_name);
    closedir(directory);
    printf("found %ld, all different: %d\n", found, sum == count * (count - 1) / 2);
    struct stat st;
    stat("0", &st);
    printf("links: %ld\n", (long)st.st_nlink);
    /* Removed while it is read, as rm -r does. */
    directory = opendir(".");
    found = 0;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && !unlink(entry->d_name))
            found++;
    closedir(directory);
    printf("removed %ld, rmdir: %d\n", found, chdir("..") || rmdir("many"));
    return 0;
}
