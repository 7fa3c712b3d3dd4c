/* A fatal signal sent to oneself: sent while blocked it waits, unblocked it ends the process (143). */
#include "show.h"

int main(void)
{
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    show("signal 0", kill(getpid(), 0));
    show("unknown signal", kill(getpid(), 65));
    show("negative signal", kill(getpid(), -1));
    show("no such process", kill(4194304, SIGTERM));
    show("tgkill 0", syscall(SYS_tgkill, getpid(), getpid(), 0));
    show("tgkill, no such thread", syscall(SYS_tgkill, getpid(), 4194304, 0));
    show("tgkill, negative", syscall(SYS_tgkill, -1, -1, SIGTERM));
    show("ignored by default", kill(getpid(), SIGCHLD));
    show("ignored by default", kill(getpid(), SIGWINCH));
    show("block", sigprocmask(SIG_BLOCK, &set, NULL));
    show("kill", kill(getpid(), SIGTERM));
    sigpending(&pending);
    show("pending", sigismember(&pending, SIGTERM));
    puts("unblocking");
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    puts("not reached");
}
