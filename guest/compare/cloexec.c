/* Close-on-exec: what the new image of an execve still has open, and with what flags. */
#include "show.h"

int main(int argc, char **argv)
{
    if (argc > 1) {
        for (int i = 1; i < argc; i++) {
            int fd = atoi(argv[i]);
            char what[32];
            snprintf(what, sizeof what, "descriptor %d", i);
            if (show(what, fcntl(fd, F_GETFD)) == 0)
                show("  position", lseek(fd, 0, SEEK_CUR));
        }
        return 7;
    }
    put_file("file", "0123456789");
    int kept = must("open", open("file", O_RDONLY));
    int gone = must("open", open("file", O_RDONLY | O_CLOEXEC));
    int set = must("open", open("file", O_RDONLY));
    int duplicate = must("dup", dup(gone));
    int dup3ed = must("dup3", dup3(kept, 30, O_CLOEXEC));
    int unset = must("open", open("file", O_RDONLY | O_CLOEXEC));
    must("F_SETFD", fcntl(set, F_SETFD, FD_CLOEXEC));
    must("F_SETFD", fcntl(unset, F_SETFD, 0));
    lseek(kept, 3, SEEK_SET);
    lseek(gone, 5, SEEK_SET);
    int fds[] = {kept, gone, set, duplicate, dup3ed, unset};
    char numbers[COUNT(fds)][12];
    char *args[COUNT(fds) + 2] = {"cloexec"};
    for (size_t n = 0; n < COUNT(fds); n++) {
        snprintf(numbers[n], sizeof numbers[n], "%d", fds[n]);
        args[n + 1] = numbers[n];
    }
    execv("/proc/self/exe", args);
    show("execv", -1);
}
