/* exit: the status is cut to 8 bits, buffers are flushed, handlers run in reverse order. */
#include "show.h"

static void first(void)
{
    puts("registered first, runs last");
}

static void second(void)
{
    puts("registered second");
    atexit(first);
}

__attribute__((constructor(200))) static void constructor_200(void)
{
    puts("constructor 200");
}

__attribute__((constructor(101))) static void constructor_101(void)
{
    puts("constructor 101");
}

__attribute__((destructor)) static void destructor(void)
{
    puts("destructor");
}

static void third(void)
{
    puts("registered third, runs first");
}

int main(void)
{
    atexit(first);
    atexit(second);
    atexit(third);
    setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
    printf("no newline at the end, flushed by exit");
    exit(0x1234);
}
