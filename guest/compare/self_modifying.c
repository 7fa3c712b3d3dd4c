/* Code that is written, run, changed and run again: in place, across pages, in a page that is replaced. */
#include "show.h"

typedef int function(void);

/* mov eax, VALUE; ret */
static void put_code(unsigned char *at, int value)
{
    at[0] = 0xb8;
    memcpy(at + 1, &value, 4);
    at[5] = 0xc3;
}

int main(void)
{
    unsigned char *code = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check("mapped", code != MAP_FAILED);
    int sum = 0;
    for (int i = 0; i < 1000; i++) {
        put_code(code, i);
        sum += ((function *)code)();
    }
    printf("changed in place: %d\n", sum);
    put_code(code + PAGE - 3, 1234);
    printf("across two pages: %d\n", ((function *)(code + PAGE - 3))());
    code[PAGE] = 5; /* a byte of the constant, on the second page */
    printf("second half changed: %x\n", ((function *)(code + PAGE - 3))());

    sum = 0;
    for (int i = 0; i < 20; i++) {
        must("mprotect", mprotect(code, PAGE, PROT_READ | PROT_WRITE));
        put_code(code, i * i);
        must("mprotect", mprotect(code, PAGE, PROT_READ | PROT_EXEC));
        sum += ((function *)code)();
    }
    printf("written, then made executable: %d\n", sum);

    sum = 0;
    for (int i = 0; i < 20; i++) {
        unsigned char *page = mmap(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        put_code(page, i);
        sum += ((function *)page)();
    }
    printf("page replaced each time: %d\n", sum);
}
