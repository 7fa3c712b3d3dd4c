// build: -static
/*
 * pipe.c - bytes through a pipe.
 *
 *   pipe [MIB]
 *
 * Prints `pipe SECONDS BYTES`: one process writes MIB MiB in pieces of 64 KiB, another reads them in pieces of
 * 64 KiB and looks at the first and the last byte of each.
 */
#define _GNU_SOURCE
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

enum { PIECE = 65536 };

static char piece[PIECE];

int main(int argc, char **argv)
{
    long total = number(argc, argv, 1, 64) << 20, got = 0;
    int ends[2], status;
    double start;
    pid_t pid;

    for (int i = 0; i < PIECE; i++)
        piece[i] = (char)(i % 251);
    if (pipe(ends) != 0) {
        perror("pipe");
        return 1;
    }
    start = seconds();
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        for (long left = total; left > 0;) {
            ssize_t n = write(ends[1], piece, PIECE);

            if (n != PIECE)
                _exit(1);
            left -= n;
        }
        _exit(0);
    }
    close(ends[1]);
    for (;;) {
        ssize_t n = read(ends[0], piece, PIECE);

        if (n <= 0)
            break;
        if (piece[0] != (char)(got % PIECE % 251) || piece[n - 1] != (char)((got + n - 1) % PIECE % 251)) {
            fprintf(stderr, "wrong bytes at %ld\n", got);
            return 1;
        }
        got += n;
    }
    printf("pipe %.9f %ld\n", seconds() - start, got);
    if (waitpid(pid, &status, 0) != pid || status != 0 || got != total) {
        fprintf(stderr, "%ld of %ld bytes came\n", got, total);
        return 1;
    }
    return 0;
}
