/* A guard page below a buffer: overrun by one byte is SIGSEGV at once (status 139), not before. */
#include "show.h"

int main(void)
{
    char *area = pages(3);
    must("mprotect", mprotect(area, PAGE, PROT_NONE));
    must("mprotect", mprotect(area + 2 * PAGE, PAGE, PROT_NONE));
    char *buffer = area + PAGE;
    memset(buffer, 'b', PAGE);
    printf("first %c last %c\n", buffer[0], buffer[PAGE - 1]);
    uint64_t word;
    memcpy(&word, buffer + PAGE - 8, 8);
    printf("last word %llx\n", (unsigned long long)word);
    printf("one before the guard, by strnlen: %zu\n", strnlen(buffer, PAGE));
    puts("an unaligned word across the edge");
    *(volatile uint64_t *)(buffer + PAGE - 7);
    puts("not reached");
}
