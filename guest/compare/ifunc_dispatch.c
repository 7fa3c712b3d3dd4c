/* IFUNC symbols are resolved before main, by CPUID, and constructors may call them. */
// libc: glibc
#include "show.h"
#include <cpuid.h>

static int by_sse2(void)
{
    return 2;
}

static int by_nothing(void)
{
    return 0;
}

static int (*resolve(void))(void)
{
    unsigned eax, ebx, ecx, edx = 0;
    __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    return edx & bit_SSE2 ? by_sse2 : by_nothing;
}

int chosen(void) __attribute__((ifunc("resolve")));

static int in_constructor;

__attribute__((constructor)) static void constructor(void)
{
    in_constructor = chosen();
}

int main(void)
{
    printf("in a constructor %d, in main %d\n", in_constructor, chosen());
    int (*pointer)(void) = chosen;
    printf("by a pointer %d\n", pointer());
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    check("CPUID leaf 1", __get_cpuid(1, &eax, &ebx, &ecx, &edx));
    check("FPU, TSC, CX8, CMOV, FXSR, SSE, SSE2", (edx & 0x7008111) == 0x7008111);
    char vendor[13] = "";
    check("leaf 0", __get_cpuid(0, &eax, (unsigned *)vendor, (unsigned *)(vendor + 8), (unsigned *)(vendor + 4)));
    check("a vendor of 12 letters", strlen(vendor) == 12);
    check("long mode", __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && (edx & bit_LM));
    check("NX", edx & 1 << 20);
    check("memcpy works by whatever was chosen", memcmp(memcpy(vendor, "twelve bytes", 12), "twelve bytes", 12) == 0);
}
