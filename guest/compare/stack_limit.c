/* RLIMIT_STACK bounds the growth of the stack at once: a frame over it is SIGSEGV (status 139). */
#include "show.h"
#include <alloca.h>
#include <sys/resource.h>

__attribute__((noinline)) static int use(size_t size)
{
    volatile char *frame = alloca(size);
    for (size_t i = size; i >= PAGE; i -= PAGE)
        frame[i - 1] = 1;
    return frame[PAGE - 1];
}

int main(void)
{
    struct rlimit limit;
    must("getrlimit", getrlimit(RLIMIT_STACK, &limit));
    limit.rlim_cur = 1 << 20;
    must("setrlimit", setrlimit(RLIMIT_STACK, &limit));
    printf("half a MiB: %d\n", use(1 << 19));
    limit.rlim_cur = 4 << 20;
    must("setrlimit", setrlimit(RLIMIT_STACK, &limit));
    printf("3 MiB under a limit of 4: %d\n", use(3 << 20));
    printf("5 MiB:\n");
    use(5 << 20);
    puts("not reached");
}
