/* Non-canonical reads: VMIN and VTIME in their four combinations, O_NONBLOCK, signals, poll. */
#include "tty.h"
#include <sys/time.h>
#include <time.h>

static void handler(int sig) { (void)sig; }

static void timing(int min, int time)
{
    set_cc(VMIN, min);
    set_cc(VTIME, time);
    printf("MIN %d TIME %d\n", min, time);
}

static void timed_read(long size)
{
    char text[64];
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    long got = read(slave, text, size);
    clock_gettime(CLOCK_MONOTONIC, &end);
    long ms = (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
    print_text("read", text, got);
    printf("  %s\n", ms < 70 ? "at once" : ms < 1000 ? "after a while" : "late");
}

/* Types a text piece by piece, 50 ms between them. */
static int later(const char *text)
{
    int pid = fork();
    if (!pid) {
        for (; *text; text++) {
            usleep(50000);
            if (write(master, text, 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    return pid;
}

int main(void)
{
    open_pair();
    change(0, ICRNL | IXON, 0, OPOST, 0, ICANON | ECHO | ISIG | IEXTEN);
    TYPE("a\n\r\x03\x04\x7f");
    read_once("raw", slave, 100);
    timing(0, 0);
    timed_read(10);
    TYPE("xy");
    timed_read(10);
    timing(0, 1);
    timed_read(10);
    TYPE("xyz");
    timed_read(2);
    timed_read(10);
    timing(3, 0);
    int pid = later("abcd");
    timed_read(10);
    waitpid(pid, NULL, 0);
    timed_read(1);
    TYPE("abcde");
    timed_read(2);
    timed_read(10);
    timing(10, 1);
    pid = later("gh");
    timed_read(10);
    waitpid(pid, NULL, 0);
    TYPE("ij");
    timed_read(2);

    struct pollfd ready = {slave, POLLIN, 0};
    timing(4, 0);
    TYPE("abc");
    show("poll for 4, 3 there", poll(&ready, 1, 20));
    TYPE("d");
    show("poll for 4, 4 there", poll(&ready, 1, 20));
    timed_read(10);
    timing(4, 1);
    TYPE("a");
    show("poll with a time", poll(&ready, 1, 20));
    timed_read(10);

    timing(1, 0);
    fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
    timed_read(10);
    TYPE("q");
    timed_read(10);
    timing(5, 0);
    TYPE("rs");
    timed_read(10);
    timed_read(10);
    fcntl(slave, F_SETFL, O_RDWR);

    puts("signals");
    struct sigaction action = {.sa_handler = handler};
    struct itimerval soon = {.it_value = {0, 30000}};
    sigaction(SIGALRM, &action, NULL);
    timing(1, 0);
    setitimer(ITIMER_REAL, &soon, NULL);
    timed_read(10);
    timing(5, 0);
    TYPE("uv");
    setitimer(ITIMER_REAL, &soon, NULL);
    timed_read(10);
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    timing(1, 0);
    setitimer(ITIMER_REAL, &soon, NULL);
    pid = later(" w");
    timed_read(1);
    timed_read(10);
    waitpid(pid, NULL, 0);
    show("bad buffer", read(slave, NULL, 0));
    TYPE("z");
    show("bad buffer", read(slave, (void *)8, 1));
    return 0;
}
