/* Fresh memory is zero and distinct, page after page, in bss, heap, stack and maps of odd sizes. */
#include "show.h"

static char bss[300 * PAGE];
static char data[2 * PAGE + 5] = "initialised";

static int zero(const char *at, size_t size)
{
    while (size && *at == 0)
        at++, size--;
    return size == 0;
}

int main(void)
{
    check("bss", zero(bss, sizeof bss));
    check("data", strcmp(data, "initialised") == 0 && zero(data + 11, sizeof data - 11));
    memset(bss, 'b', sizeof bss);
    check("bss written", bss[0] == 'b' && bss[sizeof bss - 1] == 'b');
    size_t sizes[] = {1, 100, PAGE - 1, PAGE, PAGE + 1, 10 * PAGE + 7, 600 * PAGE};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *map = mmap(NULL, sizes[i], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        size_t whole = (sizes[i] + PAGE - 1) & -(size_t)PAGE;
        printf("map of %zu zero to its page's end %d\n", sizes[i], zero(map, whole));
        memset(map, 'm', whole);
        must("munmap", munmap(map, sizes[i]));
    }
    char *one = pages(100);
    for (int i = 0; i < 100; i++)
        *(int *)(one + i * PAGE) = i;
    int distinct = 1;
    for (int i = 0; i < 100; i++)
        distinct &= *(int *)(one + i * PAGE) == i;
    check("a hundred distinct pages", distinct);
    for (int i = 0; i < 100; i += 2)
        must("munmap", munmap(one + i * PAGE, PAGE));
    for (int i = 1; i < 100; i += 2)
        distinct &= *(int *)(one + i * PAGE) == i;
    check("the odd ones after the even are gone", distinct);
    char *reused = pages(100);
    check("reused memory is zero", zero(reused, 100 * PAGE));
}
