/* MAP_GROWSDOWN: a map that grows when the page below it is touched, but not into its neighbour. */
#include "show.h"
#include <setjmp.h>

static sigjmp_buf back;

static void caught(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

static int touch(volatile char *at)
{
    if (sigsetjmp(back, 1))
        return 0;
    *at = 't';
    return 1;
}

int main(void)
{
    static char alternate[65536];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = caught, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);

    char *area = pages(1024);
    must("munmap", munmap(area, 1024 * PAGE));
    char *top = area + 1022 * PAGE;
    char *map = mmap(top, PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
    check("mapped", map == top);
    check("itself", touch(top));
    check("the page below", touch(top - 1));
    check("the next", touch(top - 2 * PAGE));
    check("a hundred below", touch(top - 100 * PAGE));
    check("all between", touch(top - 50 * PAGE));
    check("above it", touch(top + PAGE) == 0);
    unsigned char core;
    check("far below is not mapped yet", mincore(top - 300 * PAGE, PAGE, &core) == -1);
    check("nor grown by a failed system call", read(-1, top - 300 * PAGE, 1) == -1 &&
          mincore(top - 300 * PAGE, PAGE, &core) == -1);
    show("read(2) grows it too", read(open("/dev/zero", O_RDONLY), top - 110 * PAGE, 4));
    char *neighbour = mmap(top - 600 * PAGE, PAGE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    check("a neighbour", neighbour == top - 600 * PAGE);
    check("300 pages above it", touch(top - 300 * PAGE));
    check("next to it: within the 256 pages kept as a gap", touch(top - 599 * PAGE));
    check("the neighbour itself", touch(neighbour));
}
