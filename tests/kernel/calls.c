/* Makes the system calls that standard input asks for, one a line, and prints what they return:
 *
 *     call NR ARG...    a call; prints the result, or minus the error
 *     poke OFFSET HEX   writes bytes into the buffer
 *     dump OFFSET SIZE  prints bytes of the buffer
 *     nobody            gives up all ids and capabilities
 *
 * An argument is a number, `@N` for an address in the buffer, `pid`, or `page`, `readonly` and
 * `shared` for one of three anonymous mappings. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned char buffer[8192] __attribute__((aligned(64)));
static char *page, *readonly, *shared;

static long argument(const char *text)
{
    if (text[0] == '@')
        return (long)buffer + strtol(text + 1, NULL, 0);
    if (!strcmp(text, "pid"))
        return getpid();
    if (!strcmp(text, "page"))
        return (long)page;
    if (!strcmp(text, "readonly"))
        return (long)readonly;
    if (!strcmp(text, "shared"))
        return (long)shared;
    return text[0] == '-' ? strtol(text, NULL, 0) : (long)strtoul(text, NULL, 0);
}

static void *map(int protection, int flags)
{
    return mmap(NULL, 8192, protection, flags | MAP_ANONYMOUS, -1, 0);
}

int main(void)
{
    static char line[512];

    page = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
    readonly = map(PROT_READ, MAP_PRIVATE);
    shared = map(PROT_READ | PROT_WRITE, MAP_SHARED);
    while (fgets(line, sizeof line, stdin)) {
        char *word = strtok(line, " \n");
        if (!strcmp(word, "call")) {
            long args[7] = {0}, result;
            for (int i = 0; i < 7 && (word = strtok(NULL, " \n")); i++)
                args[i] = argument(word);
            result = syscall(args[0], args[1], args[2], args[3], args[4], args[5], args[6]);
            printf("%ld\n", result == -1 ? -errno : result);
        } else if (!strcmp(word, "poke")) {
            unsigned char *to = buffer + atoi(strtok(NULL, " \n"));
            const char *hex = strtok(NULL, " \n");
            for (; sscanf(hex, "%2hhx", to) == 1; hex += 2)
                to++;
        } else if (!strcmp(word, "dump")) {
            int offset = atoi(strtok(NULL, " \n")), size = atoi(strtok(NULL, " \n"));
            for (int i = 0; i < size; i++)
                printf("%02x", buffer[offset + i]);
            puts("");
        } else if (!strcmp(word, "nobody") && getuid() == 0) {
            if (setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
                setresuid(65534, 65534, 65534))
                return 1;
        }
    }
    return 0;
}
