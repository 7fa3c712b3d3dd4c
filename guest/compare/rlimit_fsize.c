/* A write beyond RLIMIT_FSIZE: short first, then SIGXFSZ, which kills (status 153). */
#include "show.h"
#include <sys/resource.h>

static volatile int caught;

static void handler(int number)
{
    caught = number;
}

int main(void)
{
    struct rlimit limit = {10, 10};
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0600));
    must("setrlimit", setrlimit(RLIMIT_FSIZE, &limit));
    signal(SIGXFSZ, handler);
    show("within", write(fd, "12345678", 8));
    show("across", write(fd, "12345678", 8));
    show("signal", caught);
    show("beyond", write(fd, "x", 1));
    show("signal", caught);
    caught = 0;
    show("truncate beyond", ftruncate(fd, 11));
    show("signal", caught);
    show("size", lseek(fd, 0, SEEK_END));
    show("/dev/null is not held to it", write(open("/dev/null", O_WRONLY), pages(1), PAGE));
    signal(SIGXFSZ, SIG_DFL);
    puts("without a handler");
    write(fd, "x", 1);
    puts("not reached");
}
