/* RLIMIT_NOFILE: EMFILE at the limit, descriptors above it stay open, numbers are reused. */
#include "show.h"
#include <sys/resource.h>

int main(void)
{
    struct rlimit limit = {20, 40};
    must("setrlimit", setrlimit(RLIMIT_NOFILE, &limit));
    int last = -1, fd;
    while ((fd = open("/dev/null", O_RDONLY)) >= 0)
        last = fd;
    show("open", fd);
    show("last number", last);
    show("dup", dup(0));
    show("F_DUPFD", fcntl(0, F_DUPFD, 0));
    show("openat of a directory", openat(AT_FDCWD, ".", O_RDONLY));
    show("nothing was created", open("new", O_RDWR | O_CREAT, 0600));
    show("indeed", access("new", F_OK));
    close(7);
    close(5);
    show("lowest free", open("/dev/null", O_RDONLY));
    show("then", open("/dev/null", O_RDONLY));
    limit.rlim_cur = 22;
    must("setrlimit", setrlimit(RLIMIT_NOFILE, &limit));
    show("raised", open("/dev/null", O_RDONLY));
    limit.rlim_cur = 10;
    must("setrlimit", setrlimit(RLIMIT_NOFILE, &limit));
    show("lowered, 15 is still open", fcntl(15, F_GETFD));
    show("dup2 to it", dup2(0, 15));
    show("dup2 to below", dup2(0, 9));
    close(4);
    show("free below the limit", open("/dev/null", O_RDONLY));
    show("none below the limit", open("/dev/null", O_RDONLY));
    FILE *file = fopen("/dev/null", "r");
    show("fopen", file ? 0 : -1);
}
