/* Thread-local variables: initial values, zeros, alignment, addresses that stay, errno among them. */
#include "show.h"

static __thread int counter = 41;
static __thread char text[32] = "initial text";
static __thread long zeros[100];
static __thread __attribute__((aligned(64))) char aligned_bytes[64] = {1, 2, 3};
__thread double shared_double = 0.125;

__attribute__((noinline)) static int *address(void)
{
    return &counter;
}

int main(void)
{
    counter++;
    printf("counter %d text %s double %a\n", counter, text, shared_double);
    long sum = 0;
    for (size_t i = 0; i < COUNT(zeros); i++)
        sum += zeros[i];
    printf("zeros %ld\n", sum);
    check("aligned", (uintptr_t)aligned_bytes % 64 == 0);
    printf("aligned bytes %d %d %d %d\n", aligned_bytes[0], aligned_bytes[1], aligned_bytes[2], aligned_bytes[3]);
    check("the same variable", address() == &counter);
    *address() = 7;
    printf("by its address %d\n", counter);
    errno = 5;
    int *where = &errno;
    close(-1);
    check("errno is one place", *where == EBADF);
    char *block = malloc(100000);
    memset(block, 0xff, 100000);
    free(block);
    printf("untouched by the heap: %s %a\n", text, shared_double);
    uint64_t fs;
    __asm__("movq %%fs:0, %0" : "=r"(fs));
    check("below the thread's pointer", (uintptr_t)&counter < fs && fs - (uintptr_t)&counter < 4096);
}
