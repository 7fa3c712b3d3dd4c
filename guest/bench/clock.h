/* clock.h - what the benchmark programs share: the monotonic clock, and numbers from the command line. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

/* Argument INDEX as a positive number; FALLBACK where it is not given. */
static inline long number(int argc, char **argv, int index, long fallback)
{
    char *end;
    long value;

    if (index >= argc)
        return fallback;
    value = strtol(argv[index], &end, 10);
    if (*end != '\0' || value <= 0) {
        fprintf(stderr, "%s: '%s': a positive number was expected\n", argv[0], argv[index]);
        exit(2);
    }
    return value;
}

#endif
