/* Does to the file tree what its arguments say, one line of output for each:
 *
 *   read PATH          what the file has, or the error's number
 *   write PATH TEXT    replaces what it has
 *   add PATH TEXT      appends
 *   link OLD NEW, symlink TEXT NEW, rename OLD NEW, mkdir PATH, unlink PATH, rmdir PATH
 *   chdir PATH, chroot PATH, fchdir FD, chmod PATH MODE
 *   opendir PATH       opens it as the next descriptor, the first is 3
 *   at FD PATH         reads PATH relative to the descriptor
 *   how FD PATH FLAGS  reads it by openat2 with these RESOLVE_ flags
 *   stat PATH          type, permissions and size
 *   list PATH          the names in it, sorted
 *   wait               until a line comes on standard input
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void done(int result)
{
    printf("%s\n", result < 0 ? strerrorname_np(errno) : "ok");
}

static void show(int fd)
{
    char text[4096];
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text);

    if (size < 0)
        done(-1);
    else
        printf("[%.*s]\n", (int)size, text);
    if (fd >= 0)
        close(fd);
}

static void put(const char *path, int flags, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);

    done(fd < 0 ? fd : (int)write(fd, text, strlen(text)));
    if (fd >= 0)
        close(fd);
}

static void how(int fd, const char *path, unsigned long long resolve)
{
    unsigned long long request[3] = { O_RDONLY, 0, resolve };

    show((int)syscall(437, fd, path, request, sizeof request));
}

static int visible(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
}

static void list(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, visible, alphasort);

    if (count < 0) {
        done(-1);
        return;
    }
    for (int i = 0; i < count; i++)
        printf("%s%s", i ? " " : "", entries[i]->d_name);
    printf("\n");
}

int main(int argc, char **argv)
{
    char line[64];
    struct stat st;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i++) {
        const char *verb = argv[i];
        const char *a = i + 1 < argc ? argv[i + 1] : "";
        const char *b = i + 2 < argc ? argv[i + 2] : "";

        if (!strcmp(verb, "read")) {
            show(open(a, O_RDONLY));
            i++;
        } else if (!strcmp(verb, "write")) {
            put(a, O_TRUNC, b);
            i += 2;
        } else if (!strcmp(verb, "add")) {
            put(a, O_APPEND, b);
            i += 2;
        } else if (!strcmp(verb, "link")) {
            done(link(a, b));
            i += 2;
        } else if (!strcmp(verb, "symlink")) {
            done(symlink(a, b));
            i += 2;
        } else if (!strcmp(verb, "rename")) {
            done(rename(a, b));
            i += 2;
        } else if (!strcmp(verb, "mkdir")) {
            done(mkdir(a, 0755));
            i++;
        } else if (!strcmp(verb, "unlink")) {
            done(unlink(a));
            i++;
        } else if (!strcmp(verb, "rmdir")) {
            done(rmdir(a));
            i++;
        } else if (!strcmp(verb, "chdir")) {
            done(chdir(a));
            i++;
        } else if (!strcmp(verb, "chroot")) {
            done(chroot(a));
            i++;
        } else if (!strcmp(verb, "fchdir")) {
            done(fchdir(atoi(a)));
            i++;
        } else if (!strcmp(verb, "chmod")) {
            done(chmod(a, strtol(b, NULL, 8)));
            i += 2;
        } else if (!strcmp(verb, "opendir")) {
            printf("%d\n", open(a, O_RDONLY | O_DIRECTORY));
            i++;
        } else if (!strcmp(verb, "at")) {
            show(openat(atoi(a), b, O_RDONLY));
            i += 2;
        } else if (!strcmp(verb, "how")) {
            how(atoi(a), b, strtoull(i + 3 < argc ? argv[i + 3] : "0", NULL, 0));
            i += 3;
        } else if (!strcmp(verb, "stat")) {
            if (stat(a, &st) < 0)
                done(-1);
            else
                printf("%o %lld\n", st.st_mode, (long long)st.st_size);
            i++;
        } else if (!strcmp(verb, "list")) {
            list(a);
            i++;
        } else if (!strcmp(verb, "wait")) {
            printf("waiting\n");
            if (!fgets(line, sizeof line, stdin))
                return 1;
        } else {
            printf("no verb %s\n", verb);
            return 2;
        }
    }
    return 0;
}
