// build: -static
/* hello.c - the smallest useful program: what a run costs when the guest does nothing. */
#include <stdio.h>

int main(void)
{
    puts("hello, world");
    return 0;
}
