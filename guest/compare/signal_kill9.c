/* SIGKILL can be neither caught, ignored nor blocked (status 137). */
#include "show.h"

static void handler(int number)
{
    (void)number;
}

int main(void)
{
    sigset_t all, now;
    struct sigaction action = {.sa_handler = handler};
    show("catch", sigaction(SIGKILL, &action, NULL));
    action.sa_handler = SIG_IGN;
    show("ignore", sigaction(SIGKILL, &action, NULL));
    show("catch SIGSTOP", sigaction(SIGSTOP, &action, NULL));
    show("ask", sigaction(SIGKILL, NULL, &action));
    check("default", action.sa_handler == SIG_DFL);
    sigfillset(&all);
    show("block all", sigprocmask(SIG_SETMASK, &all, NULL));
    sigprocmask(SIG_SETMASK, NULL, &now);
    show("SIGTERM is blocked", sigismember(&now, SIGTERM));
    show("SIGKILL is not", sigismember(&now, SIGKILL));
    show("SIGSTOP is not", sigismember(&now, SIGSTOP));
    puts("before");
    kill(getpid(), SIGKILL);
    puts("not reached");
}
