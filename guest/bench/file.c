// build: -static
/*
 * file.c - a file written and read back in pieces of 64 KiB.
 *
 *   file PATH [PIECES]
 *
 * Prints `write SECONDS BYTES` and `read SECONDS BYTES`. Each piece carries its number, which is checked
 * when it is read back. The file is removed at the end.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum { PIECE = 64 * 1024 };

static char piece[PIECE];

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

int main(int argc, char **argv)
{
    long pieces = number(argc, argv, 2, 1024);
    double start, written, read_back;
    int fd;

    if (argc < 2) {
        fprintf(stderr, "usage: %s PATH [PIECES]\n", argv[0]);
        return 2;
    }
    fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        fail(argv[1]);
    memset(piece, 'x', PIECE);
    start = seconds();
    for (long i = 0; i < pieces; i++) {
        memcpy(piece, &i, sizeof i);
        if (write(fd, piece, PIECE) != PIECE)
            fail("write");
    }
    written = seconds() - start;
    if (lseek(fd, 0, SEEK_SET) != 0)
        fail("lseek");
    memset(piece, 0, PIECE);
    start = seconds();
    for (long i = 0; i < pieces; i++) {
        long found;

        if (read(fd, piece, PIECE) != PIECE)
            fail("read");
        memcpy(&found, piece, sizeof found);
        if (found != i || piece[PIECE - 1] != 'x') {
            fprintf(stderr, "read: piece %ld is not what was written\n", i);
            return 1;
        }
    }
    read_back = seconds() - start;
    printf("write %.9f %ld\nread %.9f %ld\n", written, pieces * PIECE, read_back, pieces * PIECE);
    close(fd);
    unlink(argv[1]);
    return 0;
}
