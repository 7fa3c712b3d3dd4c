/*
 * Use case: a filter in a pipeline. It reads from standard input and writes to standard output, and that is all
 * it can do from its first byte of input on, whatever the input makes of it.
 *
 * Counts lines, words and bytes. An input that starts with "open", "stderr" or "other" plays an attack that took
 * the program over: each ends in its death at the very call.
 */
#include "say.h"
#include "seccomp_filter.h"

static const char policy[] =
    "sys_read: fd == 0\n"
    "sys_write: fd == 1\n"
    "sys_exit_group: 1\n"
    "on_next_syscall: 1\n";

int main(void)
{
    char block[4096];
    long lines = 0, words = 0, bytes = 0, size;
    int in_word = 0;
    int other = open("/dev/zero", O_RDONLY);
    if (seccomp_filter(policy) < 0) {
        perror("seccomp_filter");
        return 2;
    }
    while ((size = read(0, block, sizeof block)) > 0) {
        if (bytes == 0 && strncmp(block, "open", 4) == 0)
            syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
        if (bytes == 0 && strncmp(block, "stderr", 6) == 0)
            syscall(SYS_write, 2, "no", 2);
        if (bytes == 0 && strncmp(block, "other", 5) == 0)
            read(other, block, 1);
        for (long i = 0; i < size; i++) {
            int space = block[i] == ' ' || block[i] == '\n' || block[i] == '\t';
            lines += block[i] == '\n';
            words += in_word && space;
            in_word = !space;
        }
        bytes += size;
    }
    say("%ld lines, %ld words, %ld bytes\n", lines, words + in_word, bytes);
    return 0;
}
