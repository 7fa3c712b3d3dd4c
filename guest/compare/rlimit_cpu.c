/* RLIMIT_CPU ends a program that has no handler and makes no call. */
#include "show.h"
#include <sys/resource.h>

int main(void)
{
    struct rlimit limit = {1, 1};
    show("setrlimit", setrlimit(RLIMIT_CPU, &limit));
    for (;;)
        continue;
}
