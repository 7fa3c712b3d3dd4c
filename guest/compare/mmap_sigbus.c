/* A map reaches further than its file: the last page reads zeros, the next one is SIGBUS; the file grows. */
#include "show.h"
#include <setjmp.h>

static sigjmp_buf back;
static int signal_code, signal_number;
static char *fault;

static void caught(int number, siginfo_t *info, void *context)
{
    (void)context;
    signal_number = number;
    signal_code = info->si_code;
    fault = info->si_addr;
    siglongjmp(back, 1);
}

static void touch(const char *what, volatile char *at, int write)
{
    if (sigsetjmp(back, 1)) {
        printf("%s: signal %d code %d address right %d\n", what, signal_number, signal_code, fault == at);
        return;
    }
    if (write)
        *at = 'w';
    printf("%s: %d\n", what, *at);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    put_file("file", "content");
    int fd = must("open", open("file", O_RDWR));
    char *map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    touch("in the file", map, 0);
    touch("last page past the end", map + PAGE - 1, 0);
    touch("written there", map + PAGE - 1, 1);
    touch("next page", map + PAGE, 0);
    touch("next page, write", map + PAGE + 5, 1);
    show("size", lseek(fd, 0, SEEK_END));
    must("ftruncate", ftruncate(fd, PAGE + 1));
    touch("grown, next page", map + PAGE, 0);
    touch("grown, written", map + PAGE, 1);
    touch("third page", map + 2 * PAGE, 0);
    must("ftruncate", ftruncate(fd, 3));
    touch("shrunk, second page", map + PAGE, 0);
    touch("shrunk, first page", map + 4, 0);
    char text[4];
    show("read(2) into it", pread(fd, map + PAGE, 4, 0));
    show("write(2) from it", pwrite(fd, map + PAGE, 4, 0));
    char *private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    touch("private, past the end", private + PAGE, 1);
    touch("private, first page", private + 100, 1);
    show("file", pread(fd, text, 4, 0));
    char *whole = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 8 * PAGE);
    touch("wholly past the end", whole, 0);
    touch("read-only, write", whole, 1);
    close(fd);
    signal(SIGBUS, SIG_DFL);
    puts("last");
    *(volatile char *)whole;
    puts("not reached");
}
