/*
 * Use case: the example policy of the surface's documentation, word for word. It allows reading from descriptors
 * 1 and 2 and writing to 0, so this program first arranges them so: 1 is what was standard input, 0 what was
 * standard output. It can then read nothing but its input and write nothing but its output.
 *
 * Copies its input in capitals. With the argument "stray" it ends by reading from descriptor 0: death.
 */
#include "say.h"
#include "seccomp_filter.h"

static const char policy[] =
    "sys_read: (fd == 1) || (fd == 2)\n"
    "sys_write: (fd == 0)\n"
    "sys_exit: 1\n"
    "sys_exit_group: 1\n"
    "on_next_syscall: 1\n";

int main(int argc, char **argv)
{
    char block[256];
    ssize_t size;
    int in = dup(0);
    if (dup2(1, 0) < 0 || dup2(in, 1) < 0 || seccomp_filter(policy) < 0) {
        perror("spec_example");
        return 2;
    }
    while ((size = read(1, block, sizeof block)) > 0) {
        for (ssize_t i = 0; i < size; i++)
            if (block[i] >= 'a' && block[i] <= 'z')
                block[i] -= 'a' - 'A';
        write(0, block, size);
    }
    if (argc > 1 && strcmp(argv[1], "stray") == 0)
        read(0, block, 1);
    return 5;
}
