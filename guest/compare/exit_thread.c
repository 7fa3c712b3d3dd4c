/* exit(2) by the only thread ends the process, with that status. */
#include "show.h"

int main(void)
{
    puts("before");
    syscall(SYS_exit, 77);
    puts("not reached");
}
