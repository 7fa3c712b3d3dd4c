/* clone(2) takes any exit signal from 0 to 255; one that is no signal is not sent, and the child is
 * waited for as one that sends no SIGCHLD. clone3(2) refuses it. */
#include "show.h"
#include <sys/wait.h>

static int got;

static void on_signal(int number) { got = number; }

int main(void)
{
    static const int signals[] = { 0, SIGUSR1, SIGCHLD, 64, 65, 100, 128, 255 };

    signal(SIGUSR1, on_signal);
    signal(64, on_signal);
    for (unsigned i = 0; i < COUNT(signals); i++) {
        /* struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, ... */
        uint64_t args[8] = { 0, 0, 0, 0, signals[i] };
        int status = -1;

        got = 0;
        long child = syscall(SYS_clone, (long)signals[i], 0, 0, 0, 0);
        if (!child) _exit(7);
        /* Without __WALL only children that send SIGCHLD are found. */
        int plain = waitpid(child, &status, 0);
        int found = plain == child || waitpid(child, &status, __WALL) == child;
        printf("%d: plain %d found %d status %#x got %d\n", signals[i], plain == child, found, status,
               got);
        if (signals[i] > 64) {
            long refused = syscall(SYS_clone3, args, sizeof args);
            if (!refused) _exit(0);
            printf("clone3: %s\n", refused < 0 ? errno_name(errno) : "a child");
        }
    }
    return 0;
}
