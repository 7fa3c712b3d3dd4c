/* abort(3) ends the process by SIGABRT although a handler caught it and returned (status 134). */
#include "show.h"

static void handler(int number)
{
    (void)number;
    write(1, "caught, and returning\n", 22);
}

int main(void)
{
    signal(SIGABRT, handler);
    puts("before");
    abort();
}
