/* A null pointer written to, nobody looking: SIGSEGV, status 139. */
#include "show.h"

int main(void)
{
    volatile int *volatile nowhere = NULL;
    puts("before");
    *nowhere = 1;
    puts("not reached");
}
