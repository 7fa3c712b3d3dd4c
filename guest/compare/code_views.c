/* Code changed from elsewhere than the map it runs in: another map of the file, write(2), read(2). */
// unequal: translated code is not noticed to change through another mapping of its page
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
    int sum = 0;
    int fd = must("open", open("code", O_RDWR | O_CREAT, 0600));
    must("ftruncate", ftruncate(fd, PAGE));
    unsigned char *write_view = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    unsigned char *run_view = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    for (int i = 0; i < 50; i++) {
        put_code(write_view, i * 3);
        sum += ((function *)run_view)();
    }
    printf("through another view: %d\n", sum);
    sum = 0;
    for (int i = 0; i < 50; i++) {
        int value = i * 5;
        must("pwrite", pwrite(fd, &value, 4, 1));
        sum += ((function *)run_view)();
    }
    printf("by write(2): %d\n", sum);
    unsigned char *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sum = 0;
    for (int i = 0; i < 50; i++) {
        int value = i * 7;
        must("pwrite", pwrite(fd, &value, 4, 1));
        must("pread", pread(fd, code, 6, 0));
        sum += ((function *)code)();
    }
    printf("by read(2) into it: %d\n", sum);
    must("ftruncate", ftruncate(fd, 0));
    must("ftruncate", ftruncate(fd, PAGE));
    put_code(write_view, 77);
    printf("after truncation: %d\n", ((function *)run_view)());
}
