// build: -static
/*
 * sleepers.c - many processes that sleep.
 *
 *   sleepers COUNT MILLISECONDS
 *
 * COUNT children wait in pause(2) while the parent sleeps so long; then it ends them all and waits for them. It
 * prints `made SECONDS COUNT` and `ended SECONDS COUNT`.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

int main(int argc, char **argv)
{
    long count = number(argc, argv, 1, 500), milliseconds = number(argc, argv, 2, 1000);
    struct timespec pause_time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    pid_t *pids = calloc(count, sizeof *pids);
    double start = seconds();

    for (long i = 0; i < count; i++) {
        pids[i] = fork();
        if (pids[i] < 0) {
            perror("fork");
            return 1;
        }
        if (pids[i] == 0)
            for (;;)
                pause();
    }
    printf("made %.9f %ld\n", seconds() - start, count);
    nanosleep(&pause_time, NULL);
    start = seconds();
    for (long i = 0; i < count; i++)
        kill(pids[i], SIGKILL);
    for (long i = 0; i < count; i++)
        if (waitpid(pids[i], NULL, 0) != pids[i]) {
            perror("waitpid");
            return 1;
        }
    printf("ended %.9f %ld\n", seconds() - start, count);
    return 0;
}
