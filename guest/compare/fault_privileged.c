/* What only a kernel may do is SIGSEGV with SI_KERNEL: hlt, cli, in, rdmsr, control registers, gates of the kernel. */
#include "show.h"
#include <setjmp.h>

static sigjmp_buf back;

static void caught(int number, siginfo_t *info, void *context)
{
    (void)context;
    printf("signal %d code %s address %d\n", number, info->si_code == SI_KERNEL ? "SI_KERNEL" : "another",
           info->si_addr != NULL);
    siglongjmp(back, 1);
}

#define TRY(text)                          \
    do {                                   \
        printf("%s: ", text);              \
        if (sigsetjmp(back, 1) == 0) {     \
            __asm__ volatile(text : : : "rax", "rcx", "rdx", "memory"); \
            puts("went through");          \
        }                                  \
    } while (0)

int main(void)
{
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    TRY("hlt");
    TRY("cli");
    TRY("sti");
    TRY("mov %%cr3, %%rax");
    TRY("mov %%rax, %%cr3");
    TRY("xor %%ecx, %%ecx; rdmsr");
    TRY("wbinvd");
    TRY("invd");
    TRY("clts");
    TRY("swapgs");
    TRY("in $0x60, %%al");
    TRY("out %%al, $0x80");
    TRY("int $0x20");
    TRY("int $0x0e");
    TRY("lmsw %%ax");
    TRY("ltr %%ax");
    TRY("mov $0x10, %%eax; mov %%eax, %%ds");
    TRY("nop");
    puts("without a handler");
    signal(SIGSEGV, SIG_DFL);
    __asm__ volatile("hlt");
    puts("not reached");
}
